/* SPDX-License-Identifier: ISC
 *
 * cargomail ls: what came and went, at all mailboxes of the user.
 */
#include "client.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "cargo_api.h"
#include "encoding.h"
#include "json_strict.h"
#include "memory.h"
#include "message_list.h"
#include "terminal.h"

struct listing {
	bool resources; /* a line for each of a message's, too */
	bool held; /* what the mailbox holds, instead of messages */
	int code;
};

static void
print_time(int64_t when)
{
	time_t seconds = (time_t)when;
	char text[32] = "-";
	struct tm local;

	if (localtime_r(&seconds, &local) != NULL)
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &local);
	printf("%s ", text);
}

static void
print_escaped(const char *text, int width)
{
	char *safe =
	    terminal_escape(text != NULL && text[0] != '\0' ? text : "-");

	printf("%-*s ", width, safe);
	free(safe);
}

static void
print_resource(const struct message_resource *resource)
{
	char size[TERMINAL_SIZE_SIZE];

	terminal_format_size(resource->size, size);
	printf("    %s ", resource->hash);
	print_escaped(resource->status, 7);
	printf("%10s ", size);
	print_escaped(resource->type, 0);
	print_escaped(resource->name, 0);
	if (resource->problem != NULL)
		print_escaped(resource->problem, 0);
	putchar('\n');
}

static void
print_message(const struct message *message, const char *mailbox,
    bool resources)
{
	char text[TERMINAL_SIZE_SIZE];
	int64_t size = 0;
	size_t i;

	for (i = 0; i < message->count; i++)
		size += message->resources[i].size;
	terminal_format_size(size, text);
	print_escaped(message->id, 0);
	print_time(message->time);
	print_escaped(mailbox, 12);
	print_escaped(message->status, 7);
	printf("%3zu %10s ", message->count, text);
	print_escaped(message->category, 10);
	fputs(message->out ? "to " : "from ", stdout);
	print_escaped(message->out ? message->recipient : message->sender, 0);
	putchar('\n');
	for (i = 0; resources && i < message->count; i++)
		print_resource(&message->resources[i]);
}

static void
print_held(const cJSON *resource, const char *mailbox)
{
	char text[TERMINAL_SIZE_SIZE] = "-";
	int64_t number;

	print_escaped(json_string(resource, "hash"), 0);
	if (json_integer(resource, "since", 0, JSON_MAX_INTEGER, &number) == 0)
		print_time(number);
	print_escaped(mailbox, 12);
	if (json_integer(resource, "size", 0, JSON_MAX_INTEGER, &number) == 0)
		terminal_format_size(number, text);
	printf("%10s ", text);
	print_escaped(json_string(resource, "type"), 0);
	print_escaped(json_string(resource, "name"), 0);
	putchar('\n');
}

/* Page by page; a page says where the next one begins. */
static enum outcome
print_all_held(struct session *session, struct reason *why)
{
	const char *name = session_mailbox(session)->name, *next;
	char *path = x_strdup(CARGO_API_RESOURCES);
	enum outcome outcome = OUTCOME_OK;
	const cJSON *resource;
	cJSON *page = NULL;

	while (path != NULL) {
		outcome =
		    session_json(session, HTTP_GET, path, NULL, &page, why);
		x_free(&path);
		if (outcome != OUTCOME_OK)
			break;
		cJSON_ArrayForEach(resource, json_array(page, "resources"))
		    print_held(resource, name);
		next = json_string(page, "next");
		if (next != NULL && hex_is_sha256(next))
			path =
			    x_asprintf(CARGO_API_RESOURCES "?after=%s", next);
		cJSON_Delete(page);
	}
	return outcome;
}

static enum outcome
print_messages(struct session *session, bool resources, struct reason *why)
{
	const char *name = session_mailbox(session)->name;
	struct message_list list;
	size_t i;

	if (message_list_fetch(session, &list, why) != OUTCOME_OK)
		return why->outcome;
	for (i = 0; i < list.count; i++)
		print_message(&list.items[i], name, resources);
	message_list_free(&list);
	return OUTCOME_OK;
}

/* One mailbox that cannot be reached does not hide the others. */
static int
print_mailbox(struct session *session, void *context)
{
	struct listing *listing = context;
	struct reason why = { 0 };
	enum outcome outcome;

	outcome = listing->held ?
	    print_all_held(session, &why) :
	    print_messages(session, listing->resources, &why);
	if (outcome != OUTCOME_OK)
		listing->code =
		    client_fail(session_mailbox(session)->name, &why);
	return -1;
}

int
client_ls(const struct client_config *config, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "mailbox", required_argument, NULL, 'M' },
		{ NULL, 0, NULL, 0 },
	};
	struct listing listing = { false, false, 0 };
	const char *only = NULL;
	int option, code;

	optind = 0;
	while ((option = getopt_long(argc, argv, "lr", longs, NULL)) != -1) {
		if (option == 'l')
			listing.resources = true;
		else if (option == 'r')
			listing.held = true;
		else if (option == 'M')
			only = optarg;
		else
			return EX_USAGE;
	}
	if (optind != argc)
		return EX_USAGE;
	code = client_each_mailbox(config, only, print_mailbox, &listing);
	return code != -1 ? code : listing.code;
}
