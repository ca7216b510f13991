/* SPDX-License-Identifier: ISC
 *
 * What becomes of one message from outside: is the sender proven, is it a
 * placeholder whose header and body agree, the step of
 * each recipient, and back to Postfix with the right lines
 * on top. The broker keeps nothing: a recipient who cannot be served now is
 * told to Postfix as a temporary failure, one by one.
 */
#ifndef INBOUND_H
#define INBOUND_H

#include "delivery.h"
#include "envelope.h"
#include "probe.h"
#include "recipient_step.h"

struct inbound {
	const struct recipient_step *step;
	delivery_send *smtp_send; /* smtp_client_send but in tests */
	struct probe *probe; /* NULL: none is expected */
};

/* The callback of lmtp_session; `context` is the struct inbound. Afterwards
 * every recipient has a reply. */
void inbound_deliver(void *context, struct envelope *envelope,
    const char *message, size_t len);

#endif
