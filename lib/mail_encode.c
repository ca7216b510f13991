/* SPDX-License-Identifier: ISC
 *
 * Content transfer encodings as a stream: see mail_encode.h.
 */
#include "mail_encode.h"

#include <string.h>

static int
encoder_flush(struct mail_encoder *e)
{
	size_t len = e->out_len;

	e->out_len = 0;
	return len > 0 ? e->write(e->context, e->out, len) : 0;
}

static int
encoder_put(struct mail_encoder *e, const char *text, size_t len)
{
	if (e->out_len + len > sizeof(e->out) && encoder_flush(e) < 0)
		return -1;
	memcpy(e->out + e->out_len, text, len);
	e->out_len += len;
	return 0;
}

static int
encoder_break(struct mail_encoder *e)
{
	e->column = 0;
	return encoder_put(e, e->eol, strlen(e->eol));
}

/* ---- base64 ------------------------------------------------------------ */

static int
base64_group(struct mail_encoder *e, const unsigned char *in, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned bits = (unsigned)in[0] << 16 |
	    (len > 1 ? (unsigned)in[1] << 8 : 0) | (len > 2 ? in[2] : 0U);
	char group[4] = { digits[bits >> 18], digits[bits >> 12 & 63],
		len > 1 ? digits[bits >> 6 & 63] : '=',
		len > 2 ? digits[bits & 63] : '=' };

	if (e->column >= e->line && encoder_break(e) < 0)
		return -1;
	e->column += 4;
	return encoder_put(e, group, 4);
}

static int
base64_add(struct mail_encoder *e, const unsigned char *in, size_t len)
{
	while (len > 0) {
		if (e->rest_len == 0 && len >= 3) {
			if (base64_group(e, in, 3) < 0)
				return -1;
			in += 3;
			len -= 3;
			continue;
		}
		e->rest[e->rest_len++] = *in++;
		len--;
		if (e->rest_len < 3)
			continue;
		e->rest_len = 0;
		if (base64_group(e, e->rest, 3) < 0)
			return -1;
	}
	return 0;
}

/* ---- quoted-printable -------------------------------------------------- */

#define QP_LINE 75 /* and "=" makes 76 */

static int
qp_put(struct mail_encoder *e, int byte, bool quote)
{
	static const char digits[] = "0123456789ABCDEF";
	char text[3] = { (char)byte };
	int len = 1;

	if (quote) {
		text[0] = '=';
		text[1] = digits[byte >> 4 & 15];
		text[2] = digits[byte & 15];
		len = 3;
	}
	if (e->column + len > QP_LINE) {
		if (encoder_put(e, "=", 1) < 0 || encoder_break(e) < 0)
			return -1;
	}
	e->column += len;
	return encoder_put(e, text, (size_t)len);
}

/* What is held is a space, tab or CR whose form depends on what follows. */
static int
qp_release(struct mail_encoder *e, bool before_break)
{
	int held = e->held;

	e->held = 0;
	if (held == 0 || (held == '\r' && before_break))
		return 0;
	return qp_put(e, held, held == '\r' || before_break);
}

static int
qp_byte(struct mail_encoder *e, int byte)
{
	if (byte == '\n')
		return qp_release(e, true) < 0 ? -1 : encoder_break(e);
	if (byte == '\r' && (e->held == ' ' || e->held == '\t')) {
		/* Most likely a line end: the space needs its quote. */
		if (qp_release(e, true) < 0)
			return -1;
	} else if (qp_release(e, false) < 0)
		return -1;
	if (byte == '\r' || byte == ' ' || byte == '\t') {
		e->held = byte;
		return 0;
	}
	/* "From " and "." at the start of a line do not survive everywhere. */
	return qp_put(e, byte,
	    byte < ' ' || byte > '~' || byte == '=' ||
		(e->column == 0 && (byte == '.' || byte == 'F')));
}

static int
qp_add(struct mail_encoder *e, const unsigned char *in, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (qp_byte(e, in[i]) < 0)
			return -1;
	return 0;
}

int
mail_encoder_add(struct mail_encoder *encoder, const void *data, size_t len)
{
	switch (encoder->kind) {
	case MAIL_ENCODE_BASE64:
		return base64_add(encoder, data, len);
	case MAIL_ENCODE_QUOTED_PRINTABLE:
		return qp_add(encoder, data, len);
	default:
		return encoder->write(encoder->context, data, len);
	}
}

int
mail_encoder_end(struct mail_encoder *encoder)
{
	if (encoder->kind == MAIL_ENCODE_BASE64) {
		if (encoder->rest_len > 0 &&
		    base64_group(encoder, encoder->rest, encoder->rest_len) < 0)
			return -1;
		encoder->rest_len = 0;
		if (encoder->column > 0 && encoder->final &&
		    encoder_break(encoder) < 0)
			return -1;
	}
	if (encoder->kind == MAIL_ENCODE_QUOTED_PRINTABLE &&
	    qp_release(encoder, true) < 0)
		return -1;
	return encoder_flush(encoder);
}
