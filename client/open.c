/* SPDX-License-Identifier: ISC
 *
 * cargomail open: a placeholder becomes files, or the message that it
 * stands for. The message is hostile; what is written has the hash that it
 * names, under a name that does no harm.
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

#include "buffer.h"
#include "cargo_mangled.h"
#include "cargo_placeholder.h"
#include "file_name.h"
#include "mail_header.h"
#include "memory.h"
#include "open_mailbox.h"
#include "open_message.h"
#include "open_view.h"
#include "open_wait.h"
#include "transfer.h"

/* The placeholder's limit and what relays put on top. */
#define MAX_MESSAGE (2 * CARGO_MAX_PLACEHOLDER)

struct opening {
	const char *directory, *input;
	bool mime, pass;
	int64_t wait; /* seconds */
	int fd; /* of the input */
	struct buffer raw; /* what was read of it */
	const char *message; /* in raw, behind a mailbox file's From line */
	size_t len;
	struct cargo_mangled mangled; /* its offsets are of mangled.message */
	struct session *session;
};

/* ---- input ------------------------------------------------------------- */

/* A line "From alice@foo.test Sat Dec ..." that mailbox files put first. */
static void
find_message(struct opening *opening)
{
	const struct buffer *raw = &opening->raw;
	const char *end = NULL;

	opening->message = buffer_string(raw);
	opening->len = raw->len;
	if (raw->len >= 5 && memcmp(raw->data, "From ", 5) == 0)
		end = memchr(raw->data, '\n', raw->len);
	if (end == NULL)
		return;
	opening->message = end + 1;
	opening->len = raw->len - (size_t)(end + 1 - raw->data);
}

/* PERMFAIL "limit" leaves the rest unread. */
static enum outcome
read_message(struct opening *opening, struct reason *why)
{
	struct buffer *raw = &opening->raw;
	ssize_t got = -1;
	char *room;

	opening->fd = strcmp(opening->input, "-") == 0 ?
	    dup(STDIN_FILENO) :
	    open(opening->input, O_RDONLY | O_CLOEXEC);
	while (opening->fd >= 0 && raw->len <= MAX_MESSAGE &&
	    (room = buffer_reserve(raw, 65536)) != NULL &&
	    (got = read(opening->fd, room, 65536)) > 0)
		raw->len += (size_t)got;
	if (got < 0)
		return reason_set(why, OUTCOME_PERMFAIL, "input", "%s: %s",
		    opening->input, strerror(errno));
	find_message(opening);
	if (raw->len > MAX_MESSAGE)
		return reason_set(why, OUTCOME_PERMFAIL, "none",
		    "no placeholder: it is too large for one, what it has is "
		    "in it");
	return OUTCOME_OK;
}

/* ---- trouble ----------------------------------------------------------- */

/* The message as it came, to the last byte. */
static int
pass_on(struct opening *opening)
{
	char *data = x_malloc(65536);
	bool good = open_message_write(STDOUT_FILENO, opening->raw.data,
			opening->raw.len) == 0;
	ssize_t got = 0;

	while (good && (got = read(opening->fd, data, 65536)) > 0)
		good =
		    open_message_write(STDOUT_FILENO, data, (size_t)got) == 0;
	free(data);
	return good && got == 0 ?
	    0 :
	    client_complain(EX_IOERR, "cannot pass the message on");
}

/* In a filter what will never open goes on as it came; that a message is no
 * placeholder is not even worth a word. */
static int
fail(struct opening *opening, const struct reason *why)
{
	int code = 0;

	if (!opening->pass || !reason_is(why, "none"))
		code = client_fail("open", why);
	if (!opening->pass || why->outcome == OUTCOME_TEMPFAIL ||
	    reason_is(why, "input"))
		return code;
	return pass_on(opening);
}

/* ---- output as files --------------------------------------------------- */

/* A name for what came without: "text.txt", "part.pdf" would need a table
 * of its own; the hash is unique, and shows in the listing. */
