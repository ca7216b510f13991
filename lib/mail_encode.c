/* SPDX-License-Identifier: ISC
 *
 * Content transfer encodings as a stream: see mail_encode.h.
 */
#include "mail_encode.h"

#include <string.h>
#include <sys/types.h>

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

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			     "abcdefghijklmnopqrstuvwxyz0123456789+/";

static int
base64_group(struct mail_encoder *e, const unsigned char *in, size_t len)
{
	unsigned bits = (unsigned)in[0] << 16 |
	    (len > 1 ? (unsigned)in[1] << 8 : 0) | (len > 2 ? in[2] : 0U);
	char group[4] = { digits[bits >> 18], digits[bits >> 12 & 63],
		len > 1 ? digits[bits >> 6 & 63] : '=',
		len > 2 ? digits[bits & 63] : '=' };

	if (e->line > 0 && (e->column + 4 > e->line)) {
		/* The line ends within the group, or just before it. */
		for (int i = 0; i < 4; i++) {
			if (e->column >= e->line && encoder_break(e) < 0)
				return -1;
			e->column++;
			if (encoder_put(e, group + i, 1) < 0)
				return -1;
		}
		return 0;
	}
	e->column = e->line > 0 ? e->column + 4 : 1;
	return encoder_put(e, group, 4);
}

/* Whole lines, or runs of them without breaks, at once; the bytes used. */
static ssize_t
base64_run(struct mail_encoder *e, const unsigned char *in, size_t len)
{
	size_t size = e->line > 0 ? (size_t)e->line : 4096, used = 0;

	if (size % 4 != 0 || size > sizeof(e->out) / 2)
		return 0;
	while (len - used >= size / 4 * 3 &&
	    (e->line == 0 || e->column == 0 || e->column == e->line)) {
		char *out;

		if (e->line > 0 && e->column > 0 && encoder_break(e) < 0)
			return -1;
		if (e->out_len + size > sizeof(e->out) && encoder_flush(e) < 0)
			return -1;
		out = e->out + e->out_len;
		for (size_t i = 0; i < size; i += 4, used += 3) {
			unsigned bits = (unsigned)in[used] << 16 |
			    (unsigned)in[used + 1] << 8 | in[used + 2];

			out[i] = digits[bits >> 18];
			out[i + 1] = digits[bits >> 12 & 63];
			out[i + 2] = digits[bits >> 6 & 63];
			out[i + 3] = digits[bits & 63];
		}
		e->out_len += size;
		e->column = e->line > 0 ? e->line : 1;
	}
	return (ssize_t)used;
}

static int
base64_add(struct mail_encoder *e, const unsigned char *in, size_t len)
{
	while (len > 0) {
		if (e->rest_len == 0 && len >= 3) {
			ssize_t used = base64_run(e, in, len);

			if (used < 0)
				return -1;
			if (used == 0) {
				if (base64_group(e, in, 3) < 0)
					return -1;
				used = 3;
			}
			in += used;
			len -= (size_t)used;
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

static int
base64_end(struct mail_encoder *e)
{
	if (e->rest_len > 0 && base64_group(e, e->rest, e->rest_len) < 0)
		return -1;
	e->rest_len = 0;
	if (e->column == 0)
		return 0;
	for (int i = 0; i < e->final; i++)
		if (encoder_break(e) < 0)
			return -1;
	return 0;
}

/* ---- quoted-printable -------------------------------------------------- */

#define QP_LINE 75 /* and "=" makes 76 */

static int
qp_put(struct mail_encoder *e, int byte, bool quote)
{
	static const char hex[] = "0123456789ABCDEF";
	char text[3] = { (char)byte };
	int len = 1;

	if (quote) {
		text[0] = '=';
		text[1] = hex[byte >> 4 & 15];
		text[2] = hex[byte & 15];
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

/* ---- line ends as they are stored here --------------------------------- */

static int
unfold_add(struct mail_encoder *e, const unsigned char *in, size_t len)
{
	while (len > 0) {
		const unsigned char *cr = memchr(in, '\r', len);
		size_t run = cr != NULL ? (size_t)(cr - in) : len;

		if (e->held == '\r') {
			e->held = 0;
			if (in[0] != '\n' && encoder_put(e, "\r", 1) < 0)
				return -1;
		}
		if (encoder_flush(e) < 0 ||
		    (run > 0 && e->write(e->context, in, run) < 0))
			return -1;
		if (cr != NULL) {
			e->held = '\r';
			run++;
		}
		in += run;
		len -= run;
	}
	return 0;
}

/* ---- */

static struct mail_qp_encoder *
layout_encoder(struct mail_encoder *e)
{
	e->qp.layout = e->layout;
	e->qp.eol = e->eol;
	e->qp.write = e->write;
	e->qp.context = e->context;
	return &e->qp;
}

int
mail_encoder_add(struct mail_encoder *encoder, const void *data, size_t len)
{
	switch (encoder->kind) {
	case MAIL_ENCODE_BASE64:
		return base64_add(encoder, data, len);
	case MAIL_ENCODE_QUOTED_PRINTABLE:
		return qp_add(encoder, data, len);
	case MAIL_ENCODE_LAYOUT:
		return mail_qp_add(layout_encoder(encoder), data, len);
	case MAIL_ENCODE_UNFOLD:
		return unfold_add(encoder, data, len);
	default:
		return encoder->write(encoder->context, data, len);
	}
}

int
mail_encoder_end(struct mail_encoder *encoder)
{
	int result = 0;

	switch (encoder->kind) {
	case MAIL_ENCODE_BASE64:
		result = base64_end(encoder);
		break;
	case MAIL_ENCODE_QUOTED_PRINTABLE:
		result = qp_release(encoder, true);
		break;
	case MAIL_ENCODE_LAYOUT:
		return mail_qp_end(layout_encoder(encoder));
	case MAIL_ENCODE_UNFOLD:
		if (encoder->held == '\r')
			result = encoder_put(encoder, "\r", 1);
		break;
	default:
		break;
	}
	return result < 0 ? -1 : encoder_flush(encoder);
}
