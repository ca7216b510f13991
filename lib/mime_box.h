/* SPDX-License-Identifier: ISC
 *
 * MIME is read in a box: libetpan runs only in a child process that has no
 * socket, no file and no key. The message is mapped read-only; a list of
 * parts with raw offsets comes back through a pipe and is checked as if the
 * box had been taken over. Depth and number of parts are bounded before
 * libetpan sees the message, CPU time is bounded by the kernel. The only
 * place that includes libetpan.
 */
#ifndef MIME_BOX_H
#define MIME_BOX_H

#include <stdbool.h>
#include <stddef.h>

#include "outcome.h"

#define MIME_MAX_DEPTH 50
#define MIME_MAX_PARTS 1000
#define MIME_MAX_WHOLE (1024 * 1024) /* bytes of a message copied as it is */
#define MIME_MAX_SKELETON (8 * 1024 * 1024) /* bytes of headers and so on */

enum mime_encoding {
	MIME_7BIT,
	MIME_8BIT,
	MIME_BINARY,
	MIME_BASE64,
	MIME_QUOTED_PRINTABLE,
	MIME_OTHER,
};

/* A leaf, a multipart or an embedded message. Offsets count from the start
 * of the message. `start` is where the part's own header begins (for the
 * first part: 0; `body` if it has none); `body` behind the empty line; `end`
 * where its content ends, before the line end that belongs to the next
 * boundary. */
struct mime_part {
	int parent; /* index in the list; -1 for the first */
	int depth; /* 0 for the first */
	char type[64]; /* "text/plain", lower case */
	enum mime_encoding encoding;
	size_t start, body, end;
};

struct mime_parts {
	struct mime_part *parts; /* in the order of the message */
	size_t count;
};

/* Parses in a child; of a message above MIME_MAX_WHOLE bytes only headers,
 * boundaries and the ends of the bodies between them are copied (the child
 * needs no more to tell the structure), so memory stays bounded up to 2 GB
 * and more. TEMPFAIL "box" if the child died or took too long; PERMFAIL
 * "limit" (too deep, too many parts, too long headers) or "form". Free the
 * parts with mime_parts_free(). The caller must not ignore SIGCHLD nor reap
 * any child but its own while this runs. */
enum outcome mime_box_read(const char *message, size_t len,
    struct mime_parts *parts_r, struct reason *why);

/* The same in this process: for the child itself and for fuzzing. A NUL must
 * stand behind the message. */
enum outcome mime_box_parse(const char *message, size_t len,
    struct mime_parts *parts_r, struct reason *why);

void mime_parts_free(struct mime_parts *parts);

/* True if the part stands inside an embedded message: it is the matter of
 * that message, which goes or stays as one. */
bool mime_part_is_embedded(const struct mime_parts *parts, size_t index);

#endif
