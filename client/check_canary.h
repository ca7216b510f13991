/* SPDX-License-Identifier: ISC
 *
 * The user that a canary is sent by and to: a session with the mailbox, and
 * what is put there and taken away again.
 */
#ifndef CHECK_CANARY_H
#define CHECK_CANARY_H

#include "check.h"
#include "client_config.h"
#include "encoding.h"
#include "session.h"

#define CANARY_BYTES 65536

struct canary_user {
	struct check *check;
	const char *address;
	struct client_config config;
	struct client_config others; /* beside the mailbox of this host */
	const struct client_mailbox *mailbox; /* of config */
	struct session *session; /* with `mailbox` */
	struct session *receiver; /* where it came to; may be `session` */
	char *credential; /* of a session that mailboxd made, or NULL */
	const char *share;
	char hash[SHA256_HEX_SIZE];
	bool has_resource, has_share;
};

/* With the mailbox of this host, or by root's own cargomail-config(5), whose
 * mailboxes are looked at in any case. */
enum outcome canary_user_open(struct canary_user *user, struct reason *why);

/* Random bytes as a resource, and the share of them. */
enum outcome canary_user_put(struct canary_user *user, const char *message_id,
    int64_t expires, struct reason *why);

/* Waits for what came under the share, at most `seconds`, and fetches it.
 * PERMFAIL or TEMPFAIL with the mailbox's word if it failed. */
enum outcome
canary_user_get(struct canary_user *user, int seconds, struct reason *why);

/* Takes away share, resource and placeholder, ends the session. What could
 * not be taken away is told in `why`. */
enum outcome canary_user_close(struct canary_user *user, struct reason *why);

#endif
