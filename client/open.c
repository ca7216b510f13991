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
#include "cargo_placeholder.h"
#include "cargo_rebuild.h"
#include "clock.h"
#include "file_name.h"
#include "memory.h"
#include "message_list.h"
#include "open_mailbox.h"
#include "terminal.h"
#include "transfer.h"

/* The placeholder's limit and what relays put on top. */
#define MAX_MESSAGE (2 * CARGO_MAX_PLACEHOLDER)
#define POLL_S 30

struct opening {
	const char *directory, *input;
	bool mime;
	int64_t wait; /* seconds */
	struct buffer message;
	struct cargo_placeholder *placeholder;
	struct session *session;
};

/* ---- input ------------------------------------------------------------- */

static enum outcome
read_message(struct opening *opening, struct reason *why)
{
	bool from_stdin = strcmp(opening->input, "-") == 0;
	int fd = from_stdin ? STDIN_FILENO :
			      open(opening->input, O_RDONLY | O_CLOEXEC);
	ssize_t got = -1;
	char *room;

	buffer_init(&opening->message, MAX_MESSAGE + 65536);
	while (fd >= 0 && opening->message.len <= MAX_MESSAGE &&
	    (room = buffer_reserve(&opening->message, 65536)) != NULL &&
	    (got = read(fd, room, 65536)) > 0)
		opening->message.len += (size_t)got;
	if (got < 0)
		reason_set(why, OUTCOME_PERMFAIL, "input", "%s: %s",
		    opening->input, strerror(errno));
	if (fd >= 0 && !from_stdin)
		close(fd);
	if (got < 0)
		return OUTCOME_PERMFAIL;
	if (opening->message.len > MAX_MESSAGE)
		return reason_set(why, OUTCOME_PERMFAIL, "limit",
		    "too large for a placeholder");
	return OUTCOME_OK;
}

/* A line "From alice@foo.test Sat Dec ..." that mailbox files put first. */
static void
skip_from_line(struct buffer *message)
{
	const char *end;

	if (message->len < 5 || memcmp(message->data, "From ", 5) != 0)
		return;
	end = memchr(message->data, '\n', message->len);
	if (end != NULL)
		buffer_consume(message, (size_t)(end - message->data) + 1);
}

/* ---- waiting ----------------------------------------------------------- */

struct tally {
	int64_t bytes; /* of what is there */
	size_t pending, failed, unknown;
	const char *problem; /* of the last that failed */
};

/* What the mailbox says of one resource, in whichever message. */
static void
count_resource(const struct message_list *list, const char *hash,
    struct tally *tally)
{
	const struct message_resource *resource, *best = NULL;
	size_t i, j;

	for (i = 0; i < list->count; i++)
		for (j = 0; j < list->items[i].count; j++) {
			resource = &list->items[i].resources[j];
			if (strcmp(resource->hash, hash) == 0 &&
			    (best == NULL || resource->state == MESSAGE_STORED))
				best = resource;
		}
	if (best == NULL) {
		tally->unknown++;
	} else if (best->state == MESSAGE_STORED) {
		tally->bytes += best->size;
	} else if (best->state == MESSAGE_PENDING) {
		tally->pending++;
	} else {
		tally->failed++;
		tally->problem = best->problem;
	}
}

static void
count_all(const struct cargo_placeholder *placeholder,
    const struct message_list *list, struct tally *tally)
{
	size_t i;

	memset(tally, 0, sizeof(*tally));
	for (i = 0; i < placeholder->count; i++)
		count_resource(list, placeholder->resources[i].hash, tally);
}

static int64_t
total_size(const struct cargo_placeholder *placeholder)
{
	int64_t total = 0;
	size_t i;

	for (i = 0; i < placeholder->count; i++)
		total += placeholder->resources[i].size;
	return total;
}

