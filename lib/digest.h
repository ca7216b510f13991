/* SPDX-License-Identifier: ISC
 *
 * SHA-256 of a stream, by OpenSSL: it uses the processor's own instructions,
 * which makes five times the speed of libsodium's portable one, and large
 * attachments are hashed more than once on their way.
 */
#ifndef DIGEST_H
#define DIGEST_H

#include <stddef.h>

#include "encoding.h"

struct digest;

/* Aborts where there is no memory. digest_finish() writes the hash in hex
 * with NUL, frees the digest and sets it to NULL; digest_free() drops it. */
struct digest *digest_new(void);
void digest_add(struct digest *digest, const void *data, size_t len);
void digest_finish(struct digest **digest, char text_r[SHA256_HEX_SIZE]);
void digest_free(struct digest **digest);

#endif
