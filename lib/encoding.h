/* SPDX-License-Identifier: ISC
 *
 * Hex, base64 and base64url (RFC 4648) by libsodium, strict: lower-case hex
 * only, no white space, no padding in base64url, no spare bits set.
 */
#ifndef ENCODING_H
#define ENCODING_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_LEN 32
#define SHA256_HEX_LEN 64
#define SHA256_HEX_SIZE 65 /* with NUL */

/* Writes 2 * len characters and a NUL to text_r. */
void hex_format(const void *data, size_t len, char *text_r);

/* Exactly 2 * len lower-case digits. 0, or -1. */
int hex_parse(const char *text, void *data_r, size_t len);

/* 1 if `text` is exactly 64 lower-case hex digits. */
int hex_is_sha256(const char *text);

/* Characters without NUL that `len` bytes become. */
size_t base64url_length(size_t len);

/* Writes base64url_length(len) characters and a NUL. */
void base64url_format(const void *data, size_t len, char *text_r);

/* Decodes exactly `text_len` characters into at most `max` bytes; their
 * number goes to *len_r. 0, or -1 for anything that is not canonical. */
int base64url_parse(const char *text, size_t text_len, void *data_r, size_t max,
    size_t *len_r);

/* The same for padded, classic base64 without line breaks. The returned
 * text or bytes belong to the caller (free()); NULL on error. */
char *base64_format(const void *data, size_t len);
void *base64_parse(const char *text, size_t text_len, size_t *len_r);

/* SHA-256 of a run of bytes, in hex with NUL. */
void sha256_hex(const void *data, size_t len, char text_r[SHA256_HEX_SIZE]);

#endif
