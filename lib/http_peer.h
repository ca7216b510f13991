/* SPDX-License-Identifier: ISC
 *
 * Where a call of the HTTP client goes and whom it is to find there: checks
 * the URL, asks for addresses and pins, leaves out forbidden addresses. Used
 * by http_client.c alone.
 */
#ifndef HTTP_PEER_H
#define HTTP_PEER_H

#include "http_client.h"
#include "http_trust.h"

struct http_peer {
	const struct http_client_options *options;
	struct http_trust_check check; /* for the handshake */
	/* "host:port:address,address" of the last host, "" if libcurl is to
	 * resolve it; and until when it may be used. */
	char addresses[1280];
	char resolved[SERVICE_URL_SIZE];
	int64_t resolved_until, pinned_until;
};

/* `options` must outlive it. */
void http_peer_init(struct http_peer *peer,
    const struct http_client_options *options);

/* Drops what was resolved: the next call asks again. */
void http_peer_forget(struct http_peer *peer);

/* Makes `peer` that of the URL. Else as http_client_perform says. */
enum outcome
http_peer_find(struct http_peer *peer, const char *url, struct reason *why);

#endif
