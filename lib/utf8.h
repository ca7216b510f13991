/* SPDX-License-Identifier: ISC
 *
 * UTF-8 (RFC 3629), strict: no overlong forms, surrogates, or code points
 * beyond U+10FFFF. Reads hostile bytes.
 */
#ifndef UTF8_H
#define UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Decodes the first character of `len` bytes. The number of its bytes, or 0
 * if they are no UTF-8 (or len is 0). */
size_t utf8_decode(const char *text, size_t len, uint32_t *code_r);

/* Writes one code point, at most 4 bytes; their number. */
size_t utf8_encode(uint32_t code, char text_r[4]);

/* 1 if all of it is UTF-8. */
int utf8_valid(const char *text, size_t len);

/* 1 for a character that draws nothing or redraws what stands around it:
 * controls, directional marks, invisible ones. Never shown as it is. */
int utf8_is_deceptive(uint32_t code);

#endif
