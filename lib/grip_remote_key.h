/* SPDX-License-Identifier: ISC
 *
 * Private keys that live in gripd, usable by OpenSSL in this process: a
 * built-in OpenSSL provider whose keys hold the public half and send what is
 * to be signed, whole, to the signer. It signs TLS handshakes and nothing
 * else, because gripd signs nothing else on that path: of TLS 1.3, and for
 * GRIP_ROLE_WEB also the key exchange of TLS 1.2. So an SSL_CTX with the key
 * of any other role is TLS 1.3 only. P-256 and Ed25519.
 *
 * A provider, because ENGINE and EC_KEY_METHOD hand over only a digest, and
 * a digest does not tell a handshake from a token.
 */
#ifndef GRIP_REMOTE_KEY_H
#define GRIP_REMOTE_KEY_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "grip_client.h"
#include "visibility.h"

/* Loads the provider into OpenSSL's default library context; once is enough,
 * before there are threads, more do no harm. Nothing is loaded from disk: also
 * fine in a chroot. 0, or -1. */
GRIP_EXPORT int grip_remote_key_init(void);

/*
 * The key of `certificate`, with its private half at `signer` under the name
 * `identity` (copied). `signer` must outlive the key and all that holds it,
 * and is used by whatever thread does the handshake. A signature blocks for
 * at most the client's time-out. The caller owns the key: EVP_PKEY_free().
 * NULL if the certificate's key is neither P-256 nor Ed25519, without
 * grip_remote_key_init(), or for want of memory.
 *
 * After SSL_CTX_use_PrivateKey always ask SSL_CTX_check_private_key.
 */
GRIP_EXPORT EVP_PKEY *grip_remote_key_new(const X509 *certificate,
    const char *identity, struct grip_client *signer);

#endif
