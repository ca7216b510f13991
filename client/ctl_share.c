/* SPDX-License-Identifier: ISC
 *
 * cargomailctl share list ADDRESS | show ID [ADDRESS] | revoke ID [ADDRESS]
 */
#include "ctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cargo_placeholder.h"
#include "clock.h"
#include "json_strict.h"
#include "mail_address.h"

static void
print_number(const cJSON *object, const char *name, const char *what)
{
	int64_t number = 0;

	(void)json_integer(object, name, 0, JSON_MAX_INTEGER, &number);
	printf("%lld %s ", (long long)number, what);
}

static void
show_list(const cJSON *packet, void *context)
{
	char when[CLOCK_TEXT_SIZE];
	const cJSON *share;
	int64_t expires;

	(void)context;
	cJSON_ArrayForEach(share, json_array(packet, "shares"))
	{
		strcpy(when, "-");
		if (json_integer(share, "expires", 0, JSON_MAX_INTEGER,
			&expires) == 0)
			clock_format_internet(expires, when);
		ctl_print_string(share, "share", 0);
		ctl_print_string(share, "state", 7);
		printf("%s ", when);
		print_number(share, "recipients", "recipients");
		print_number(share, "resources", "resources");
		ctl_print_string(share, "message", 0);
		putchar('\n');
	}
}

static void
show_content(const cJSON *item)
{
	int64_t downloads = 0;

	if (json_string(item, "hash") != NULL) {
		fputs("resource      ", stdout);
		ctl_print_string(item, "hash", 0);
		ctl_print_size(item, "size", 10);
		ctl_print_string(item, "type", 0);
		ctl_print_string(item, "name", 0);
	} else if (json_boolean(item, "page") == 1) {
		(void)json_integer(item, "downloads", 0, JSON_MAX_INTEGER,
		    &downloads);
		fputs("page          ", stdout);
		ctl_print_string(item, "recipient", 0);
		printf("%lld downloads", (long long)downloads);
	} else {
		fputs("recipient     ", stdout);
		ctl_print_string(item, "recipient", 0);
	}
	putchar('\n');
}

static void
show_share(const cJSON *packet, void *context)
{
	static const struct ctl_field fields[] = {
		{ "share", CTL_TEXT, "share" },
		{ "state", CTL_TEXT, "state" },
		{ "owner", CTL_TEXT, "owner" },
		{ "broker", CTL_TEXT, "broker" },
		{ "message", CTL_TEXT, "message-id" },
		{ "category", CTL_TEXT, "category" },
		{ "since", CTL_TIME, "since" },
		{ "expires", CTL_TIME, "expires" },
		{ "revoked", CTL_TIME, "revoked" },
	};
	const cJSON *share = json_object(packet, "share"), *item;

	(void)context;
	if (share != NULL)
		ctl_print_fields(share, fields,
		    sizeof(fields) / sizeof(fields[0]));
	cJSON_ArrayForEach(item, json_array(packet, "content"))
	    show_content(item);
}

static void
show_revoked(const cJSON *packet, void *context)
{
	(void)context;
	fputs("revoked ", stdout);
	ctl_print_string(packet, "share", 0);
	putchar('\n');
}

/* Adds the address; -1 if it is none. */
static int
add_address(cJSON *request, const char *address)
{
	char normal[MAIL_ADDRESS_SIZE];

	if (mail_address_normalise(address, normal) < 0) {
		fputs("cargomailctl: that is no address\n", stderr);
		return -1;
	}
	return json_add_string(request, "address", normal);
}

static int
add_share(cJSON *request, const char *share)
{
	if (!cargo_share_valid(share)) {
		fputs("cargomailctl: a share is 22 characters of A-Z, a-z, "
		      "0-9, - and _, as share list lists it\n",
		    stderr);
		return -1;
	}
	return json_add_string(request, "share", share);
}

int
ctl_share(const struct ctl *ctl, int argc, char **argv)
{
	static const struct {
		const char *name, *verb;
		void (*show)(const cJSON *packet, void *context);
		bool list;
	} table[] = {
		{ "list", "share-list", show_list, true },
		{ "show", "share-show", show_share, false },
		{ "revoke", "share-revoke", show_revoked, false },
	};
	struct ctl patient = *ctl;
	cJSON *request;
	size_t i = 0;

	if (argc < 3 || argc > 4)
		return EX_USAGE;
	while (i < 3 && strcmp(table[i].name, argv[1]) != 0)
		i++;
	if (i == 3 || (table[i].list && argc != 3))
		return EX_USAGE;
	request = ctl_request(table[i].verb);
	if ((table[i].list ? add_address(request, argv[2]) :
			     add_share(request, argv[2])) < 0 ||
	    (argc == 4 && add_address(request, argv[3]) < 0)) {
		cJSON_Delete(request);
		return EX_DATAERR;
	}
	/* It looks in every account. */
	patient.timeout_ms = CTL_TIMEOUT_STORE_MS;
	return ctl_ask(&patient, "mailboxd", request, table[i].show, NULL);
}
