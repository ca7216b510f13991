/* SPDX-License-Identifier: ISC
 *
 * May a message that came for submission be converted? Only what an
 * authenticated user wrote as himself to people: our own Postfix's Received
 * says that he was authenticated, his envelope address is the one From; no
 * bounce, no list, no automatic answer, nothing sent on.
 *
 * Reads hostile bytes: an authenticated user is not a trusted one, and what
 * he forwards is anybody's.
 */
#ifndef SUBMISSION_H
#define SUBMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cargo_placeholder.h"
#include "envelope.h"
#include "mail_address.h"
#include "outcome.h"

struct submission {
	char sender[MAIL_ADDRESS_SIZE]; /* normal form */
	char *message_id; /* without brackets */
	char category[CARGO_CATEGORY_MAX + 1]; /* "" if none is given */
	bool placeholder; /* it has the header field of one */
};

/*
 * `header` is the message's header, `len` its length; `envelope_id` tells
 * which Received is our Postfix's. OK and the submission (submission_free()),
 * or PERMFAIL with the word
 *   bounce           null envelope sender
 *   unauthenticated  the topmost Received is not our Postfix's, or does not
 *                    say that the client was authenticated
 *   from             From is not exactly the envelope sender
 *   resent           Resent-* fields
 *   list             List-* fields, or Precedence of a list
 *   automatic        an automatic answer or a report
 *   message-id       no single Message-ID
 *   category         not one category in lower case
 */
enum outcome submission_check(const char *header, size_t len,
    const struct envelope *envelope, struct submission *submission_r,
    struct reason *why);

void submission_free(struct submission *submission);

/* What our own Received line says of us when a message has passed outbound;
 * `hostname` is our own. Owned by the caller. */
char *submission_trace(const char *hostname, const char *id, int64_t now);

/* True for a message that went through here outbound before, or too often
 * through anybody: then a wrong configuration sends it round. One that a user
 * or a list sends on (Resent-*, List-*) may have been here some times. */
bool submission_is_loop(const char *header, size_t len, const char *hostname);

#endif
