/* SPDX-License-Identifier: ISC
 *
 * JWS in compact form (RFC 7515), of the narrow kind that GRIP uses: the
 * protected header has exactly "typ" and "alg", alg is ES256 (RFC 7518) or
 * EdDSA with Ed25519 (RFC 8037). Reads hostile bytes; limits come before
 * allocation.
 *
 * Written by hand: JOSE libraries accept more headers, algorithms and key
 * sources than may ever be believed here.
 */
#ifndef GRIP_JWS_H
#define GRIP_JWS_H

#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>
#include <openssl/evp.h>

#include "outcome.h"
#include "visibility.h"

#define GRIP_JWS_MAX 8192 /* bytes of one token with all nested */
#define GRIP_JWS_SIGNATURE 64 /* bytes: r and s, or Ed25519 */

enum grip_alg { GRIP_ES256, GRIP_EDDSA };

struct grip_jws {
	char *text; /* the whole token, NUL-terminated */
	size_t signed_len; /* the signing input is text[0..signed_len) */
	char typ[32];
	enum grip_alg alg;
	cJSON *payload; /* an object that passed json_strict */
	uint8_t signature[GRIP_JWS_SIGNATURE];
};

/* `text` needs no NUL. PERMFAIL "form" if malformed; TEMPFAIL for want of
 * memory. The result is the caller's (grip_jws_free). */
GRIP_EXPORT enum outcome grip_jws_parse(const char *text, size_t len,
    struct grip_jws **jws_r, struct reason *why);
GRIP_EXPORT void grip_jws_free(struct grip_jws **jws);

/* Verifies with this key. PERMFAIL "signature" if it does not fit or the key
 * is not of the algorithm's kind. */
GRIP_EXPORT enum outcome
grip_jws_verify(const struct grip_jws *jws, EVP_PKEY *key, struct reason *why);

/*
 * Signs: header from `typ` and the kind of `key` (which holds a private
 * key), `payload` as JSON text. The token is the caller's (free()). TEMPFAIL
 * "internal" if it cannot be done; a result above GRIP_JWS_MAX is PERMFAIL
 * "form".
 */
GRIP_EXPORT enum outcome grip_jws_sign(const char *typ, const char *payload,
    EVP_PKEY *key, char **token_r, struct reason *why);

#endif
