/* SPDX-License-Identifier: ISC
 *
 * cargomailctl account add|list|close|open|rm|password|quota|release|enroll|
 * dismiss
 */
#include "ctl.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "ctl_password.h"
#include "grip_name.h"
#include "json_strict.h"
#include "mail_address.h"
#include "memory.h"
#include "terminal.h"

static void
show_done(const cJSON *packet, void *context)
{
	const char *id = json_string(packet, "account");
	char *safe = terminal_escape(id != NULL ? id : "the account");

	printf("%s%s\n", (const char *)context, safe);
	free(safe);
}

/* "10G" as the configuration files spell it; -1. */
static int64_t
parse_size(const char *text)
{
	static const char units[] = "KMGT";
	const char *unit;
	char *end;
	long long value = strtoll(text, &end, 10);
	int shift = 0;

	if (end == text || value <= 0)
		return -1;
	if (*end != '\0') {
		unit = strchr(units, *end);
		if (unit == NULL || end[1] != '\0')
			return -1;
		shift = 10 * (int)(unit - units + 1);
	}
	return value > JSON_MAX_INTEGER >> shift ? -1 : (int64_t)value << shift;
}

/* Adds `value` to the array member, making it first. */
static void
add_to_list(cJSON *request, const char *name, const char *value)
{
	cJSON *list = cJSON_GetObjectItemCaseSensitive(request, name);

	if (list == NULL) {
		list = cJSON_CreateArray();
		json_add_item(request, name, list);
	}
	cJSON_AddItemToArray(list, cJSON_CreateString(value));
}

/* Adds an address in its normal form; -1 if it is none. */
static int
add_alias(cJSON *request, const char *alias)
{
	char normal[MAIL_ADDRESS_SIZE];

	if (mail_address_normalise(alias, normal) < 0) {
		fprintf(stderr, "cargomailctl: %s is no address\n", alias);
		return -1;
	}
	add_to_list(request, "aliases", normal);
	return 0;
}

struct add_options {
	bool generate;
};

/* 0, or -1 after a line on standard error. */
static int
parse_add(int argc, char **argv, cJSON *request, struct add_options *options)
{
	static const struct option longs[] = {
		{ "quota", required_argument, NULL, 'q' },
		{ "alias", required_argument, NULL, 'a' },
		{ "broker", required_argument, NULL, 'b' },
		{ "generate", no_argument, NULL, 'g' },
		{ NULL, 0, NULL, 0 },
	};
	int64_t quota;
	int option;

	optind = 0; /* a new vector for glibc */
	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (option) {
		case 'q':
			quota = parse_size(optarg);
			if (quota < 0) {
				fprintf(stderr,
				    "cargomailctl: %s is no "
				    "size\n",
				    optarg);
				return -1;
			}
			json_add_integer(request, "quota", quota);
			break;
		case 'a':
			if (add_alias(request, optarg) < 0)
				return -1;
			break;
		case 'b':
			add_to_list(request, "brokers", optarg);
			break;
		case 'g':
			options->generate = true;
			break;
		default:
			return -1;
		}
	}
	return argc - optind == 1 ? 0 : -1;
}

/* Adds the member; -1 after a line on standard error. */
static int
add_address(cJSON *request, const char *address, char normal_r[])
{
	if (mail_address_normalise(address, normal_r) < 0) {
		fprintf(stderr, "cargomailctl: %s is no address\n", address);
		return -1;
	}
	return json_add_string(request, "address", normal_r);
}

/* With a password; prints it if it was made here. */
static int
ask_with_password(const struct ctl *ctl, cJSON *request, bool generate,
    const char *done)
{
	char password[CTL_PASSWORD_MAX + 1], *text = x_strdup(done);
	int code;

	if (ctl_password_get(json_string(request, "address"), generate,
		password) < 0) {
		cJSON_Delete(request);
		free(text);
		return EX_NOINPUT;
	}
	json_add_string(request, "password", password);
	code = ctl_ask(ctl, "mailboxd", request, show_done, text);
	if (code == 0 && generate)
		printf(ctl->json ? "{\"password\":\"%s\"}\n" : "password %s\n",
		    password);
	explicit_bzero(password, sizeof(password));
	free(text);
	return code;
}

static int
add(const struct ctl *ctl, int argc, char **argv)
{
	struct add_options options = { false };
	char normal[MAIL_ADDRESS_SIZE];
	cJSON *request = ctl_request("account-add");
	int code = 0;

	if (parse_add(argc, argv, request, &options) < 0)
		code = EX_USAGE;
	else if (add_address(request, argv[optind], normal) < 0)
		code = EX_DATAERR;
	if (code == 0)
		return ask_with_password(ctl, request, options.generate,
		    "added ");
	cJSON_Delete(request);
	return code;
}

/* account password [--generate] ADDRESS */
static int
password(const struct ctl *ctl, int argc, char **argv)
{
	bool generate = argc == 3 && strcmp(argv[1], "--generate") == 0;
	char normal[MAIL_ADDRESS_SIZE];
	cJSON *request;

	if (argc != 2 && !generate)
		return EX_USAGE;
	request = ctl_request("account-change");
	if (add_address(request, argv[argc - 1], normal) < 0) {
		cJSON_Delete(request);
		return EX_DATAERR;
	}
	return ask_with_password(ctl, request, generate, "changed ");
}

