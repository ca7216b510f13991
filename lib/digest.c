/* SPDX-License-Identifier: ISC
 *
 * SHA-256 of a stream: see digest.h.
 */
#include "digest.h"

#include <openssl/evp.h>
#include <stdlib.h>

#include "memory.h"

struct digest {
	EVP_MD_CTX *context;
};

struct digest *
digest_new(void)
{
	struct digest *digest = x_calloc(1, sizeof(*digest));

	digest->context = EVP_MD_CTX_new();
	/* Fails only without memory. */
	if (digest->context == NULL ||
	    EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL) != 1)
		abort();
	return digest;
}

void
digest_add(struct digest *digest, const void *data, size_t len)
{
	if (EVP_DigestUpdate(digest->context, data, len) != 1)
		abort();
}

void
digest_finish(struct digest **digest, char text_r[SHA256_HEX_SIZE])
{
	unsigned char hash[SHA256_LEN];

	if (EVP_DigestFinal_ex((*digest)->context, hash, NULL) != 1)
		abort();
	hex_format(hash, sizeof(hash), text_r);
	digest_free(digest);
}

void
digest_free(struct digest **digest)
{
	if (*digest == NULL)
		return;
	EVP_MD_CTX_free((*digest)->context);
	free(*digest);
	*digest = NULL;
}