/* One question: what is there by now, after at most `wait` seconds. */
static enum outcome
ask(struct opening *opening, int wait, struct tally *tally, struct reason *why)
{
	struct message_list list;
	enum outcome outcome;

	outcome = message_list_fetch_share(opening->session,
	    opening->placeholder->share, wait, &list, why);
	if (outcome != OUTCOME_OK)
		return outcome;
	count_all(opening->placeholder, &list, tally);
	if (tally->failed > 0)
		client_complain(0, "%zu of %zu could not be retrieved%s%s",
		    tally->failed, opening->placeholder->count,
		    tally->problem != NULL ? ": " : "",
		    tally->problem != NULL ? tally->problem : "");
	message_list_free(&list);
	return OUTCOME_OK;
}

/* Until nothing is pending any more. What failed or is unknown shows when
 * it is asked for. */
static enum outcome
wait_for_resources(struct opening *opening, struct reason *why)
{
	struct terminal_progress progress;
	int64_t start = clock_monotonic_ms(), left;
	enum outcome outcome;
	struct tally tally;

	terminal_progress_begin(&progress, stderr, "waiting for the mailbox",
	    total_size(opening->placeholder), start);
	for (;;) {
		left = opening->wait - (clock_monotonic_ms() - start) / 1000;
		outcome = ask(opening,
		    left < 0 ? 0 : (int)(left < POLL_S ? left : POLL_S), &tally,
		    why);
		if (outcome != OUTCOME_OK || tally.pending == 0)
			break;
		if (left <= 0) {
			outcome = reason_set(why, OUTCOME_TEMPFAIL, "pending",
			    "%zu of %zu are not there yet", tally.pending,
			    opening->placeholder->count);
			break;
		}
		terminal_progress_set(&progress, tally.bytes,
		    clock_monotonic_ms());
	}
	terminal_progress_end(&progress);
	return outcome;
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
	else
		fallback = x_asprintf("%.16s", resource->hash);
	name = file_name_clean(resource->name, fallback);
	free(fallback);
	return name;
}

static enum outcome
write_file(struct opening *opening, const struct cargo_resource *resource,
    struct reason *why)
{
	char *name = resource_name(resource), *path;
	enum outcome outcome;

	outcome = transfer_get_file(opening->session, resource->hash,
	    resource->size, opening->directory, name, &path, why);
	if (outcome == OUTCOME_OK)
		printf("%s  %s\n", resource->hash, path);
	free(path);
	free(name);
	return outcome;
}

/* All that can be had is written; the code tells of the first that cannot. */
static int
write_files(struct opening *opening)
{
	const struct cargo_placeholder *placeholder = opening->placeholder;
	struct reason why;
	int code = 0, one;
	size_t i;

	for (i = 0; i < placeholder->count; i++) {
		memset(&why, 0, sizeof(why));
		if (write_file(opening, &placeholder->resources[i], &why) ==
		    OUTCOME_OK)
			continue;
		one = client_fail(placeholder->resources[i].hash, &why);
		if (code == 0)
			code = one;
	}
	return code;
}

/* ---- output as a message ----------------------------------------------- */

struct rebuilding {
	int *fds; /* a temporary file for each resource */
	int64_t offset;
	size_t index;
};

static ssize_t
read_resource(void *context, size_t index, void *data_r, size_t max)
{
	struct rebuilding *rebuilding = context;
	ssize_t got;

	if (index != rebuilding->index) {
		rebuilding->index = index;
		rebuilding->offset = 0;
	}
	got = pread(rebuilding->fds[index], data_r, max, rebuilding->offset);
	if (got > 0)
		rebuilding->offset += got;
	return got;
}

static int
write_output(void *context, const void *data, size_t len)
{
	(void)context;
	return fwrite(data, 1, len, stdout) == len ? 0 : -1;
}

/* Everything is fetched and checked before the first byte goes out: a pipe
 * cannot be taken back. */
static enum outcome
fetch_all(struct opening *opening, struct rebuilding *rebuilding,
    struct reason *why)
{
	const struct cargo_placeholder *placeholder = opening->placeholder;
	const struct cargo_resource *resource;
	enum outcome outcome = OUTCOME_OK;
	char *name;
	size_t i;

