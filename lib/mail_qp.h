/* SPDX-License-Identifier: ISC
 *
 * Quoted-printable as others write it. RFC 2045 leaves a writer free to
 * choose where a line is broken and which printable characters are quoted
 * all the same. Nearly every writer follows one of a few fixed rules; the
 * layout names the rule and its numbers, and by it the same text can be made
 * again from the decoded bytes.
 *
 * Written by hand: no library writes but its own layout. Fuzzed by
 * fuzz_mail_decode.
 */
#ifndef MAIL_QP_H
#define MAIL_QP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A token is a character as it stands or a quoted one ("=3D"). */
struct mail_qp_layout {
	/* A soft break comes before a token that would end behind these
	 * columns: [0] a plain token, [1] a quoted one. [2] and [3] are the
	 * same for the last token before a line end. */
	uint16_t max[4];
	/* Not 0: max does not count, a soft break comes behind a token that
	 * ends at this column or behind it. */
	uint16_t after;
	/* Characters from "!" to "~", space and tab that are quoted, too:
	 * everywhere, or at the start of a line. */
	uint32_t quote[4], first[4];
	bool first_hard; /* `first` is not for lines behind a soft break */
	bool from; /* "F" at the start of a line if "rom " follows */
	bool lower; /* hex digits */
	bool breaks; /* CRLF is quoted, too: "=0D=0A" */
	bool blank; /* a space or tab before a line end is left plain */
	int end; /* a soft break ends the text: 1 "=", 2 "=" CRLF */
};

#define MAIL_QP_MIN 4 /* for max and after: what it costs is bounded */
#define MAIL_QP_MAX 998

/* Writes by a layout; the caller sets the first four members and zeroes the
 * rest. `add` 0, or -1 when the callback failed; `end` writes what is left. */
struct mail_qp_encoder {
	const struct mail_qp_layout *layout;
	const char *eol; /* for CRLF and soft breaks */
	int (*write)(void *context, const void *data, size_t len);
	void *context;

	/* private */
	unsigned char ahead[6];
	size_t ahead_len;
	unsigned column;
	bool soft; /* the line began behind a soft break */
	size_t out_len;
	char out[4096];
};

int mail_qp_add(struct mail_qp_encoder *encoder, const void *data, size_t len);
int mail_qp_end(struct mail_qp_encoder *encoder);

/* Finds the layout that `text` (CRLF lines) is written in. 0 if its decoded
 * bytes, written by *layout_r, are `text` again (this is tried), else -1. */
int
mail_qp_learn(const char *text, size_t len, struct mail_qp_layout *layout_r);

/* A set of characters in quote or first. */
bool mail_qp_has(const uint32_t set[4], unsigned char c);
void mail_qp_put(uint32_t set[4], unsigned char c);

#endif
