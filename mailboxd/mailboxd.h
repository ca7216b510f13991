/* SPDX-License-Identifier: ISC
 *
 * The daemon's one object: what every module of mailboxd works with. Made
 * by server.c, owned by main.
 */
#ifndef MAILBOXD_H
#define MAILBOXD_H

#include <stdint.h>

#include <event2/event.h>

#include "grip_client.h"
#include "http_server.h"
#include "local_asker.h"
#include "mailboxd_config.h"
#include "mailboxd_metrics.h"
#include "peer_list.h"
#include "store.h"
#include "tls_server.h"
#include "work_pool.h"

/* Where a connection came in; decides which routes it may use. */
enum door {
	DOOR_TLS, /* the world */
	DOOR_PULL, /* pull.sock: retrievald */
	DOOR_BROKER, /* mailbox.sock: the broker of this host */
	DOOR_WEB, /* the world, by the name of a web host */
};

struct mailboxd {
	const struct mailboxd_config *config;
	struct event_base *base;
	struct peer_listener peers[PEER_LISTENERS_MAX]; /* for their uids */
	size_t peer_count;
	struct store *store;
	struct http_server *http;
	struct tls_server *tls;
	struct grip_client *signer; /* handshakes and certificates */
	struct local_asker *resolver; /* verifies tokens */
	struct work_pool *passwords; /* Argon2, one at a time */
	struct work_pool *placeholders; /* MIME */
	struct pull_server *pulls; /* leases */
	struct row_cache *rows; /* of the event loop */
	struct wait_list *messages; /* owners who wait for news */
	struct control *control;
	struct metrics *metrics; /* mailboxd_metrics; NULL in tests */
	int64_t walk_due; /* when metrics ask for the next one */
};

#endif
