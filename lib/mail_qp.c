/* SPDX-License-Identifier: ISC
 *
 * Writing quoted-printable by a layout: see mail_qp.h.
 */
#include "mail_qp.h"

#include <string.h>

#define AHEAD 5 /* bytes that a decision may need: "From " */

bool
mail_qp_has(const uint32_t set[4], unsigned char c)
{
	return c < 128 && (set[c / 32] >> c % 32 & 1) != 0;
}

void
mail_qp_put(uint32_t set[4], unsigned char c)
{
	if (c < 128)
		set[c / 32] |= UINT32_C(1) << c % 32;
}

static int
qp_flush(struct mail_qp_encoder *e)
{
	size_t len = e->out_len;

	e->out_len = 0;
	return len > 0 ? e->write(e->context, e->out, len) : 0;
}

static int
qp_put(struct mail_qp_encoder *e, const char *text, size_t len)
{
	if (e->out_len + len > sizeof(e->out) && qp_flush(e) < 0)
		return -1;
	memcpy(e->out + e->out_len, text, len);
	e->out_len += len;
	return 0;
}

static int
qp_break(struct mail_qp_encoder *e, bool soft)
{
	e->column = 0;
	e->soft = soft;
	return (soft && qp_put(e, "=", 1) < 0) ?
	    -1 :
	    qp_put(e, e->eol, strlen(e->eol));
}

/* True if CRLF stands at ahead[at], or nothing and no soft break follows. */
static bool
is_line_end(const struct mail_qp_encoder *e, size_t at)
{
	if (e->ahead_len <= at)
		return e->layout->end == 0;
	return !e->layout->breaks && e->ahead_len > at + 1 &&
	    e->ahead[at] == '\r' && e->ahead[at + 1] == '\n';
}

static bool
is_quoted(const struct mail_qp_encoder *e, bool last)
{
	const struct mail_qp_layout *layout = e->layout;
	unsigned char c = e->ahead[0];

	if (c == ' ' || c == '\t') {
		if (last)
			return !layout->blank;
	} else if (c < '!' || c > '~' || c == '=')
		return true;
	if (mail_qp_has(layout->quote, c))
		return true;
	if (e->column > 0)
		return false;
	if (layout->from && c == 'F' && e->ahead_len >= 5 &&
	    memcmp(e->ahead, "From ", 5) == 0)
		return true;
	return mail_qp_has(layout->first, c) &&
	    !(layout->first_hard && e->soft);
}

static int
qp_token(struct mail_qp_encoder *e)
{
	const struct mail_qp_layout *layout = e->layout;
	const char *digits =
	    layout->lower ? "0123456789abcdef" : "0123456789ABCDEF";
	unsigned char c = e->ahead[0];
	bool last = is_line_end(e, 1), quoted = is_quoted(e, last);
	char text[3] = { (char)c };

	if (layout->after == 0 && e->column > 0 &&
	    e->column + (quoted ? 3U : 1U) >
		layout->max[(quoted ? 1 : 0) + (last ? 2 : 0)]) {
		if (qp_break(e, true) < 0)
			return -1;
		quoted = is_quoted(e, last);
	}
	if (quoted) {
		text[0] = '=';
		text[1] = digits[c >> 4];
		text[2] = digits[c & 15];
	}
	if (qp_put(e, text, quoted ? 3 : 1) < 0)
		return -1;
	e->column += quoted ? 3 : 1;
	if (layout->after > 0 && e->column >= layout->after)
		return qp_break(e, true);
	return 0;
}

/* One step of what is known; the bytes that it used up are dropped. */
static int
qp_step(struct mail_qp_encoder *e)
{
	size_t used = 1;
	int result;

	if (e->ahead_len >= 2 && is_line_end(e, 0)) {
		used = 2;
		result = qp_break(e, false);
	} else
		result = qp_token(e);
	e->ahead_len -= used;
	memmove(e->ahead, e->ahead + used, e->ahead_len);
	return result;
}

int
mail_qp_add(struct mail_qp_encoder *encoder, const void *data, size_t len)
{
	const unsigned char *in = data;

	for (size_t i = 0; i < len; i++) {
		encoder->ahead[encoder->ahead_len++] = in[i];
		if (encoder->ahead_len > AHEAD && qp_step(encoder) < 0)
			return -1;
	}
	return 0;
}

int
mail_qp_end(struct mail_qp_encoder *encoder)
{
	while (encoder->ahead_len > 0)
		if (qp_step(encoder) < 0)
			return -1;
	if (encoder->layout->end == 1 && qp_put(encoder, "=", 1) < 0)
		return -1;
	if (encoder->layout->end == 2 && qp_break(encoder, true) < 0)
		return -1;
	return qp_flush(encoder);
}
