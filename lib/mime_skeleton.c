/* SPDX-License-Identifier: ISC
 *
 * Skeletons of large messages: see mime_skeleton.h.
 */
#include "mime_skeleton.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "mime_box.h"
#include "mime_scan.h"

#define KEEP_HEAD 1024 /* bytes of a body's beginning */
#define KEEP_TAIL 256 /* and of its end, a line at least */
#define WORTH 4096 /* what is shorter is not cut */

struct cutting {
	struct mime_skeleton *skeleton;
	const char *message;
	size_t body; /* start of the body lines being passed over */
	bool in_body;
	bool too_long;
};

/* Keeps a run of bytes, joined to the piece before where they touch. */
static void
keep(struct cutting *cutting, size_t start, size_t end)
{
	struct mime_skeleton *s = cutting->skeleton;
	struct mime_piece *last =
	    s->count > 0 ? &s->pieces[s->count - 1] : NULL;

	if (start == end || cutting->too_long)
		return;
	if (s->len + (end - start) > MIME_MAX_SKELETON) {
		cutting->too_long = true;
		return;
	}
	if (last != NULL && last->start + last->len == start)
		last->len += end - start;
	else {
		s->pieces =
		    x_realloc(s->pieces, (s->count + 1) * sizeof(*s->pieces));
		s->pieces[s->count++] =
		    (struct mime_piece){ start, end - start, s->len };
	}
	s->len += end - start;
}

/* Where the tail begins: the text before the cut must not end a line, else
 * what follows the cut would begin one and could pass for a boundary. */
static size_t
head_end(const struct cutting *cutting, size_t start, size_t end)
{
	size_t at = start + KEEP_HEAD;

	while (at < end &&
	    (cutting->message[at - 1] == '\n' ||
		cutting->message[at - 1] == '\r'))
		at++;
	return at;
}

/* Body lines from cutting->body to `end` have passed. */
static void
keep_body(struct cutting *cutting, size_t end)
{
	size_t start = cutting->body, head;

	cutting->in_body = false;
	if (end - start < WORTH ||
	    (head = head_end(cutting, start, end)) + KEEP_TAIL >= end) {
		keep(cutting, start, end);
		return;
	}
	keep(cutting, start, head);
	keep(cutting, end - KEEP_TAIL, end);
}

static void
take_line(void *context, size_t start, size_t line, bool structure)
{
	struct cutting *cutting = context;

	if (!structure) {
		if (!cutting->in_body)
			cutting->body = start;
		cutting->in_body = true;
		return;
	}
	if (cutting->in_body)
		keep_body(cutting, start);
	keep(cutting, start, start + line);
}

const char *
mime_skeleton_make(const char *message, size_t len,
    struct mime_skeleton *skeleton_r)
{
	struct cutting cutting = { .skeleton = skeleton_r, .message = message };
	const char *error;

	*skeleton_r = (struct mime_skeleton){ .pieces = NULL };
	if (len <= MIME_MAX_WHOLE) {
		keep(&cutting, 0, len);
		return NULL; /* the box looks at depth and parts itself */
	}
	error = mime_scan_lines(message, len, take_line, &cutting);
	if (cutting.in_body)
		keep_body(&cutting, len);
	if (error == NULL && cutting.too_long)
		error = "message has too much of headers and boundaries";
	if (error != NULL)
		mime_skeleton_free(skeleton_r);
	return error;
}

void
mime_skeleton_free(struct mime_skeleton *skeleton)
{
	free(skeleton->pieces);
	*skeleton = (struct mime_skeleton){ .pieces = NULL };
}

void
mime_skeleton_copy(const struct mime_skeleton *skeleton, const char *message,
    char *copy_r)
{
	for (size_t i = 0; i < skeleton->count; i++) {
		const struct mime_piece *piece = &skeleton->pieces[i];

		memcpy(copy_r + piece->at, message + piece->start, piece->len);
	}
}

size_t
mime_skeleton_offset(const struct mime_skeleton *skeleton, size_t offset)
{
	const struct mime_piece *piece = skeleton->pieces;

	for (size_t i = 1; i < skeleton->count; i++)
		if (skeleton->pieces[i].at <= offset)
			piece = &skeleton->pieces[i];
	return piece->start + (offset - piece->at);
}
