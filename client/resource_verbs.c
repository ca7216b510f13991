/* SPDX-License-Identifier: ISC
 *
 * cargomail get, put, rm: single resources, and all those of a message.
 */
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "cargo_api.h"
#include "file_name.h"
#include "media_type.h"
#include "memory.h"
#include "message_list.h"
#include "transfer.h"

#define MIME_TYPES "/etc/mime.types"

struct resource_options {
	const char *mailbox; /* NULL: each in turn */
	const char *directory; /* "-": standard output */
	const char *argument;
};

static int
parse(int argc, char **argv, struct resource_options *options_r)
{
	static const struct option longs[] = {
		{ "mailbox", required_argument, NULL, 'M' },
		{ "output", required_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	memset(options_r, 0, sizeof(*options_r));
	optind = 0;
	while ((option = getopt_long(argc, argv, "o:", longs, NULL)) != -1) {
		if (option == 'M')
			options_r->mailbox = optarg;
		else if (option == 'o')
			options_r->directory = optarg;
		else
			return EX_USAGE;
	}
	if (argc - optind != 1)
		return EX_USAGE;
	options_r->argument = argv[optind];
	return 0;
}

/* ---- get --------------------------------------------------------------- */

static int
get_one(struct session *session, const struct resource_options *options,
    const char *hash, int64_t size, const char *name)
{
	const char *directory = options->directory;
	struct reason why = { 0 };
	enum outcome outcome;
	char *clean, *path = NULL;

	if (directory != NULL && strcmp(directory, "-") == 0) {
		fflush(stdout);
		outcome = transfer_get(session, hash, size, hash, STDOUT_FILENO,
		    &why);
		return outcome == OUTCOME_OK ? 0 : client_fail(hash, &why);
	}
	clean = file_name_clean(name, hash);
	outcome = transfer_get_file(session, hash, size,
	    directory != NULL ? directory : ".", clean, &path, &why);
	if (outcome == OUTCOME_OK)
		printf("%s  %s\n", hash, path);
	free(path);
	free(clean);
	return outcome == OUTCOME_OK ? 0 : client_fail(hash, &why);
}

/* -1 if this mailbox does not have it. */
static int
get_resource(struct session *session, void *context)
{
	const struct resource_options *options = context;
	struct reason why = { 0 };
	int64_t size = -1;

	if (transfer_has(session, options->argument, &size, &why) !=
	    OUTCOME_OK) {
		if (!reason_is(&why, "not-shared"))
			client_fail(session_mailbox(session)->name, &why);
		return -1;
	}
	return get_one(session, options, options->argument, size, NULL);
}

static int
get_message(struct session *session, void *context)
{
	const struct resource_options *options = context;
	const struct message_resource *resource;
	struct message_list list;
	struct reason why = { 0 };
	int code = 0, one;
	size_t i;

	if (message_list_fetch_one(session, options->argument, &list, &why) !=
	    OUTCOME_OK) {
		if (why.outcome != OUTCOME_PERMFAIL)
			client_fail(session_mailbox(session)->name, &why);
		return -1;
	}
	for (i = 0; i < list.items[0].count; i++) {
		resource = &list.items[0].resources[i];
		one = get_one(session, options, resource->hash, resource->size,
		    resource->name);
		if (code == 0)
			code = one;
	}
	message_list_free(&list);
	return code;
}

int
client_get(const struct client_config *config, int argc, char **argv)
{
	struct resource_options options;
	int code = parse(argc, argv, &options);
	bool is_hash;

	if (code != 0)
		return code;
	is_hash = hex_is_sha256(options.argument);
	if (!is_hash && !message_id_is_valid(options.argument))
		return client_complain(EX_USAGE,
		    "%s: neither the SHA-256 of "
		    "a resource nor the id of a message",
		    options.argument);
	code = client_each_mailbox(config, options.mailbox,
	    is_hash ? get_resource : get_message, &options);
	if (code == -1)
		code = client_complain(EX_NOINPUT,
		    "%s: in none of your "
		    "mailboxes",
		    options.argument);
	return code;
}

/* ---- put --------------------------------------------------------------- */

static int
put_file(struct session *session, const struct resource_options *options)
{
	struct transfer_source source = { .label = options->argument };
	char type[MEDIA_TYPE_SIZE], *name;
	struct reason why = { 0 };
	enum outcome outcome;
	bool sent = false;

	source.fd = open(options->argument, O_RDONLY | O_CLOEXEC);
	if (source.fd < 0)
		return client_complain(EX_NOINPUT, "%s: %s", options->argument,
		    strerror(errno));
	media_type_guess(options->argument, MIME_TYPES, type);
	source.type = type;
	source.name = name = file_name_clean(options->argument, "file");
	outcome = transfer_hash(&source, &why);
	if (outcome == OUTCOME_OK)
		outcome = transfer_put(session, &source, &sent, &why);
	close(source.fd);
	free(name);
	if (outcome != OUTCOME_OK)
		return client_fail(options->argument, &why);
	printf("%s  %s\n", source.hash, options->argument);
	return 0;
}

int
client_put(const struct client_config *config, int argc, char **argv)
{
	const struct client_mailbox *mailbox;
	struct resource_options options;
	struct reason why = { 0 };
	struct session *session;
	int code = parse(argc, argv, &options);

	if (code != 0 || options.directory != NULL)
		return EX_USAGE;
	mailbox = options.mailbox != NULL ?
	    client_config_by_name(config, options.mailbox) :
	    client_config_for_category(config, NULL);
	if (mailbox == NULL)
		return client_complain(EX_CONFIG,
		    "no such mailbox in the "
		    "configuration; give --mailbox");
	session = session_open(config, mailbox, &why);
	if (session == NULL)
		return client_fail(mailbox->name, &why);
	code = put_file(session, &options);
	session_close(&session);
	return code;
}

/* ---- rm ---------------------------------------------------------------- */

struct removing {
	const struct resource_options *options;
	size_t removed;
	int code;
};

/* From every mailbox that has it, not only from the first. */
static int
remove_resource(struct session *session, void *context)
{
	struct removing *removing = context;
	struct reason why = { 0 };
	cJSON *answer = NULL;
	char *path;

	path = x_asprintf(CARGO_API_RESOURCE "%s", removing->options->argument);
	if (session_json(session, HTTP_DELETE, path, NULL, &answer, &why) ==
	    OUTCOME_OK)
		removing->removed++;
	else if (!reason_is(&why, "not-shared") &&
	    !reason_is(&why, "not-found"))
		removing->code =
		    client_fail(session_mailbox(session)->name, &why);
	cJSON_Delete(answer);
	free(path);
	return -1;
}

int
client_rm(const struct client_config *config, int argc, char **argv)
{
	struct resource_options options;
	struct removing removing = { &options, 0, 0 };
	int code = parse(argc, argv, &options);

	if (code != 0 || options.directory != NULL)
		return EX_USAGE;
	if (!hex_is_sha256(options.argument))
		return client_complain(EX_USAGE,
		    "%s: not the SHA-256 of a "
		    "resource",
		    options.argument);
	code = client_each_mailbox(config, options.mailbox, remove_resource,
	    &removing);
	if (code != -1)
		return code;
	if (removing.removed == 0 && removing.code == 0)
		return client_complain(EX_NOINPUT,
		    "%s: in none of your "
		    "mailboxes",
		    options.argument);
	return removing.code;
}
