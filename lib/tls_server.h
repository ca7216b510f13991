/* SPDX-License-Identifier: ISC
 *
 * The server side of TLS: one SSL_CTX for each server name, chosen by SNI.
 *
 * TLS 1.3 only; no tickets, resumption, early data or renegotiation. Every
 * client is asked for a certificate and none is demanded. Names for browsers
 * differ: nobody is asked, and TLS 1.2 is spoken too (with ECDHE, ECDSA and an
 * AEAD only), but never by a client that names no host or another. Of a
 * certificate only the key counts: a P-256 or Ed25519 leaf is taken, whoever
 * issued it and whatever its dates; any other key is refused by an alert.
 * Private keys may be remote (grip_remote_key.h).
 */
#ifndef TLS_SERVER_H
#define TLS_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "outcome.h"

struct tls_der {
	const uint8_t *data;
	size_t len;
};

struct tls_server;

/* Never NULL (aborts for want of memory). */
struct tls_server *tls_server_new(void);

/* Frees it and sets the pointer NULL; live connections are not harmed. */
void tls_server_free(struct tls_server **tls);

struct tls_name {
	const char *name; /* lower-case host name */
	const struct tls_der *chain; /* leaf first */
	size_t chain_len;
	EVP_PKEY *key; /* reference is taken */
	bool web; /* a name for browsers; its key is P-256 */
};

/* Adds a server name, or replaces its certificate. The first name, not one
 * for browsers, is also served to clients that send no SNI. PERMFAIL
 * "certificate" if chain and key do not fit or are of a kind we do not
 * serve. */
enum outcome tls_server_add(struct tls_server *tls, const struct tls_name *name,
    struct reason *why);

/* Replaces all names at once, or on failure none (reload). */
enum outcome tls_server_replace_all(struct tls_server *tls,
    const struct tls_name *names, size_t count, struct reason *why);

/* True if `host` is one of the names. */
bool tls_server_has(const struct tls_server *tls, const char *host);

/* A new server-side SSL for a connection, not yet bound to a descriptor;
 * NULL if no name was added. Owned by the caller (SSL_free). */
SSL *tls_server_accept(struct tls_server *tls);

/* True if this is the DER SubjectPublicKeyInfo of a P-256 (uncompressed) or
 * an Ed25519 key, exactly. */
bool tls_key_is_accepted(const uint8_t *spki, size_t len);

#endif
