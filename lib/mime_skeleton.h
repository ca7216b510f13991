/* SPDX-License-Identifier: ISC
 *
 * What of a large message its structure depends on: headers, boundaries, and
 * the first and last bytes of what lies between them. The rest is cut out of
 * the copy that goes into the MIME box, and offsets are translated back. So
 * a message of 2 GB needs no 2 GB of memory, and the box takes milliseconds.
 *
 * Trust: reads hostile bytes. Where this scanner and libetpan disagree on
 * what is a header, parts come out that are none; who uses the offsets
 * proves what was made by them.
 */
#ifndef MIME_SKELETON_H
#define MIME_SKELETON_H

#include <stddef.h>

struct mime_piece {
	size_t start, len; /* of the message */
	size_t at; /* where it stands in the skeleton */
};

struct mime_skeleton {
	struct mime_piece *pieces;
	size_t count;
	size_t len; /* of all pieces */
};

/* Finds the pieces: one, the whole, up to MIME_MAX_WHOLE bytes. NULL, or a
 * fixed text about the limit that the message breaks (nothing to free then).
 * Depth and number of parts are looked at, too. */
const char *mime_skeleton_make(const char *message, size_t len,
    struct mime_skeleton *skeleton_r);
void mime_skeleton_free(struct mime_skeleton *skeleton);

/* Writes skeleton->len bytes. */
void mime_skeleton_copy(const struct mime_skeleton *skeleton,
    const char *message, char *copy_r);

/* The offset in the message of one in the skeleton (0 to its len). */
size_t
mime_skeleton_offset(const struct mime_skeleton *skeleton, size_t offset);

#endif
