/* SPDX-License-Identifier: ISC
 *
 * What becomes of one message from outside: is the sender proven, is it a
 * placeholder whose header and body agree, who of the recipients has a
 * destination, what does that say, and back to Postfix with the right lines
 * on top. The broker keeps nothing: a recipient who cannot be served now is
 * told to Postfix as a temporary failure, one by one.
 */
#ifndef INBOUND_H
#define INBOUND_H

#include "breaker.h"
#include "broker_config.h"
#include "cargo_placeholder.h"
#include "delivery.h"
#include "destination_map.h"
#include "envelope.h"
#include "notify.h"

struct inbound {
	const struct broker_config *config;
	const struct destination_map *map;
	struct breaker *breaker;
	struct notify *notify;
	/* For tests: notify_send, smtp_client_send and clock_now. */
	enum outcome (*notify_send)(struct notify *notify,
	    const struct notify_message *message,
	    const struct destination *destination, const char *recipient,
	    struct reason *why);
	delivery_send *smtp_send;
	int64_t (*now)(void);
};

/* The callback of lmtp_session; `context` is the struct inbound. Afterwards
 * every recipient has a reply. */
void inbound_deliver(void *context, struct envelope *envelope,
    const char *message, size_t len);

#endif