static char *
resource_name(const struct cargo_resource *resource)
{
	char *fallback, *name;

	if (strcmp(resource->type, "text/plain") == 0)
		fallback = x_strdup("text.txt");
	else if (strcmp(resource->type, "text/html") == 0)
		fallback = x_strdup("text.html");
	else
		fallback = x_asprintf("%.16s", resource->hash);
	name = file_name_clean(resource->name, fallback);
	free(fallback);
	return name;
}

/* The size went with all that says whose the hash is. */
static enum outcome
lost_size(struct reason *why)
{
	return reason_set(why, OUTCOME_PERMFAIL, "form",
	    "its size is gone, and the mailbox has no such resource of this "
	    "message");
}

static enum outcome
write_file(struct opening *opening, const struct cargo_resource *resource,
    char **path_r, struct reason *why)
{
	enum outcome outcome;
	char *name;

	if (resource->size < 0)
		return lost_size(why);
	name = resource_name(resource);
	outcome = transfer_get_file(opening->session, resource->hash,
	    resource->size, opening->directory, name, path_r, why);
	if (outcome == OUTCOME_OK)
		printf("%s  %s\n", resource->hash, *path_r);
	free(name);
	return outcome;
}

/* All that can be had is written; the code tells of the first that cannot. */
static int
write_files(struct opening *opening)
{
	const struct cargo_placeholder *placeholder =
	    opening->mangled.placeholder;
	char **paths = x_calloc(placeholder->count, sizeof(*paths));
	struct reason why;
	int code = opening->mangled.findings.count > 0 ? EX_DATAERR : 0, one;
	size_t i;

	for (i = 0; i < placeholder->count; i++) {
		memset(&why, 0, sizeof(why));
		if (write_file(opening, &placeholder->resources[i], &paths[i],
			&why) == OUTCOME_OK)
			continue;
		one = client_fail(placeholder->resources[i].hash, &why);
		if (code == 0)
			code = one;
	}
	if (open_view_write(opening->directory, opening->mangled.message,
		placeholder, paths, &why) != OUTCOME_OK) {
		one = client_fail("view", &why);
		if (code == 0)
			code = one;
	}
	for (i = 0; i < placeholder->count; i++)
		free(paths[i]);
	free(paths);
	return code;
}

/* ---- output as a message ----------------------------------------------- */

static int
write_mime(struct opening *opening)
{
	struct reason why = { 0 };
	struct cargo_mangled *mangled = &opening->mangled;
	enum outcome outcome = OUTCOME_OK;
	bool exact = false;
	int fd;

	for (size_t i = 0; i < mangled->placeholder->count; i++)
		if (mangled->placeholder->resources[i].size < 0)
			outcome = lost_size(&why);
	if (outcome == OUTCOME_OK)
		outcome =
		    open_message_rebuild(opening->session, mangled->placeholder,
			mangled->message, mangled->len, &fd, &exact, &why);
	if (outcome != OUTCOME_OK)
		return fail(opening, &why);
	if (mangled->changed ||
	    !open_message_faithful(mangled->placeholder, exact))
		client_complain(0,
		    "rebuilt, but not byte for byte as it was sent");
	/* In a filter the From line belongs to the frame, not the message. */
	if (opening->pass &&
	    open_message_write(STDOUT_FILENO, opening->raw.data,
		(size_t)(opening->message - opening->raw.data)) < 0)
		outcome = OUTCOME_TEMPFAIL;
	if (outcome == OUTCOME_OK)
		outcome = open_message_copy(fd, STDOUT_FILENO, &why);
	close(fd);
	return outcome == OUTCOME_OK ?
	    0 :
	    client_complain(EX_IOERR, "cannot write the output");
}

/* ---- the story --------------------------------------------------------- */

