/* SPDX-License-Identifier: ISC
 *
 * Content transfer encodings undone (RFC 2045, 6), the inverse of
 * mail_encode.h: bytes are drawn out of an encoded text that lies in memory
 * (a mapped file), in constant memory of our own. Reads hostile bytes.
 *
 * Written by hand because libetpan decodes only whole bodies into memory,
 * and OpenSSL's EVP_DecodeUpdate() stops silently at what it takes for the
 * end and runs at a third of this speed. Fuzzed by fuzz_mail_decode.
 */
#ifndef MAIL_DECODE_H
#define MAIL_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "mail_encode.h"

struct mail_decoder {
	enum mail_encode_kind kind;
	const unsigned char *data;
	size_t len, at;
	/* False once something was read that our encoder would not write:
	 * spare bits in base64, lower-case hex in quoted-printable. */
	bool canonical;

	/* private */
	unsigned char quad[4]; /* base64 digits of an unfinished group */
	unsigned char held[3]; /* decoded, and no room for it yet */
	size_t quad_len, held_at, held_len;
	unsigned pads; /* 0: none so far; else 1 and those still due */
};

/* Nothing is copied: `data` must stay. Nothing to free. */
void mail_decoder_init(struct mail_decoder *decoder, enum mail_encode_kind kind,
    const void *data, size_t len);

/*
 * The next bytes, as many as there are room and text for; 0 at the end; -1
 * if the text is not of that encoding. White space in base64 is skipped.
 * Line ends of quoted-printable stay as they are, and so does white space
 * before them, which a decoder may drop: what is dropped cannot come back.
 */
ssize_t
mail_decoder_read(struct mail_decoder *decoder, void *data_r, size_t max);

#endif
