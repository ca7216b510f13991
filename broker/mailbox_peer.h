/* SPDX-License-Identifier: ISC
 *
 * Who we are to a Resource Mailbox, a destination or an origin (a _cb
 * identity, whose key is gripd's), and who it is to us (addresses and pins by
 * gripd, trust by the CA bundle). One process, one HTTP client at a time.
 */
#ifndef MAILBOX_PEER_H
#define MAILBOX_PEER_H

#include <stdbool.h>

#include "broker_config.h"
#include "grip_client.h"
#include "http_client.h"
#include "outcome.h"

struct mailbox_peer;

/* `config` must outlive it. */
struct mailbox_peer *mailbox_peer_new(const struct broker_config *config);
void mailbox_peer_free(struct mailbox_peer **peer);

/* The client that speaks to `url` as `identity`; owned by the peer, good
 * until the next call. TEMPFAIL when gripd is not there or has no such
 * identity. */
enum outcome mailbox_peer_get(struct mailbox_peer *peer, const char *identity,
    const struct service_url *url, struct http_client **client_r,
    struct reason *why);

/* True if it is reached by mailbox.sock. */
bool mailbox_peer_is_local(const struct mailbox_peer *peer,
    const struct service_url *url);

/* The URL of a path there, as that client wants it; owned by the caller. */
char *mailbox_peer_url(const struct mailbox_peer *peer,
    const struct service_url *url, const char *path);

/* An answer that is no success: permanent only if the peer is verified and
 * its problem is one that we know as such; the word is its name. */
enum outcome mailbox_peer_judge(const struct service_url *url,
    const struct http_result *result, struct reason *why);

/* What a token is to say, and to whom it goes. */
struct mailbox_peer_token {
	const struct service_url *url;
	const char *identity;
	enum grip_type type;
	const struct grip_claims *claims;
};

/* A token of `identity` for a request to `url` by the client that
 * mailbox_peer_get gave for it. As cargo_peer_token; where there is no TLS
 * its key does not matter. */
enum outcome mailbox_peer_token(struct mailbox_peer *peer,
    const struct mailbox_peer_token *what, char **token_r, struct reason *why);

/* Does this token, made earlier, still fit that client? */
bool mailbox_peer_owns(const struct mailbox_peer *peer,
    const struct service_url *url, const char *token);

#endif
