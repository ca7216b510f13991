/* SPDX-License-Identifier: ISC
 *
 * Who we are to a Resource Mailbox, and who it is to us: an HTTPS client
 * that shows the certificate of one of our identities, whose key is gripd's,
 * and that finds and believes servers by gripd's resolver and the CA
 * bundle. One at a time, kept while the identity stays the same, so that
 * the next request to a server finds the connection still open.
 */
#ifndef CARGO_PEER_H
#define CARGO_PEER_H

#include <stdbool.h>

#include "grip_client.h"
#include "http_client.h"
#include "outcome.h"
#include "outward.h"
#include "peer_list.h"

struct cargo_peer_options {
	enum peer self; /* whose sockets to gripd */
	enum grip_role role; /* of its identities */
	const char *user_agent;
	const struct outward *outward;
	int64_t gripd_timeout; /* seconds */
	int64_t connect_timeout; /* seconds */
	int64_t minimum_rate; /* bytes a second; 0: the default */
	int64_t stall_timeout; /* seconds below it */
};

struct cargo_peer;

/* What `options` points to must outlive it. NULL with `why`. */
struct cargo_peer *
cargo_peer_new(const struct cargo_peer_options *options, struct reason *why);
void cargo_peer_free(struct cargo_peer **peer);

/* The client that shows the certificate of `identity`, as gripd has it now;
 * owned by the peer, good until the next call. TEMPFAIL if gripd is away or
 * has no such identity: it may get one. */
enum outcome cargo_peer_get(struct cargo_peer *peer, const char *identity,
    struct http_client **client_r, struct reason *why);

/*
 * A token of `identity` for a request by the client that cargo_peer_get gave
 * last, as grip_client_token. TEMPFAIL "gripd" if it has another key than
 * that client's certificate, because keys were rotated in between: others
 * would refuse the pair for good.
 */
enum outcome cargo_peer_token(struct cargo_peer *peer, const char *identity,
    enum grip_type type, const struct grip_claims *claims, char **token_r,
    struct reason *why);

/* Is this token, made earlier, of the key of that client? */
bool cargo_peer_owns(const struct cargo_peer *peer, const char *token);

/* To have other things signed; owned by the peer. */
struct grip_client *cargo_peer_signer(struct cargo_peer *peer);

#endif
