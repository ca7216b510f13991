/* SPDX-License-Identifier: ISC
 *
 * Gives one message back to Postfix by SMTP, for some of the recipients of
 * an envelope, with header lines before it. Nothing else of the message is
 * touched.
 */
#ifndef SMTP_CLIENT_H
#define SMTP_CLIENT_H

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
};

/* Sets the reply of each recipient meant: that of the server, or a 451 of
 * our own if there was none. Never a 421: Postfix would take it for the
 * whole session. */
void smtp_client_send(const struct smtp_client_options *options,
    const struct smtp_client_message *message);

#endif