/* Each part that cannot be opened, and what is left to do. */
static void
complain_of_parts(const struct opening *opening)
{
	const struct cargo_findings *findings = &opening->mangled.findings;
	size_t len = mail_header_length(opening->message, opening->len, NULL);

	for (size_t i = 0; i < findings->count; i++)
		client_complain(0, "part %s: %s", findings->items[i].number,
		    findings->items[i].text);
	if (findings->count > 0 ||
	    (opening->mangled.placeholder == NULL &&
		mail_header_find(opening->message, len, CARGO_FIELD_ORIGIN,
		    NULL) > 0))
		client_complain(0,
		    "the message was changed on its way; if your mailbox took "
		    "it, \"cargomail ls -l\" shows all that came with it");
}

/* A filter changes a message only if it is a placeholder itself. */
static enum outcome
read_placeholder(struct opening *opening, struct reason *why)
{
	struct cargo_mangled *mangled = &opening->mangled;
	enum outcome outcome;

	outcome =
	    cargo_mangled_read(opening->message, opening->len, mangled, why);
	if (opening->pass && mangled->within && outcome != OUTCOME_TEMPFAIL)
		return reason_set(why, OUTCOME_PERMFAIL, "none",
		    "the placeholder stands within another message");
	if (!opening->pass)
		complain_of_parts(opening);
	if (outcome == OUTCOME_OK && opening->mime &&
	    mangled->findings.count > 0)
		return reason_set(why, OUTCOME_PERMFAIL, "form",
		    "%zu of its parts cannot be opened",
		    mangled->findings.count);
	return outcome;
}

static enum outcome
prepare(struct opening *opening, const struct client_config *config,
    struct reason *why)
{
	const struct client_mailbox *mailbox;
	enum outcome outcome;

	outcome = read_message(opening, why);
	if (outcome == OUTCOME_OK)
		outcome = read_placeholder(opening, why);
	if (outcome == OUTCOME_OK)
		outcome = open_mailbox_choose(config, opening->mangled.message,
		    opening->mangled.len, opening->mangled.placeholder->origin,
		    &mailbox, why);
	if (outcome != OUTCOME_OK)
		return outcome;
	opening->session = session_open(config, mailbox, why);
	if (opening->session == NULL)
		return OUTCOME_TEMPFAIL;
	return open_wait(opening->session, opening->mangled.placeholder,
	    opening->wait, why);
}

static int
parse_wait(const char *text, int64_t *wait_r)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (end == text || *end != '\0' || value < 0 || value > 604800)
		return -1;
	*wait_r = value;
	return 0;
}

static int
parse_options(struct opening *opening, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "output", required_argument, NULL, 'o' },
		{ "mime", no_argument, NULL, 'm' },
		{ "pass", no_argument, NULL, 'p' },
		{ "wait", required_argument, NULL, 'w' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	optind = 0;
	while ((option = getopt_long(argc, argv, "o:mp", longs, NULL)) != -1) {
		if (option == 'o')
			opening->directory = optarg;
		else if (option == 'm')
			opening->mime = true;
		else if (option == 'p')
			opening->mime = opening->pass = true;
		else if (option != 'w' ||
		    parse_wait(optarg, &opening->wait) < 0)
			return EX_USAGE;
	}
	if (argc - optind > 1 || (opening->mime && opening->directory != NULL))
		return EX_USAGE;
	if (argc - optind == 1)
		opening->input = argv[optind];
	if (opening->directory == NULL)
		opening->directory = ".";
	return 0;
}

int
client_open(const struct client_config *config, int argc, char **argv)
{
	struct opening opening = { .input = "-",
		.wait = config->wait,
		.fd = -1 };
	struct reason why = { 0 };
	int code;

	code = parse_options(&opening, argc, argv);
	if (code != 0)
		return code;
	buffer_init(&opening.raw, MAX_MESSAGE + 65536);
	if (prepare(&opening, config, &why) != OUTCOME_OK)
		code = fail(&opening, &why);
	else
		code =
		    opening.mime ? write_mime(&opening) : write_files(&opening);
	session_close(&opening.session);
	cargo_mangled_free(&opening.mangled);
	buffer_free(&opening.raw);
	if (opening.fd >= 0)
		close(opening.fd);
	return code;
}
