/* SPDX-License-Identifier: ISC
 *
 * cargomailctl queue [list] | show MESSAGE | retry MESSAGE|--all |
 * drop MESSAGE
 */
#include "ctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "clock.h"
#include "json_strict.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* ---- list ---------------------------------------------------------------- */

static void
show_queue(const cJSON *packet, void *context)
{
	const cJSON *pull;
	char when[CLOCK_TEXT_SIZE];
	int64_t next, attempt;

	(void)context;
	cJSON_ArrayForEach(pull, json_array(packet, "pulls"))
	{
		strcpy(when, "-");
		if (json_integer(pull, "next", 0, JSON_MAX_INTEGER, &next) == 0)
			clock_format_internet(next, when);
		if (json_integer(pull, "attempt", 0, JSON_MAX_INTEGER,
			&attempt) < 0)
			attempt = 0;
		ctl_print_string(pull, "message", 0);
		ctl_print_string(pull, "state", 8);
		printf("%3lld %s ", (long long)attempt, when);
		ctl_print_size(pull, "have", 10);
		fputs("of ", stdout);
		ctl_print_size(pull, "bytes", 10);
		ctl_print_string(pull, "mailbox", 0);
		ctl_print_string(pull, "origin", 0);
		putchar('\n');
	}
}

static int
list_queue(const struct ctl *ctl, int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return EX_USAGE;
	return ctl_ask(ctl, "mailboxd", ctl_request("queue"), show_queue, NULL);
}

/* ---- one ----------------------------------------------------------------- */

static const struct ctl_field pull_fields[] = {
	{ "message", CTL_TEXT, "message" },
	{ "state", CTL_TEXT, "state" },
	{ "message_id", CTL_TEXT, "message-id" },
	{ "sender", CTL_TEXT, "sender" },
	{ "recipient", CTL_TEXT, "recipient" },
	{ "mailbox", CTL_TEXT, "mailbox" },
	{ "category", CTL_TEXT, "category" },
	{ "broker", CTL_TEXT, "broker" },
	{ "agent", CTL_TEXT, "agent" },
	{ "origin", CTL_TEXT, "origin" },
	{ "share", CTL_TEXT, "share" },
	{ "notified", CTL_TIME, "notified" },
	{ "expires", CTL_TIME, "expires" },
	{ "attempt", CTL_NUMBER, "attempt" },
	{ "next", CTL_TIME, "next" },
	{ "origin_not_before", CTL_TIME, "origin-not-before" },
	{ "failed", CTL_TIME, "failed" },
	{ "problem", CTL_TEXT, "problem" },
	{ "status", CTL_NUMBER, "status" },
};

static void
show_resource(const cJSON *resource)
{
	fputs("resource      ", stdout);
	ctl_print_string(resource, "hash", 0);
	ctl_print_string(resource, "state", 7);
	ctl_print_size(resource, "have", 10);
	fputs("of ", stdout);
	ctl_print_size(resource, "size", 10);
	if (json_string(resource, "problem") != NULL)
		ctl_print_string(resource, "problem", 0);
	ctl_print_string(resource, "type", 0);
	ctl_print_string(resource, "name", 0);
	putchar('\n');
}

static void
show_pull(const cJSON *packet, void *context)
{
	const cJSON *pull = json_object(packet, "pull"), *resource;

	(void)context;
	if (pull != NULL)
		ctl_print_fields(pull, pull_fields, COUNT(pull_fields));
	cJSON_ArrayForEach(resource, json_array(packet, "resources"))
	    show_resource(resource);
}

static void
show_retried(const cJSON *packet, void *context)
{
	int64_t due = 0, leased = 0;

	(void)context;
	(void)json_integer(packet, "due", 0, JSON_MAX_INTEGER, &due);
	(void)json_integer(packet, "leased", 0, JSON_MAX_INTEGER, &leased);
	printf("due now: %lld\n", (long long)due);
	if (leased > 0)
		printf("leased, left alone: %lld\n", (long long)leased);
}

static void
show_dropped(const cJSON *packet, void *context)
{
	(void)context;
	fputs("dropped ", stdout);
	ctl_print_string(packet, "message", 0);
	putchar('\n');
}

/* What is asked of mailboxd for one message. */
struct question {
	const char *name, *verb;
	void (*show)(const cJSON *packet, void *context);
	bool all; /* or for all of them */
};

int
ctl_queue(const struct ctl *ctl, int argc, char **argv)
{
	static const struct question questions[] = {
		{ "show", "queue-show", show_pull, false },
		{ "retry", "queue-retry", show_retried, true },
		{ "drop", "queue-drop", show_dropped, false },
	};
	const struct question *question = questions;
	struct ctl patient = *ctl;
	cJSON *request;

	if (argc == 1 || strcmp(argv[1], "list") == 0)
		return list_queue(ctl, argc - 1, argv + 1);
	while (question < questions + COUNT(questions) &&
	    strcmp(question->name, argv[1]) != 0)
		question++;
	if (question == questions + COUNT(questions) || argc != 3)
		return EX_USAGE;
	if (question->all && strcmp(argv[2], "--all") == 0) {
		request = ctl_request(question->verb);
		json_add_boolean(request, "all", true);
		patient.timeout_ms = CTL_TIMEOUT_STORE_MS;
	} else {
		if (argv[2][0] == '-')
			return EX_USAGE;
		if (!ctl_is_message(argv[2]))
			return EX_DATAERR;
		request = ctl_request(question->verb);
		json_add_string(request, "message", argv[2]);
	}
	return ctl_ask(&patient, "mailboxd", request, question->show, NULL);
}
