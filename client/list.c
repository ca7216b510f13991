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

#include "message_list.h"
#include "terminal.h"

struct listing {
	bool resources; /* a line for each of them, too */
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
	char *safe = terminal_escape(text != NULL && text[0] != '\0' ? text :
	    "-");

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
	print_escaped(message->out ? message->recipient : message->sender,
	    0);
	putchar('\n');
	for (i = 0; resources && i < message->count; i++)
		print_resource(&message->resources[i]);
}

/* One mailbox that cannot be reached does not hide the others. */
static int
print_mailbox(struct session *session, void *context)
{
	const char *name = session_mailbox(session)->name;
	struct listing *listing = context;
	struct message_list list;
	struct reason why = { 0 };
	size_t i;

	if (message_list_fetch(session, &list, &why) != OUTCOME_OK) {
		listing->code = client_fail(name, &why);
		return -1;
	}
	for (i = 0; i < list.count; i++)
		print_message(&list.items[i], name, listing->resources);
	message_list_free(&list);
	return -1;
}

int
client_ls(const struct client_config *config, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "mailbox", required_argument, NULL, 'M' },
		{ NULL, 0, NULL, 0 },
	};
	struct listing listing = { false, 0 };
	const char *only = NULL;
	int option, code;

	optind = 0;
	while ((option = getopt_long(argc, argv, "l", longs, NULL)) != -1) {
		if (option == 'l')
			listing.resources = true;
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
