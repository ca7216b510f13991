/* SPDX-License-Identifier: ISC
 *
 * The pieces that every placeholder is written from, whether its content
 * comes from files or from a message that is taken apart. Lines end in CRLF.
 */
#ifndef CARGO_WRITER_H
#define CARGO_WRITER_H

#include "buffer.h"
#include "cargo_placeholder.h"
#include "clock.h"

struct cargo_writer {
	struct buffer out; /* at most CARGO_MAX_PLACEHOLDER */
	char boundary[40];
	const char *origin, *share;
	const char *category; /* or NULL */
	int64_t expires;
	char date[CLOCK_TEXT_SIZE];
};

/* 0, or -1 if one of the four cannot stand in a placeholder; nothing is to be
 * freed then. Makes a random boundary. The texts must stay. */
int cargo_writer_init(struct cargo_writer *writer, const char *origin,
    const char *share, const char *category, int64_t expires);

/* The fields that make a message a placeholder, MIME-Version, Content-Type
 * (multipart) and the empty line. */
void cargo_writer_add_fields(struct cargo_writer *writer, bool eight_bit);

/* The first part: the note about these resources. */
void cargo_writer_add_note(struct cargo_writer *writer,
    const struct cargo_draft_resource *resources, size_t count);

/* Content-Type of an external body (without the line's end), up to where a
 * recipe may follow. */
void cargo_writer_add_external_body(struct cargo_writer *writer, int64_t size);

/* Content-Transfer-Encoding, the empty line and the text. */
void cargo_writer_add_text(struct cargo_writer *writer, const char *text);

/* Hands the message over. 0, or -1 if it is too large. */
int cargo_writer_finish(struct cargo_writer *writer, char **message_r,
    size_t *len_r);

#endif
