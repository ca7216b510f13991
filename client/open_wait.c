/* SPDX-License-Identifier: ISC
 *
 * Waiting for resources: see open_wait.h.
 */
#include "open_wait.h"

#include <stdio.h>
#include <string.h>

#include "client.h"
#include "clock.h"
#include "message_list.h"
#include "terminal.h"

#define POLL_S 30

struct tally {
	int64_t bytes; /* of what is there */
	size_t pending, failed, unknown;
	const char *problem; /* of the last that failed */
};

/* What the mailbox says of one resource, in whichever message. */
static void
count_resource(const struct message_list *list, struct cargo_resource *wanted,
    struct tally *tally)
{
	const struct message_resource *resource, *best = NULL;
	size_t i, j;

	for (i = 0; i < list->count; i++)
		for (j = 0; j < list->items[i].count; j++) {
			resource = &list->items[i].resources[j];
			if (strcmp(resource->hash, wanted->hash) == 0 &&
			    (best == NULL || resource->state == MESSAGE_STORED))
				best = resource;
		}
	if (best != NULL && wanted->size < 0)
		wanted->size = best->size;
	if (best == NULL) {
		tally->unknown++;
	} else if (best->state == MESSAGE_STORED) {
		tally->bytes += best->size;
	} else if (best->state == MESSAGE_PENDING) {
		tally->pending++;
	} else {
		tally->failed++;
		tally->problem = best->problem;
	}
}

static void
count_all(struct cargo_placeholder *placeholder,
    const struct message_list *list, struct tally *tally)
{
	size_t i;

	memset(tally, 0, sizeof(*tally));
	for (i = 0; i < placeholder->count; i++)
		count_resource(list, &placeholder->resources[i], tally);
}

static int64_t
total_size(const struct cargo_placeholder *placeholder)
{
	int64_t total = 0;
	size_t i;

	for (i = 0; i < placeholder->count; i++)
		if (placeholder->resources[i].size > 0)
			total += placeholder->resources[i].size;
	return total;
}

/* One question: what is there by now, after at most `wait` seconds. */
static enum outcome
ask(struct session *session, struct cargo_placeholder *placeholder, int wait,
    struct tally *tally, struct reason *why)
{
	struct message_list list;
	enum outcome outcome;

	outcome = message_list_fetch_share(session, placeholder->share, wait,
	    &list, why);
	if (outcome != OUTCOME_OK)
		return outcome;
	count_all(placeholder, &list, tally);
	if (tally->failed > 0)
		client_complain(0, "%zu of %zu could not be retrieved%s%s",
		    tally->failed, placeholder->count,
		    tally->problem != NULL ? ": " : "",
		    tally->problem != NULL ? tally->problem : "");
	message_list_free(&list);
	return OUTCOME_OK;
}

enum outcome
open_wait(struct session *session, struct cargo_placeholder *placeholder,
    int64_t seconds, struct reason *why)
{
	struct terminal_progress progress;
	int64_t start = clock_monotonic_ms(), left;
	enum outcome outcome;
	struct tally tally;

	terminal_progress_begin(&progress, stderr, "waiting for the mailbox",
	    total_size(placeholder), start);
	for (;;) {
		left = seconds - (clock_monotonic_ms() - start) / 1000;
		outcome = ask(session, placeholder,
		    left < 0 ? 0 : (int)(left < POLL_S ? left : POLL_S), &tally,
		    why);
		if (outcome != OUTCOME_OK || tally.pending == 0)
			break;
		if (left <= 0) {
			outcome = reason_set(why, OUTCOME_TEMPFAIL, "pending",
			    "%zu of %zu are not there yet", tally.pending,
			    placeholder->count);
			break;
		}
		terminal_progress_set(&progress, tally.bytes,
		    clock_monotonic_ms());
	}
	terminal_progress_end(&progress);
	return outcome;
}
