/* SPDX-License-Identifier: ISC
 *
 * Lookups for the administrator. The name is his, the answer a stranger's:
 * records that are not plain text are told by their length only.
 */
#include "resolve_admin.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "json_strict.h"
#include "memory.h"
#include "outcome.h"

#define TEXT_MAX 1024

struct admin_lookup {
	LIST_ENTRY(admin_lookup) entry;
	struct dns_lookup *dns;
	struct control_connection *connection;
	enum dns_type type;
};

struct resolve_admin {
	struct dns_client *dns;
	LIST_HEAD(, admin_lookup) lookups;
};

struct resolve_admin *
resolve_admin_new(struct dns_client *dns)
{
	struct resolve_admin *admin = x_calloc(1, sizeof(*admin));

	admin->dns = dns;
	LIST_INIT(&admin->lookups);
	return admin;
}

void
resolve_admin_free(struct resolve_admin **admin)
{
	struct admin_lookup *lookup;

	if (*admin == NULL)
		return;
	while ((lookup = LIST_FIRST(&(*admin)->lookups)) != NULL) {
		LIST_REMOVE(lookup, entry);
		dns_lookup_cancel(&lookup->dns);
		free(lookup);
	}
	x_free(admin);
}

static void
fail(struct control_connection *connection, enum outcome outcome,
    const char *word, const char *detail)
{
	cJSON *answer = cJSON_CreateObject();

	json_add_string(answer, "outcome", outcome_name(outcome));
	json_add_string(answer, "reason", word);
	json_add_string(answer, "detail", detail);
	control_reply(connection, answer, 1);
}

static void
format_text(const struct dns_record *record, char text_r[TEXT_MAX])
{
	for (size_t i = 0; i < record->len; i++)
		if (record->len >= TEXT_MAX || !isprint(record->data[i])) {
			snprintf(text_r, TEXT_MAX, "(%zu bytes, not text)",
			    record->len);
			return;
		}
	memcpy(text_r, record->data, record->len);
	text_r[record->len] = '\0';
}

static void
format_record(const struct dns_record *record, enum dns_type type,
    char text_r[TEXT_MAX])
{
	int family = record->len == 4 ? AF_INET : AF_INET6;

	text_r[0] = '\0';
	if (type == DNS_TXT)
		format_text(record, text_r);
	else if (record->len == 4 || record->len == 16)
		inet_ntop(family, record->data, text_r, TEXT_MAX);
}

static void
on_answer(void *arg, const struct dns_answer *dns)
{
	struct admin_lookup *lookup = arg;
	cJSON *answer, *records;
	char text[TEXT_MAX];

	LIST_REMOVE(lookup, entry);
	if (dns->status == DNS_FAILED) {
		fail(lookup->connection, OUTCOME_TEMPFAIL, "dns", dns->detail);
		free(lookup);
		return;
	}
	records = cJSON_CreateArray();
	for (size_t i = 0; i < dns->count; i++) {
		format_record(&dns->records[i], lookup->type, text);
		cJSON_AddItemToArray(records, cJSON_CreateString(text));
	}
	answer = cJSON_CreateObject();
	json_add_string(answer, "outcome", outcome_name(OUTCOME_OK));
	json_add_string(answer, "status", dns->count > 0 ? "data" : "none");
	json_add_boolean(answer, "secure", dns->secure);
	json_add_integer(answer, "ttl", dns->ttl);
	json_add_string(answer, "target", dns->target);
	json_add_item(answer, "records", records);
	control_reply(lookup->connection, answer, 1);
	free(lookup);
}

static int
find_type(const char *name, enum dns_type *type_r)
{
	static const enum dns_type types[] = { DNS_TXT, DNS_A, DNS_AAAA };

	for (size_t i = 0; name != NULL && i < 3; i++)
		if (strcmp(dns_type_name(types[i]), name) == 0) {
			*type_r = types[i];
			return 0;
		}
	return -1;
}

void
resolve_admin_lookup(struct resolve_admin *admin,
    struct control_connection *connection, const cJSON *request)
{
	const char *name = json_string(request, "name");
	struct admin_lookup *lookup;
	enum dns_type type;

	if (name == NULL || name[0] == '\0' || strlen(name) >= DNS_NAME_SIZE ||
	    find_type(json_string(request, "type"), &type) != 0) {
		fail(connection, OUTCOME_PERMFAIL, "request",
		    "a name, and TXT, A or AAAA");
		return;
	}
	lookup = x_calloc(1, sizeof(*lookup));
	lookup->connection = connection;
	lookup->type = type;
	LIST_INSERT_HEAD(&admin->lookups, lookup, entry);
	lookup->dns =
	    dns_client_lookup(admin->dns, name, type, on_answer, lookup);
}
