/* SPDX-License-Identifier: ISC
 *
 * Hex, base64 and base64url by libsodium, made strict where libsodium is
 * liberal (it takes upper-case hex). Input is hostile; output sizes are the
 * caller's and checked before a byte is written.
 */
#include "encoding.h"

#include <openssl/evp.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

void
hex_format(const void *data, size_t len, char *text_r)
{
	sodium_bin2hex(text_r, 2 * len + 1, data, len);
}

int
hex_parse(const char *text, void *data_r, size_t len)
{
	size_t used;

	if (strlen(text) != 2 * len ||
	    strspn(text, "0123456789abcdef") != 2 * len)
		return -1;
	if (sodium_hex2bin(data_r, len, text, 2 * len, NULL, &used, NULL) != 0)
		return -1;
	return used == len ? 0 : -1;
}

int
hex_is_sha256(const char *text)
{
	return text != NULL && strlen(text) == SHA256_HEX_LEN &&
	    strspn(text, "0123456789abcdef") == SHA256_HEX_LEN;
}

size_t
base64url_length(size_t len)
{
	return (len * 4 + 2) / 3;
}

void
base64url_format(const void *data, size_t len, char *text_r)
{
	sodium_bin2base64(text_r, base64url_length(len) + 1, data, len,
	    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

int
base64url_parse(const char *text, size_t text_len, void *data_r, size_t max,
    size_t *len_r)
{
	const char *end = NULL;

	/* libsodium refuses spare bits and padding for this variant. */
	if (sodium_base642bin(data_r, max, text, text_len, NULL, len_r, &end,
		sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0)
		return -1;
	return end == text + text_len ? 0 : -1;
}

char *
base64_format(const void *data, size_t len)
{
	size_t size =
	    sodium_base64_encoded_len(len, sodium_base64_VARIANT_ORIGINAL);
	char *text = malloc(size);

	if (text != NULL)
		sodium_bin2base64(text, size, data, len,
		    sodium_base64_VARIANT_ORIGINAL);
	return text;
}

void *
base64_parse(const char *text, size_t text_len, size_t *len_r)
{
	size_t max = text_len / 4 * 3 + 3;
	const char *end = NULL;
	void *data = malloc(max);

	if (data == NULL)
		return NULL;
	if (sodium_base642bin(data, max, text, text_len, NULL, len_r, &end,
		sodium_base64_VARIANT_ORIGINAL) != 0 ||
	    end != text + text_len) {
		free(data);
		return NULL;
	}
	return data;
}

void
sha256_hex(const void *data, size_t len, char text_r[SHA256_HEX_SIZE])
{
	unsigned char digest[SHA256_LEN];

	/* OpenSSL's uses the processor's SHA instructions. */
	EVP_Digest(data, len, digest, NULL, EVP_sha256(), NULL);
	hex_format(digest, sizeof(digest), text_r);
}
