/* SPDX-License-Identifier: ISC
 *
 * Whether a TLS server is the one that was meant: by a CA bundle with the
 * host as the only reference name, or by the hashes of its key. Used by
 * http_client.c alone; http_client.h shows how a bundle is made.
 */
#ifndef HTTP_TRUST_H
#define HTTP_TRUST_H

#include <openssl/ssl.h>

#include "http_client.h"

/* What a handshake is judged by. */
struct http_trust_check {
	const struct http_client_trust *trust; /* NULL: pins alone */
	struct http_client_pins pins;
	char host[SERVICE_HOST_SIZE];
};

/* The client's own certificate and key; empty if there is none. */
struct http_identity {
	STACK_OF(X509) * chain; /* leaf first */
	EVP_PKEY *key;
};

/* Sets a client's SSL_CTX up: TLS 1.3 alone, the check (which must live as
 * long as the context), the identity. 0, or -1. */
int http_trust_configure(SSL_CTX *ctx, struct http_trust_check *check,
    const struct http_identity *identity);

/* Parses the chain and takes a reference of the key. */
enum outcome http_identity_set(struct http_identity *identity_r,
    const struct http_client_options *options, struct reason *why);
void http_identity_clear(struct http_identity *identity);

#endif
