/* SPDX-License-Identifier: ISC
 *
 * Which of the user's mailboxes holds what a placeholder names. The header
 * of a message is hostile: it only selects among configured mailboxes.
 */
#ifndef OPEN_MAILBOX_H
#define OPEN_MAILBOX_H

#include <stddef.h>

#include "client_config.h"
#include "outcome.h"

/*
 * By the topmost destination field, which the recipient's own broker put
 * there; without one, by the origin, for a message that the user sent.
 * PERMFAIL "config": kept somewhere that is not configured; PERMFAIL
 * "undelivered": no broker has given it to a mailbox (the text quotes the
 * status field, if there is one).
 */
enum outcome open_mailbox_choose(const struct client_config *config,
    const char *message, size_t len, const char *origin,
    const struct client_mailbox **mailbox_r, struct reason *why);

#endif
