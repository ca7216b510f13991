/* SPDX-License-Identifier: ISC
 *
 * The message for a recipient whose provider has no Cargomail: the sender's
 * own header and what was left in the message, with a note in place of what
 * was taken out: names, sizes, digests, until when, and the page where this
 * recipient can download them. Made out of the placeholder, so no resource
 * has to be read again.
 *
 * Each recipient's page has a secret of its own: one message for each of
 * them, never shared.
 */
#ifndef LEGACY_MESSAGE_H
#define LEGACY_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "outcome.h"

struct legacy_message;

/* Reads the placeholder, which is borrowed until freed. Fails as
 * cargo_placeholder_parse() does. It forks a child, as that does. */
enum outcome legacy_message_new(const char *placeholder, size_t len,
    struct legacy_message **legacy_r, struct reason *why);
void legacy_message_free(struct legacy_message **legacy);

/*
 * The whole message for the one recipient of this page
 * ("https://web.hospital.test/s/<secret>"), CRLF lines. PERMFAIL "form" if
 * the URL cannot stand in a message. The caller owns *message_r.
 */
enum outcome legacy_message_compose(const struct legacy_message *legacy,
    const char *page, char **message_r, size_t *len_r, struct reason *why);

/* With legacy = bounce: the reply of this recipient, for envelope_reply():
 * the status, and one sentence that says why and what to do. `limit` is
 * legacy_limit in bytes. */
#define LEGACY_BOUNCE_STATUS "550 5.3.4"
void legacy_message_bounce(const char *domain, int64_t limit, char text_r[256]);

#endif
