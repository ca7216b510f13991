/* SPDX-License-Identifier: ISC
 *
 * Who we are to a destination (a _cb identity, whose key is gripd's), and
 * who a destination is to us (addresses and pins by gripd, trust by the CA
 * bundle). One process, one HTTP client at a time.
 */
#ifndef NOTIFY_PEER_H
#define NOTIFY_PEER_H

#include <stdbool.h>

#include "broker_config.h"
#include "grip_client.h"
#include "http_client.h"
#include "outcome.h"

struct notify_peer;

/* `config` must outlive it. */
struct notify_peer *notify_peer_new(const struct broker_config *config);
void notify_peer_free(struct notify_peer **peer);

/* The client that speaks to `url` as `identity`; owned by the peer, good
 * until the next call. TEMPFAIL when gripd is not there or has no such
 * identity. */
enum outcome notify_peer_get(struct notify_peer *peer, const char *identity,
    const struct service_url *url, struct http_client **client_r,
    struct reason *why);

/* True if it is reached by mailbox.sock. */
bool notify_peer_is_local(const struct notify_peer *peer,
    const struct service_url *url);

/* The URL of a path there, as that client wants it; owned by the caller. */
char *notify_peer_url(const struct notify_peer *peer,
    const struct service_url *url, const char *path);

struct grip_client *notify_peer_signer(struct notify_peer *peer);

#endif
