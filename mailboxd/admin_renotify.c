/* SPDX-License-Identifier: ISC
 *
 * renotify: hands out what a broker needs to notify a message once more, so
 * that the pull gets a new token B: who and what for, and the placeholder as
 * it was stored. The administrator carries it to the broker; nothing changes
 * here until the broker's notification comes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin_queue.h"
#include "cargo_placeholder.h"
#include "encoding.h"
#include "json_strict.h"
#include "memory.h"
#include "pull_store.h"

#define TEXT_PART 48000 /* characters of base64 in a packet */

/* The stored placeholder, caller's; NULL after a refusal. */
static char *
read_blob(struct admin_walk *walk, const struct store_blob *blob)
{
	char *data = x_malloc((size_t)blob->size + 1);
	size_t got = 0;
	ssize_t n = 1;
	int fd;

	fd = store_blob_open(walk->mailboxd->store, blob->locator);
	while (fd != -1 && got < (size_t)blob->size && n > 0) {
		n = read(fd, data + got, (size_t)blob->size - got);
		if (n > 0)
			got += (size_t)n;
		else if (n == -1 && errno == EINTR)
			n = 1;
	}
	if (fd != -1)
		close(fd);
	if (got == (size_t)blob->size)
		return data;
	free(data);
	admin_walk_refuse(walk, OUTCOME_TEMPFAIL, "unavailable",
	    "the placeholder cannot be read");
	return NULL;
}

/* Cuts the text into items, each a packet. */
static void
add_text(struct admin_walk *walk, const char *text)
{
	size_t len = strlen(text), part;
	cJSON *item;
	char *piece;

	for (; len > 0; text += part, len -= part) {
		part = len < TEXT_PART ? len : TEXT_PART;
		piece = strndup(text, part);
		item = cJSON_CreateString(piece != NULL ? piece : "");
		free(piece);
		cJSON_AddItemToArray(walk->items, item);
	}
}

static void
add_placeholder(struct admin_walk *walk, const char *account,
    const cJSON *message)
{
	const char *hash = json_string(message, "placeholder");
	struct store_blob blob;
	struct store_key key;
	char *data, *text;

	/* The owner may have let go of it. */
	if (hash == NULL ||
	    store_get(walk->view, store_key_resource(&key, account, hash),
		NULL) != 1 ||
	    store_blob_get(walk->view, hash, &blob) != 1 ||
	    blob.size > CARGO_MAX_PLACEHOLDER) {
		admin_walk_refuse(walk, OUTCOME_PERMFAIL, "placeholder",
		    "the placeholder is no longer stored");
		return;
	}
	data = read_blob(walk, &blob);
	if (data == NULL)
		return;
	text = base64_format(data, (size_t)blob.size);
	if (text != NULL)
		add_text(walk, text);
	free(text);
	free(data);
}

/* What stands in the claims of the token. */
static cJSON *
describe(const struct pull_row *row, const cJSON *message)
{
	static const char *const members[] = { "sender", "recipient", "mailbox",
		"broker", NULL };
	const char *text = json_string(message, "message");
	cJSON *object = cJSON_CreateObject();
	size_t i;

	json_add_string(object, "message", row->message);
	json_add_string(object, "message_id", text != NULL ? text : "");
	for (i = 0; members[i] != NULL; i++) {
		text = json_string(message, members[i]);
		json_add_string(object, members[i], text != NULL ? text : "");
	}
	json_add_string(object, "origin", row->origin);
	json_add_string(object, "share", row->share);
	json_add_integer(object, "expires", row->expires);
	return object;
}

static void
hand_out(struct admin_walk *walk, const struct pull_row *row)
{
	cJSON *message = NULL;

	if (row->local) {
		admin_walk_refuse(walk, OUTCOME_PERMFAIL, "local",
		    "the origin is this server: no token is asked for");
	} else if (row->expires <= walk->now) {
		admin_walk_refuse(walk, OUTCOME_PERMFAIL, "expired",
		    "the share has expired");
	} else if (pull_message_get(walk->view, row, &message) != 1) {
		admin_walk_refuse(walk, OUTCOME_TEMPFAIL, "unavailable",
		    "the message cannot be read");
	} else {
		walk->first = cJSON_CreateObject();
		json_add_item(walk->first, "notice", describe(row, message));
		add_placeholder(walk, row->account, message);
	}
	cJSON_Delete(message);
}

static void
run_renotify(struct admin_walk *walk)
{
	char message[STORE_ID_SIZE];
	struct pull_row row;

	if (admin_queue_find(walk, message) == -1)
		return;
	if (pull_row_get(walk->view, message, &row) != 1) {
		admin_walk_refuse(walk, OUTCOME_TEMPFAIL, "unavailable",
		    "the pull cannot be read");
		return;
	}
	hand_out(walk, &row);
	pull_row_clear(&row);
}

void
admin_renotify(void *context, struct control_connection *connection,
    const cJSON *request)
{
	struct admin_walk *walk =
	    admin_walk_new(context, connection, run_renotify, "text");

	if (admin_queue_subject(walk, request) == 0)
		admin_walk_start(walk, NULL);
}
