/* SPDX-License-Identifier: ISC
 *
 * The original in place of the placeholder, for clients that know nothing of
 * Cargomail: where the mailbox is on this host and the account gives back to
 * its broker, the recipient is held until the pull is done, then the message
 * is rebuilt and goes in place of the placeholder. The broker keeps nothing:
 * who must wait longer is told to Postfix as a temporary failure.
 *
 * What is fetched is hostile (a stranger's content), and is only hashed and
 * copied. Whatever goes wrong, the placeholder with its note is still there:
 * nothing is lost, and nothing is tried for ever.
 */
#ifndef RELEASE_H
#define RELEASE_H

#include <stdint.h>

#include "breaker.h"
#include "broker_config.h"
#include "cargo_placeholder.h"
#include "delivery.h"
#include "envelope.h"
#include "notify.h"
#include "release_fetch.h"

/* The same for every message of a process. */
struct release_options {
	const struct broker_config *config;
	struct breaker *breaker; /* has the places to wait; NULL: always */
	const char *spool; /* directory */
	/* For tests: release_fetch_source, clock_now. */
	const struct release_source *source;
	void *context; /* of the source */
	int64_t (*now)(void);
};

/* One placeholder; everything is borrowed. See recipient_step.h. */
struct release_message {
	const char *id; /* for the log */
	const struct cargo_placeholder *placeholder;
	const char *data;
	size_t len;
	int64_t began, arrived;
	const struct delivery_form *form;
};

struct release;

struct release *release_new(const struct release_options *options,
    const struct release_message *message);
void release_free(struct release **release);

/* Recipient `index` was notified at this destination, with this answer. One
 * that gets the placeholder in any case is not noted. */
void release_add(struct release *release, size_t index,
    const struct destination *destination, const struct notify_answer *answer);

/* Serves those that were added: sets `form` and `prepend`, or a reply of
 * 451, or leaves things as they are. What `form` points to is the release's,
 * so it must outlive the delivery. */
void release_run(struct release *release, struct envelope *envelope);

/* After the delivery: whose original was too large for Postfix gets the
 * placeholder. True if there are such: deliver once more. */
bool release_again(struct release *release, struct envelope *envelope);

#endif
