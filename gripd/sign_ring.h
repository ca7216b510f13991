/* SPDX-License-Identifier: ISC
 *
 * The identities that the signer holds: policy, private key and certificate
 * chain of each.
 */
#ifndef SIGN_RING_H
#define SIGN_RING_H

#include <stdbool.h>

#include <openssl/evp.h>

#include "grip_protocol.h"
#include "key_files.h"
#include "sign_policy.h"

struct sign_identity {
	const struct sign_policy_identity *policy;
	EVP_PKEY *key;
	EVP_MD_CTX *ready; /* to sign with `key`; each signature copies it */
	struct grip_identity shown; /* name (the policy's), role, chain */
	char *missing; /* why it has no chain yet, one line; or NULL */
};

struct sign_ring {
	struct sign_policy policy;
	struct key_files *files;
	struct sign_identity *items; /* as many and in order as the policy */
};

/* Reads everything; `credentials` may be NULL. A certificate may come later:
 * such an identity has `missing`. NULL with *error_r (one line, free()). Before
 * the chroot. */
struct sign_ring *sign_ring_open(const char *policy, const char *keys,
    const char *credentials, char **error_r);

/* Reads the certificate chains anew; one that is missing or wrong is logged
 * and the old one stays. The number of those. Works after the chroot. */
size_t sign_ring_reload(struct sign_ring *ring);

/* May a caller of this role use an identity of that one? Only its own, and
 * mailboxd those of its web hosts too. */
bool sign_ring_may(enum grip_role caller, enum grip_role role);

/* The identity of this name that a caller of this role may use, or NULL. */
const struct sign_identity *sign_ring_find(const struct sign_ring *ring,
    const char *name, enum grip_role caller);

/* A context that is ready to sign with this key (EVP_MD_CTX_free()). */
EVP_MD_CTX *sign_ring_prepare(EVP_PKEY *key);

/* Frees it; OpenSSL wipes the keys. */
void sign_ring_close(struct sign_ring **ring);

#endif