	for (i = 0; i < placeholder->count && outcome == OUTCOME_OK; i++) {
		resource = &placeholder->resources[i];
		rebuilding->fds[i] = transfer_temporary();
		if (rebuilding->fds[i] < 0)
			return reason_set(why, OUTCOME_TEMPFAIL, "local",
			    "temporary file: %s", strerror(errno));
		name = resource_name(resource);
		outcome = transfer_get(opening->session, resource->hash,
		    resource->size, name, rebuilding->fds[i], why);
		free(name);
	}
	return outcome;
}

/* What cargomail(1) sent was never another message; what a converter took
 * apart was. */
static bool
has_recipe(const struct cargo_placeholder *placeholder)
{
	size_t i;

	for (i = 0; i < placeholder->count; i++)
		if (placeholder->resources[i].recipe.encoding !=
		    CARGO_RECIPE_NONE)
			return true;
	return false;
}

static int
write_mime(struct opening *opening)
{
	const struct cargo_placeholder *placeholder = opening->placeholder;
	struct rebuilding rebuilding = { .index = SIZE_MAX };
	struct cargo_rebuild_io io = { read_resource, write_output,
		&rebuilding };
	struct reason why = { 0 };
	enum outcome outcome;
	bool exact = false;
	size_t i;

	rebuilding.fds = x_malloc(placeholder->count * sizeof(int));
	for (i = 0; i < placeholder->count; i++)
		rebuilding.fds[i] = -1;
	outcome = fetch_all(opening, &rebuilding, &why);
	if (outcome == OUTCOME_OK)
		outcome = cargo_rebuild(placeholder, opening->message.data,
		    opening->message.len, &io, &exact, &why);
	for (i = 0; i < placeholder->count; i++)
		if (rebuilding.fds[i] >= 0)
			close(rebuilding.fds[i]);
	free(rebuilding.fds);
	if (outcome == OUTCOME_OK && !exact && has_recipe(placeholder))
		client_complain(0,
		    "rebuilt, but not byte for byte as it was "
		    "sent");
	return outcome == OUTCOME_OK ? 0 : client_fail("open", &why);
}

/* ---- the story --------------------------------------------------------- */

static enum outcome
find_mailbox(struct opening *opening, const struct client_config *config,
    struct reason *why)
{
	const struct client_mailbox *mailbox;
	enum outcome outcome;

	outcome = cargo_placeholder_parse(opening->message.data,
	    opening->message.len, &opening->placeholder, why);
	if (outcome != OUTCOME_OK)
		return outcome;
	outcome = open_mailbox_choose(config, opening->message.data,
	    opening->message.len, opening->placeholder->origin, &mailbox, why);
	if (outcome != OUTCOME_OK)
		return outcome;
	opening->session = session_open(config, mailbox, why);
	if (opening->session == NULL)
		return OUTCOME_TEMPFAIL;
	return wait_for_resources(opening, why);
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
		{ "wait", required_argument, NULL, 'w' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	optind = 0;
	while ((option = getopt_long(argc, argv, "o:m", longs, NULL)) != -1) {
		if (option == 'o')
			opening->directory = optarg;
		else if (option == 'm')
			opening->mime = true;
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
	struct opening opening = { .input = "-", .wait = config->wait };
	struct reason why = { 0 };
	enum outcome outcome;
	int code;

	code = parse_options(&opening, argc, argv);
	if (code != 0)
		return code;
	outcome = read_message(&opening, &why);
	if (outcome == OUTCOME_OK) {
		skip_from_line(&opening.message);
		outcome = find_mailbox(&opening, config, &why);
	}
	if (outcome != OUTCOME_OK)
		code = client_fail("open", &why);
	else
		code =
		    opening.mime ? write_mime(&opening) : write_files(&opening);
	session_close(&opening.session);
	cargo_placeholder_free(&opening.placeholder);
	buffer_free(&opening.message);
	return code;
}
