/* SPDX-License-Identifier: ISC
 *
 * One LMTP transaction: what Postfix said, and what each recipient is told.
 */
#ifndef ENVELOPE_H
#define ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>

#include "outcome.h"
#include "smtp_line.h"

/* Postfix sends at most lmtp_destination_recipient_limit (50) at once. */
#define ENVELOPE_MAX_RECIPIENTS 1000
#define ENVELOPE_MAX_FORWARD 14
#define ENVELOPE_REPLY_SIZE 512
#define ENVELOPE_PREPEND_SIZE 1024

struct delivery_form;

struct envelope_recipient {
	char path[MAIL_ADDRESS_SIZE]; /* as Postfix wrote it */
	struct smtp_parameters parameters;
	/* Header lines to be put before the message for this recipient,
	 * complete with CRLF; "" for none. */
	char prepend[ENVELOPE_PREPEND_SIZE];
	/* What this recipient gets in place of the message that came; NULL:
	 * that. See delivery.h. */
	const struct delivery_form *form;
	/* The reply after DATA, "250 2.0.0 ..." without CRLF; "" while there
	 * is none: then the message is still to be delivered. */
	char reply[ENVELOPE_REPLY_SIZE];
};

/* An attribute of XFORWARD, value in xtext. */
struct envelope_forward {
	char name[8];
	char value[256];
};

struct envelope {
	bool started; /* after MAIL */
	char sender[MAIL_ADDRESS_SIZE];
	struct smtp_parameters parameters; /* of MAIL */
	struct envelope_recipient *recipients;
	size_t count;
	struct envelope_forward forward[ENVELOPE_MAX_FORWARD];
	size_t forward_count;
	/* True if who gave us the message has hung up: he will bring it again,
	 * and what is delivered now comes twice. NULL: not known. */
	bool (*is_given_up)(void *connection);
	void *connection;
};

/* The status of a reply when nobody knows whether Postfix has the message:
 * the connection was lost on either side. */
#define ENVELOPE_LOST "451 4.4.2"

/* Forgets the transaction; `forward` and the connection stay. */
void envelope_reset(struct envelope *envelope);

/* Adds a recipient; -1 if there are too many. */
int envelope_add_recipient(struct envelope *envelope,
    const struct smtp_command *command);

/* Sets an attribute of XFORWARD (the callback of smtp_line). */
void envelope_set_forward(void *envelope, const char *name, const char *value);

/* Postfix's queue id from XFORWARD, "-" if it gave none. */
const char *envelope_id(const struct envelope *envelope);

/* Sets the reply of one recipient, "CODE STATUS TEXT"; control bytes in the
 * text become "?". */
void envelope_reply(struct envelope_recipient *recipient, const char *status,
    const char *text);

/* Gives every recipient without a reply this one. */
void envelope_reply_all(struct envelope *envelope, const char *status,
    const char *text);

#endif
