/* SPDX-License-Identifier: ISC
 *
 * One LMTP connection from Postfix (RFC 2033): a table of commands, straight
 * blocking code. What to do with a message is the caller's; each recipient
 * gets the reply that it left in the envelope.
 *
 * Reads hostile bytes (the message, and addresses within commands). Only a
 * line CRLF "." CRLF ends a message, and one with a bare LF is refused, so
 * nothing can be smuggled behind its end.
 */
#ifndef LMTP_SESSION_H
#define LMTP_SESSION_H

#include <stddef.h>
#include <stdint.h>

#include "envelope.h"

struct lmtp_session_options {
	const char *hostname;
	const char *spool; /* directory */
	int64_t max_size;
	int timeout_ms;
	/* Must leave a reply with each recipient. */
	void (*deliver)(void *context, struct envelope *envelope,
	    const char *message, size_t len);
	void *context;
	/* Told when a message is in our hands, and when its replies are out
	 * and we wait for a command: only then may we be ended. May be
	 * NULL. */
	void (*busy)(bool is_busy);
};

/* Serves the connection until it ends. */
void lmtp_session_run(int fd, const struct lmtp_session_options *options);

/* Takes the dots and the end off a message as it comes; for the session and
 * for tests. */
struct lmtp_data {
	int state;
	int bare_newline; /* 1: there was one */
	void (*add)(void *context, const void *data, size_t len);
	void *context;
};

/* Number of bytes used; *end_r is 1 when the end was among them. */
size_t lmtp_data_read(struct lmtp_data *data, const char *bytes, size_t len,
    int *end_r);

#endif