/* account quota ADDRESS SIZE */
static int
quota(const struct ctl *ctl, int argc, char **argv)
{
	char normal[MAIL_ADDRESS_SIZE], done[] = "changed ";
	cJSON *request;
	int64_t size;

	if (argc != 3 || (size = parse_size(argv[2])) < 0)
		return EX_USAGE;
	request = ctl_request("account-change");
	json_add_integer(request, "quota", size);
	if (add_address(request, argv[1], normal) < 0) {
		cJSON_Delete(request);
		return EX_DATAERR;
	}
	return ctl_ask(ctl, "mailboxd", request, show_done, done);
}

/* account release ADDRESS broker|never */
static int
release(const struct ctl *ctl, int argc, char **argv)
{
	char normal[MAIL_ADDRESS_SIZE], done[] = "changed ";
	cJSON *request;

	if (argc != 3 ||
	    (strcmp(argv[2], "broker") != 0 && strcmp(argv[2], "never") != 0))
		return EX_USAGE;
	request = ctl_request("account-change");
	json_add_string(request, "release", argv[2]);
	if (add_address(request, argv[1], normal) < 0) {
		cJSON_Delete(request);
		return EX_DATAERR;
	}
	return ctl_ask(ctl, "mailboxd", request, show_done, done);
}

/* account close|open ADDRESS */
static int
set_state(const struct ctl *ctl, int argc, char **argv)
{
	const bool close = strcmp(argv[0], "close") == 0;
	char normal[MAIL_ADDRESS_SIZE], done[] = "changed ";
	cJSON *request;

	if (argc != 2)
		return EX_USAGE;
	request = ctl_request("account-change");
	json_add_string(request, "state", close ? "closed" : "active");
	if (add_address(request, argv[1], normal) < 0) {
		cJSON_Delete(request);
		return EX_DATAERR;
	}
	return ctl_ask(ctl, "mailboxd", request, show_done, done);
}

/* account enroll|dismiss ADDRESS _cb.DOMAIN */
static int
enroll(const struct ctl *ctl, int argc, char **argv)
{
	char normal[MAIL_ADDRESS_SIZE], done[] = "changed ";
	cJSON *request;

	if (argc != 3 || !grip_name_is_service(argv[2], "_cb"))
		return EX_USAGE;
	request = ctl_request("account-enroll");
	json_add_string(request, "broker", argv[2]);
	if (strcmp(argv[0], "dismiss") == 0)
		json_add_boolean(request, "dismiss", true);
	if (add_address(request, argv[1], normal) < 0) {
		cJSON_Delete(request);
		return EX_DATAERR;
	}
	return ctl_ask(ctl, "mailboxd", request, show_done, done);
}

static void
show_list(const cJSON *packet, void *context)
{
	const cJSON *account, *alias;
	const char *release;

	(void)context;
	cJSON_ArrayForEach(account, json_array(packet, "accounts"))
	{
		ctl_print_string(account, "address", 32);
		ctl_print_string(account, "state", 8);
		ctl_print_size(account, "used", 10);
		fputs("of ", stdout);
		ctl_print_size(account, "quota", 10);
		release = json_string(account, "release");
		if (release != NULL && strcmp(release, "broker") == 0)
			fputs("release=broker ", stdout);
		else if (release != NULL)
			fputs("release=never ", stdout);
		if (json_boolean(account, "password") == 0)
			fputs("no-password ", stdout);
		cJSON_ArrayForEach(alias, json_array(account, "aliases"))
		{
			char *safe =
			    terminal_escape(cJSON_GetStringValue(alias));

			printf("+%s ", safe);
			free(safe);
		}
		putchar('\n');
	}
}

/* account list [@DOMAIN] */
static int
list(const struct ctl *ctl, int argc, char **argv)
{
	char domain[256];
	cJSON *request;

	if (argc > 2 || (argc == 2 && argv[1][0] != '@'))
		return EX_USAGE;
	if (argc == 2 &&
	    mail_address_normalise_domain(argv[1] + 1, strlen(argv[1] + 1),
		domain) < 0) {
		fprintf(stderr, "cargomailctl: %s is no domain\n", argv[1]);
		return EX_DATAERR;
	}
	request = ctl_request("account-list");
	if (argc == 2)
		json_add_string(request, "domain", domain);
	return ctl_ask(ctl, "mailboxd", request, show_list, NULL);
}

static int
rm(const struct ctl *ctl, int argc, char **argv)
{
	char normal[MAIL_ADDRESS_SIZE], done[] = "removed ";
	cJSON *request;

	if (argc != 2)
		return EX_USAGE;
	request = ctl_request("account-rm");
	if (add_address(request, argv[1], normal) < 0) {
		cJSON_Delete(request);
		return EX_DATAERR;
	}
	return ctl_ask(ctl, "mailboxd", request, show_done, done);
}

int
ctl_account(const struct ctl *ctl, int argc, char **argv)
{
	static const struct ctl_verb verbs[] = {
		{ "add", add, NULL },
		{ "list", list, NULL },
		{ "close", set_state, NULL },
		{ "open", set_state, NULL },
		{ "rm", rm, NULL },
		{ "password", password, NULL },
		{ "quota", quota, NULL },
		{ "release", release, NULL },
		{ "enroll", enroll, NULL },
		{ "dismiss", enroll, NULL },
		{ NULL, NULL, NULL },
	};
	const struct ctl_verb *verb;

	for (verb = verbs; argc > 1 && verb->name != NULL; verb++)
		if (strcmp(argv[1], verb->name) == 0)
			return verb->run(ctl, argc - 1, argv + 1);
	return EX_USAGE;
}
