/* SPDX-License-Identifier: ISC
 *
 * What becomes of each recipient of a placeholder whose sender is proven:
 * who has a destination, what does it say, which lines go on top, and, where
 * the mailbox gives the content back, the original in place of the
 * placeholder. Shared by mail from outside (inbound) and mail between users
 * of one domain (outbound).
 */
#ifndef RECIPIENT_STEP_H
#define RECIPIENT_STEP_H

#include "broker_config.h"
#include "broker_metrics.h"
#include "cargo_placeholder.h"
#include "delivery.h"
#include "destination_map.h"
#include "envelope.h"
#include "notify.h"
#include "release.h"

/* What it works with; the same for every message of a process. */
struct recipient_step {
	const struct broker_config *config;
	const struct destination_map *map;
	struct metrics *metrics; /* broker_metrics; NULL: none */
	struct notify *notify;
	/* For tests: notify_send and clock_now. */
	enum outcome (*notify_send)(struct notify *notify,
	    const struct notify_message *message,
	    const struct destination *destination, const char *recipient,
	    struct notify_answer *answer_r, struct reason *why);
	int64_t (*now)(void);
	struct release_options release; /* source NULL: never */
};

/* One placeholder; everything in it but `release` is borrowed. */
struct recipient_message {
	const char *id; /* Postfix's queue id, for the log */
	const char *sender; /* proven; normal form */
	const struct cargo_placeholder *placeholder;
	const char *data; /* what `placeholder` was parsed from */
	size_t len;
	int64_t began; /* when work on it began */
	int64_t arrived; /* in our own Postfix: recipient_step_arrival() */
	/* Whom it is about: the recipients with this form. NULL in a
	 * transaction where all get the message that came. */
	const struct delivery_form *form;
	/* Set by recipient_step_run: originals that go in its place. */
	struct release *release;
};

/*
 * Serves every recipient without a reply whose `form` is the message's:
 * notifies, sets `prepend` and for the original `form`, or a reply of 451 if
 * it is to be tried again. Without a destination in the map: nothing. Takes
 * minutes at most: whoever is not served in time is told to come again.
 * Always to be ended by recipient_step_end.
 */
void recipient_step_run(const struct recipient_step *step,
    struct recipient_message *message, struct envelope *envelope);

/* After delivery_run: true if some must be delivered once more, since Postfix
 * found their original too large. They get the placeholder. */
bool recipient_step_again(struct recipient_message *message,
    struct envelope *envelope);

/* Frees what recipient_step_run made; no form of it may be used any more. */
void recipient_step_end(struct recipient_message *message);

/* True if `path` has a destination for this category (NULL: none given)
 * in our own map: then it is local. */
bool recipient_step_is_local(const struct recipient_step *step,
    const char *path, const char *category);

/* Since when a message is in our own Postfix: the date of the topmost
 * Received, which its smtpd wrote; `now` if it cannot be read. `header` is
 * the length of the header. */
int64_t recipient_step_arrival(const char *message, size_t header, int64_t now);

/* Logs and counts what each recipient was told at last. */
void recipient_step_log(const struct recipient_step *step,
    const struct envelope *envelope);

/* Observes how long a message took us since `began` (monotonic, ms), and how
 * old it is; `direction` is "in" or "out". */
void recipient_step_measure(const struct recipient_step *step,
    const char *direction, int64_t began, int64_t arrived);

#endif
