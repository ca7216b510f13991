/* SPDX-License-Identifier: ISC
 *
 * Tells a destination that something is there for one of its accounts: token
 * B by gripd, POST /v1/notifications. 202 means that the destination has it
 * on its disk.
 */
#ifndef NOTIFY_H
#define NOTIFY_H

#include <stddef.h>

#include "breaker.h"
#include "broker_config.h"
#include "cargo_placeholder.h"
#include "destination_map.h"
#include "http_client.h"
#include "outcome.h"

struct notify;
struct mailbox_peer;

/* All that it is given must outlive it. */
struct notify *
notify_new(const struct broker_config *config, struct breaker *breaker);
void notify_free(struct notify **notify);

/* Who it speaks as and to, for other requests. */
struct mailbox_peer *notify_get_peer(struct notify *notify);

struct notify_message {
	const struct cargo_placeholder *placeholder;
	const char *sender; /* normal form */
	const char *body; /* cargo_notification_compose() */
	size_t len;
	int64_t expires; /* of token B: the share's, 14 days at most */
	const char
	    *known; /* its id there, if it must be; NULL: it may be new */
	const char *queue_id; /* Postfix's, for its log; NULL: none */
};

/* What a destination says that has taken it. */
struct notify_answer {
	char message[129]; /* its id there, characters of base64url */
	bool release; /* we may read it back */
};

/*
 * OK: taken, and *answer_r is set. PERMFAIL: an authenticated destination
 * said no; the word is the name of its problem. TEMPFAIL: everything else;
 * "breaker" if it was not even tried. `recipient` is whom the sender wrote
 * to.
 */
enum outcome notify_send(struct notify *notify,
    const struct notify_message *message, const struct destination *destination,
    const char *recipient, struct notify_answer *answer_r, struct reason *why);

#endif
