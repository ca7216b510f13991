/* SPDX-License-Identifier: ISC
 *
 * Strict UTF-8. Sixty lines by hand: no library of the set offers it.
 */
#include "utf8.h"

/* Bytes of a sequence by its first byte, and the least code point that may
 * be written so. */
static size_t
utf8_sequence(unsigned char first, uint32_t *bits_r, uint32_t *least_r)
{
	if (first < 0x80) {
		*bits_r = first;
		*least_r = 0;
		return 1;
	}
	if (first >= 0xc2 && first < 0xe0) {
		*bits_r = first & 0x1f;
		*least_r = 0x80;
		return 2;
	}
	if (first >= 0xe0 && first < 0xf0) {
		*bits_r = first & 0x0f;
		*least_r = 0x800;
		return 3;
	}
	if (first >= 0xf0 && first < 0xf5) {
		*bits_r = first & 0x07;
		*least_r = 0x10000;
		return 4;
	}
	return 0;
}

size_t
utf8_decode(const char *text, size_t len, uint32_t *code_r)
{
	uint32_t code, least;
	size_t bytes;

	if (len == 0)
		return 0;
	bytes = utf8_sequence((unsigned char)text[0], &code, &least);
	if (bytes == 0 || bytes > len)
		return 0;
	for (size_t i = 1; i < bytes; i++) {
		unsigned char byte = (unsigned char)text[i];

		if ((byte & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (byte & 0x3f);
	}
	if (code < least || code > 0x10ffff ||
	    (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*code_r = code;
	return bytes;
}

size_t
utf8_encode(uint32_t code, char text_r[4])
{
	if (code < 0x80) {
		text_r[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		text_r[0] = (char)(0xc0 | code >> 6);
		text_r[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		text_r[0] = (char)(0xe0 | code >> 12);
		text_r[1] = (char)(0x80 | (code >> 6 & 0x3f));
		text_r[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	text_r[0] = (char)(0xf0 | code >> 18);
	text_r[1] = (char)(0x80 | (code >> 12 & 0x3f));
	text_r[2] = (char)(0x80 | (code >> 6 & 0x3f));
	text_r[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

int
utf8_valid(const char *text, size_t len)
{
	uint32_t code;
	size_t bytes;

	for (size_t i = 0; i < len; i += bytes)
		if ((bytes = utf8_decode(text + i, len - i, &code)) == 0)
			return 0;
	return 1;
}

/* Ranges of code points that draw nothing or redraw what stands around
 * them (Unicode categories Cc, Cf, Zl, Zp as far as they can deceive). */
static const struct {
	uint32_t first, last;
} deceptive[] = {
	{ 0x00, 0x1f },
	{ 0x7f, 0x9f },
	{ 0xad, 0xad },
	{ 0x061c, 0x061c },
	{ 0x180e, 0x180e },
	{ 0x200b, 0x200f },
	{ 0x2028, 0x202e },
	{ 0x2060, 0x206f },
	{ 0xfeff, 0xfeff },
	{ 0xfff9, 0xfffb },
	{ 0xe0000, 0xe007f },
};

int
utf8_is_deceptive(uint32_t code)
{
	for (size_t i = 0; i < sizeof(deceptive) / sizeof(deceptive[0]); i++)
		if (code >= deceptive[i].first && code <= deceptive[i].last)
			return 1;
	return 0;
}
