/* SPDX-License-Identifier: ISC
 *
 * What becomes of one message that a user submits: may it be converted, who
 * of the recipients can open a placeholder, into whose mailbox do its parts
 * go, and back to Postfix, where it is signed. What is not to be converted,
 * or cannot be now, goes as it is. The broker keeps nothing: what must wait
 * is told to Postfix, recipient by recipient, and a share of which nobody
 * will hear is withdrawn.
 */
#ifndef OUTBOUND_H
#define OUTBOUND_H

#include "capability.h"
#include "delivery.h"
#include "destination_map.h"
#include "envelope.h"
#include "outbound_recipients.h"
#include "outbound_share.h"
#include "recipient_step.h"

struct outbound {
	const struct recipient_step *step; /* for local recipients */
	const struct destination_map *origins;
	const unsigned char *secret; /* share_secret.h */
	struct capability_cache *capabilities;
	/* For tests: the functions of origin.h, capability_find and
	 * smtp_client_send. */
	struct outbound_origin origin;
	outbound_ask *ask;
	delivery_send *smtp_send;
};

/* The callback of lmtp_session; `context` is the struct outbound. Afterwards
 * every recipient has a reply. */
void outbound_deliver(void *context, struct envelope *envelope,
    const char *message, size_t len);

#endif
