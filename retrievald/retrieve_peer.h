/* SPDX-License-Identifier: ISC
 *
 * The HTTPS client for one retrieval agent: its certificate and remote key,
 * the names and pins that gripd's resolver tells. Kept between pulls, so
 * that one origin's next pull finds the connection still open.
 */
#ifndef RETRIEVE_PEER_H
#define RETRIEVE_PEER_H

#include "grip_client.h"
#include "http_client.h"
#include "outcome.h"
#include "retrievald_config.h"

struct retrieve_peer;

/* Everything must outlive it. */
struct retrieve_peer *retrieve_peer_new(
    const struct retrievald_config *config,
    const struct http_client_trust *trust, struct grip_client *signer,
    struct grip_client *resolver);
void retrieve_peer_free(struct retrieve_peer **peer);

/* The client that shows the certificate of `agent`, as gripd has it now;
 * owned by the peer, good until the next call. TEMPFAIL if gripd is away or
 * has no such agent: it may get one. */
enum outcome retrieve_peer_get(struct retrieve_peer *peer,
    const char *agent, struct http_client **client_r, struct reason *why);

#endif
