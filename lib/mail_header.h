/* SPDX-License-Identifier: ISC
 *
 * Header fields of a message (RFC 5322) in the raw: found, counted, unfolded,
 * never written back. Lines end in CRLF or LF. Reads hostile bytes; nothing
 * is changed or copied unless it says so.
 *
 * Written by hand because libetpan parses only in the MIME box, drops what
 * it does not understand and loses the raw bytes that are spliced here.
 * Fuzzed by fuzz_placeholder.
 */
#ifndef MAIL_HEADER_H
#define MAIL_HEADER_H

#include <stdbool.h>
#include <stddef.h>

#include "mail_address.h"

/* One field; points into the header. `raw` runs from the name to the end of
 * its last line, line end included; `body` is what follows the colon. */
struct mail_field {
	const char *raw;
	size_t raw_len;
	size_t name_len; /* name == raw */
	const char *body;
	size_t body_len;
};

/* Bytes up to and including the empty line (or all of them). A line that is
 * no field and no continuation ends the header, too: `broken_r` (may be
 * NULL) tells. */
size_t mail_header_length(const char *message, size_t len, bool *broken_r);

/* Steps through the fields: *at starts as 0 and is an offset into the
 * header. False at the end. */
bool mail_header_next(const char *header, size_t len, size_t *at,
    struct mail_field *field_r);

/* True if the field has this name (ASCII case ignored). */
bool mail_header_is(const struct mail_field *field, const char *name);

/* How many fields have that name, and the first of them (may be NULL). */
size_t mail_header_find(const char *header, size_t len, const char *name,
    struct mail_field *field_r);

/* The body unfolded, without white space at its ends and without control
 * bytes (tabs become spaces). Owned by the caller (free()). */
char *mail_header_unfold(const struct mail_field *field);

/* The same of the first field of that name; NULL if there is none. */
char *mail_header_get(const char *header, size_t len, const char *name);

/* Normal form of the only mailbox in the only From field. 0, or -1 if there
 * is not exactly one field with exactly one mailbox. */
int mail_header_from(const char *header, size_t len,
    char normal_r[MAIL_ADDRESS_SIZE]);

/* Normal form of the single mailbox in `text`: "Alice <a@b>", "a@b (Alice)",
 * "a@b". 0, or -1. */
int mail_header_mailbox(const char *text, char normal_r[MAIL_ADDRESS_SIZE]);

/* Message-ID without angle brackets, owned by the caller; NULL if there is
 * none or more than one, or it is no msg-id of at most 998 bytes. */
char *mail_header_message_id(const char *header, size_t len);

#endif
