/* SPDX-License-Identifier: ISC
 *
 * Content transfer encodings undone: see mail_decode.h.
 */
#include "mail_decode.h"

#include <string.h>

void
mail_decoder_init(struct mail_decoder *decoder, enum mail_encode_kind kind,
    const void *data, size_t len)
{
	*decoder = (struct mail_decoder){
		.kind = kind,
		.data = data,
		.len = len,
		.canonical = true,
	};
}

/* ---- base64 ------------------------------------------------------------ */

/* clang-format off */
/* The value of each digit and 1; 0 for what is none. From " " on. */
static const unsigned char values[256] = {
	[' '] =
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 63, 0, 0, 0, 64,
	53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 0, 0, 0, 0, 0, 0,
	0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
	16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 0, 0, 0, 0, 0,
	0, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41,
	42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 0, 0, 0, 0, 0,
};
/* clang-format on */

/* Above 63 if the character is no digit. */
static unsigned
value(unsigned char c)
{
	return values[c] - 1U;
}

/* Whole groups while there are some; the bytes made. */
static size_t
base64_run(struct mail_decoder *d, unsigned char *out, size_t max)
{
	const unsigned char *in = d->data + d->at;
	size_t groups = (d->len - d->at) / 4, room = max / 3, i;

	if (groups > room)
		groups = room;
	for (i = 0; i < groups; i++, in += 4, out += 3) {
		unsigned a = value(in[0]), b = value(in[1]);
		unsigned c = value(in[2]), e = value(in[3]);
		unsigned bits = a << 18 | b << 12 | c << 6 | e;

		if (((a | b | c | e) & ~63U) != 0)
			break;
		out[0] = (unsigned char)(bits >> 16);
		out[1] = (unsigned char)(bits >> 8);
		out[2] = (unsigned char)bits;
	}
	d->at += 4 * i;
	return 3 * i;
}

/* A group is whole, perhaps with padding. */
static void
base64_group(struct mail_decoder *d)
{
	unsigned bits = (unsigned)d->quad[0] << 18 | (unsigned)d->quad[1] << 12;

	bits |= d->quad_len > 2 ? (unsigned)d->quad[2] << 6 : 0;
	bits |= d->quad_len > 3 ? d->quad[3] : 0;
	d->held[0] = (unsigned char)(bits >> 16);
	d->held[1] = (unsigned char)(bits >> 8);
	d->held[2] = (unsigned char)bits;
	d->held_at = 0;
	d->held_len = d->quad_len - 1;
	for (size_t i = d->held_len; i < 3; i++)
		if (d->held[i] != 0)
			d->canonical = false;
	d->quad_len = 0;
}

static int
base64_character(struct mail_decoder *d, unsigned char c)
{
	if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
		return 0;
	if (c == '=') {
		if (d->pads == 0 ? d->quad_len < 2 : d->pads == 1)
			return -1;
		if (d->pads == 0) {
			d->pads = 5 - (unsigned)d->quad_len;
			base64_group(d);
		}
		d->pads--;
		return 0;
	}
	if (d->pads > 0 || value(c) > 63)
		return -1;
	d->quad[d->quad_len++] = (unsigned char)value(c);
	if (d->quad_len == 4)
		base64_group(d);
	return 0;
}

static ssize_t
base64_read(struct mail_decoder *d, unsigned char *out, size_t max)
{
	size_t len = 0;

	while (len < max) {
		if (d->held_at < d->held_len) {
			out[len++] = d->held[d->held_at++];
			continue;
		}
		if (d->quad_len == 0 && d->pads == 0)
			len += base64_run(d, out + len, max - len);
		if (len == max)
			break;
		if (d->at == d->len) {
			if (d->quad_len > 0 || d->pads > 1)
				return -1;
			break;
		}
		if (base64_character(d, d->data[d->at++]) < 0)
			return -1;
	}
	return (ssize_t)len;
}

/* ---- quoted-printable -------------------------------------------------- */

static int
qp_digit(struct mail_decoder *d, unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f') {
		d->canonical = false;
		return c - 'a' + 10;
	}
	return -1;
}

/* Behind a "=": a soft break (0), a byte (1), or nonsense (-1). */
static int
qp_escape(struct mail_decoder *d, unsigned char *byte_r)
{
	const unsigned char *in = d->data + d->at;
	size_t left = d->len - d->at, blank = 0;
	int high, low;

	if (left >= 2 && (high = qp_digit(d, in[0])) >= 0 &&
	    (low = qp_digit(d, in[1])) >= 0) {
		*byte_r = (unsigned char)(high << 4 | low);
		d->at += 2;
		return 1;
	}
	while (blank < left && (in[blank] == ' ' || in[blank] == '\t'))
		blank++;
	if (blank < left && in[blank] == '\r')
		blank++;
	if (blank < left && in[blank] != '\n')
		return -1;
	d->at += blank < left ? blank + 1 : blank;
	return 0;
}

static ssize_t
qp_read(struct mail_decoder *d, unsigned char *out, size_t max)
{
	size_t len = 0;

	while (len < max && d->at < d->len) {
		const unsigned char *in = d->data + d->at, *escape;
		size_t run = d->len - d->at;
		int found;

		if (run > max - len)
			run = max - len;
		if ((escape = memchr(in, '=', run)) != NULL)
			run = (size_t)(escape - in);
		memcpy(out + len, in, run);
		len += run;
		d->at += run;
		if (escape == NULL)
			continue;
		d->at++;
		if ((found = qp_escape(d, out + len)) < 0)
			return -1;
		len += (size_t)found;
	}
	return (ssize_t)len;
}

/* ---- */

static ssize_t
identity_read(struct mail_decoder *d, void *out, size_t max)
{
	size_t len = d->len - d->at;

	if (len > max)
		len = max;
	memcpy(out, d->data + d->at, len);
	d->at += len;
	return (ssize_t)len;
}

ssize_t
mail_decoder_read(struct mail_decoder *decoder, void *data_r, size_t max)
{
	switch (decoder->kind) {
	case MAIL_ENCODE_BASE64:
		return base64_read(decoder, data_r, max);
	case MAIL_ENCODE_QUOTED_PRINTABLE:
		return qp_read(decoder, data_r, max);
	default:
		return identity_read(decoder, data_r, max);
	}
}
