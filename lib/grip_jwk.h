/* SPDX-License-Identifier: ISC
 *
 * Public keys as JWK (RFC 7517, RFC 7518 section 6.2, RFC 8037): P-256 and
 * Ed25519, exactly the public members, the point on the curve. Reads hostile
 * JSON that the strict parser has already passed.
 */
#ifndef GRIP_JWK_H
#define GRIP_JWK_H

#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>
#include <openssl/evp.h>

#include "outcome.h"
#include "visibility.h"

/* The key, owned by the caller (EVP_PKEY_free). PERMFAIL "form" if the
 * object is anything but such a key; TEMPFAIL for want of memory. */
GRIP_EXPORT enum outcome
grip_jwk_parse(const cJSON *jwk, EVP_PKEY **key_r, struct reason *why);

/* The public half of a key, owned by the caller (cJSON_Delete); NULL if the
 * key is of another kind or for want of memory. */
GRIP_EXPORT cJSON *grip_jwk_format(EVP_PKEY *key);

/* SHA-256 over the DER SubjectPublicKeyInfo: what the DNS publishes. 0, or
 * -1. The second writes it as lower-case hex with NUL. */
GRIP_EXPORT int grip_jwk_spki_sha256(EVP_PKEY *key, uint8_t hash_r[32]);
GRIP_EXPORT int grip_jwk_spki_hash(EVP_PKEY *key, char hex_r[65]);

#endif
