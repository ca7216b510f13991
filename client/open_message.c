/* SPDX-License-Identifier: ISC
 *
 * Rebuilding for a pipe: see open_message.h.
 */
#include "open_message.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cargo_rebuild.h"
#include "memory.h"
#include "transfer.h"

#define CHUNK 65536

struct rebuilding {
	int *fds; /* a temporary file for each resource */
	int64_t offset;
	size_t index;
	int out;
};

int
open_message_write(int out, const void *data, size_t len)
{
	const char *at = data;
	ssize_t put;

	while (len > 0) {
		put = write(out, at, len);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -1;
		at += put;
		len -= (size_t)put;
	}
	return 0;
}

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
	struct rebuilding *rebuilding = context;

	return open_message_write(rebuilding->out, data, len);
}

static enum outcome
open_temporary(int *fd_r, struct reason *why)
{
	*fd_r = transfer_temporary();
	if (*fd_r < 0)
		return reason_set(why, OUTCOME_TEMPFAIL, "local",
		    "temporary file: %s", strerror(errno));
	return OUTCOME_OK;
}

static enum outcome
fetch_all(struct session *session, const struct cargo_placeholder *placeholder,
    int *fds, struct reason *why)
{
	enum outcome outcome = OUTCOME_OK;

	for (size_t i = 0; i < placeholder->count && outcome == OUTCOME_OK;
	     i++) {
		const struct cargo_resource *r = &placeholder->resources[i];

		outcome = open_temporary(&fds[i], why);
		if (outcome == OUTCOME_OK)
			outcome = transfer_get(session, r->hash, r->size,
			    r->name != NULL ? r->name : r->hash, fds[i], why);
	}
	return outcome;
}

enum outcome
open_message_rebuild(struct session *session,
    const struct cargo_placeholder *placeholder, const char *message,
    size_t len, int *fd_r, bool *exact_r, struct reason *why)
{
	struct rebuilding rebuilding = { .index = SIZE_MAX, .out = -1 };
	struct cargo_rebuild_io io = { read_resource, write_output,
		&rebuilding };
	size_t count = placeholder->count;
	enum outcome outcome;

	*fd_r = -1;
	rebuilding.fds = x_malloc(count * sizeof(int));
	for (size_t i = 0; i < count; i++)
		rebuilding.fds[i] = -1;
	outcome = fetch_all(session, placeholder, rebuilding.fds, why);
	if (outcome == OUTCOME_OK)
		outcome = open_temporary(&rebuilding.out, why);
	if (outcome == OUTCOME_OK)
		outcome =
		    cargo_rebuild(placeholder, message, len, &io, exact_r, why);
	for (size_t i = 0; i < count; i++)
		if (rebuilding.fds[i] >= 0)
			close(rebuilding.fds[i]);
	free(rebuilding.fds);
	if (outcome == OUTCOME_OK)
		*fd_r = rebuilding.out;
	else if (rebuilding.out >= 0)
		close(rebuilding.out);
	return outcome;
}

enum outcome
open_message_copy(int fd, int out, struct reason *why)
{
	char *data = x_malloc(CHUNK);
	off_t offset = 0;
	ssize_t got;

	while ((got = pread(fd, data, CHUNK, offset)) > 0) {
		offset += got;
		if (open_message_write(out, data, (size_t)got) < 0)
			break;
	}
	free(data);
	if (got < 0)
		return reason_set(why, OUTCOME_TEMPFAIL, "local",
		    "temporary file: %s", strerror(errno));
	if (got > 0)
		return reason_set(why, OUTCOME_TEMPFAIL, "write",
		    "cannot write the output: %s", strerror(errno));
	return OUTCOME_OK;
}

bool
open_message_faithful(const struct cargo_placeholder *placeholder, bool exact)
{
	if (exact)
		return true;
	for (size_t i = 0; i < placeholder->count; i++)
		if (placeholder->resources[i].recipe.encoding !=
		    CARGO_RECIPE_NONE)
			return false;
	return true;
}
