/* SPDX-License-Identifier: ISC
 *
 * A notification again: a pull waits whose token B was signed by a key that
 * is no longer published. The administrator brings what the Resource Mailbox
 * knows of it, and the placeholder; we sign a new token for the same and tell
 * the mailbox, which takes the later token.
 *
 * What is brought comes from the mailbox, which must not lead us to sign what
 * it likes: it has to agree with the placeholder and with our own map, and the
 * mailbox that the map names has to know it by the very id. So nobody gets a
 * token for another's mailbox, and nothing new comes of it anywhere.
 */
#ifndef RENOTIFY_H
#define RENOTIFY_H

#include <stdint.h>

#include <cjson/cJSON.h>

#include "broker_config.h"
#include "cargo_placeholder.h"
#include "destination_map.h"
#include "metrics.h"
#include "notify.h"

/* Of the placeholder in base64. */
#define RENOTIFY_TEXT_MAX ((CARGO_MAX_PLACEHOLDER + 2) / 3 * 4)

struct renotify {
	const struct broker_config *config;
	const struct destination_map *map;
	struct metrics *metrics; /* broker_metrics; NULL: none */
	struct notify *notify;
	/* For tests: notify_send. */
	enum outcome (*notify_send)(struct notify *notify,
	    const struct notify_message *message,
	    const struct destination *destination, const char *recipient,
	    struct notify_answer *answer_r, struct reason *why);
	int64_t now;
};

/*
 * One request of cargomailctl: {"message", "message_id", "sender",
 * "recipient", "mailbox", "broker", "origin", "share", "expires", "text"}.
 * OK once the mailbox has the new token; its answer and the mailbox's URL go
 * to *answer_r and *destination_r. PERMFAIL "request" (not such a request),
 * "expired", "disagree" (with the placeholder), "broker" (not ours to
 * notify), "destination" (none in the map), or what a placeholder or the
 * mailbox was refused for. Logs it. Blocks for as long as a notification.
 */
enum outcome renotify_run(const struct renotify *renotify, const cJSON *request,
    struct notify_answer *answer_r, struct destination *destination_r,
    struct reason *why);

#endif
