/* SPDX-License-Identifier: ISC
 *
 * Content transfer encodings (RFC 2045, 6) as a stream in constant memory:
 * bytes go in, lines come out through a callback.
 *
 * Written by hand because libetpan encodes only whole bodies in memory and
 * chooses line lengths itself, and recipes ask for exact ones.
 */
#ifndef MAIL_ENCODE_H
#define MAIL_ENCODE_H

#include <stdbool.h>
#include <stddef.h>

#include "mail_qp.h"

enum mail_encode_kind {
	MAIL_ENCODE_IDENTITY,
	MAIL_ENCODE_BASE64,
	MAIL_ENCODE_QUOTED_PRINTABLE, /* of text: LF and CRLF end a line */
	MAIL_ENCODE_LAYOUT, /* quoted-printable as another wrote it */
	MAIL_ENCODE_UNFOLD, /* identity, but CRLF becomes LF */
};

#define MAIL_ENCODE_LINE_MAX 998 /* RFC 5322, 2.1.1 */
#define MAIL_ENCODE_OUT 16384 /* bytes written at a time */

struct mail_encoder {
	enum mail_encode_kind kind;
	int line; /* base64: characters of a full line; 0: never broken */
	const char *eol; /* "\r\n" or "\n" */
	int final; /* base64: line ends behind the last line */
	int (*write)(void *context, const void *data, size_t len);
	void *context;
	const struct mail_qp_layout *layout; /* for MAIL_ENCODE_LAYOUT */

	/* private; zero at first */
	unsigned char rest[3]; /* base64: bytes that make no group yet */
	size_t rest_len;
	int column;
	int held; /* quoted-printable: a space or CR not yet written */
	size_t out_len;
	char out[MAIL_ENCODE_OUT];
	struct mail_qp_encoder qp;
};

/* The caller sets the members down to the layout, the others to zero. 0, or
 * -1 when the callback failed. */
int
mail_encoder_add(struct mail_encoder *encoder, const void *data, size_t len);

/* Writes what is still held. */
int mail_encoder_end(struct mail_encoder *encoder);

#endif
