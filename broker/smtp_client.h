/* SPDX-License-Identifier: ISC
 *
 * Gives one message back to Postfix by SMTP, for some of the recipients of
 * an envelope, with header lines before it. Nothing else of the message is
 * touched.
 */
#ifndef SMTP_CLIENT_H
#define SMTP_CLIENT_H

#include <stdbool.h>

#include "envelope.h"

struct smtp_client_options {
	const char *server; /* "unix:PATH" or "inet:HOST:PORT" */
	const char *hostname; /* for EHLO */
	int timeout_ms;
};

struct smtp_client_message {
	struct envelope *envelope;
	/* Indices of the recipients that are meant. */
	const size_t *recipients;
	size_t count;
	const char *prepend; /* complete header lines */
	const char *data;
	size_t len;
	/* The data are not those that came with the envelope: BODY is told by
	 * them, not by the envelope. */
	bool other;
};

/* Sets the reply of each recipient meant: that of the server, or a 451 of
 * our own if there was none. Never a 421: Postfix would take it for the
 * whole session. */
void smtp_client_send(const struct smtp_client_options *options,
    const struct smtp_client_message *message);

#endif
