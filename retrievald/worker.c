/* SPDX-License-Identifier: ISC
 *
 * The loop of a worker. Nobody wakes it: it asks mailboxd, which answers
 * when there is something to do.
 */
#include "worker.h"

#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "retrieval_metrics.h"
#include "retrieve.h"

#define BACKOFF_MIN_S 1
#define BACKOFF_MAX_S 30

static void
pause_seconds(unsigned seconds)
{
	struct timespec left = { .tv_sec = seconds };

	nanosleep(&left, NULL);
}

/* mailboxd is restarting, or its disk is full: ask again, more slowly each
 * time. Said once, not for each attempt. */
static unsigned
back_off(unsigned seconds, const struct reason *why)
{
	struct log_line line;

	if (seconds == 0) {
		log_begin(&line, LOG_WARNING, "-", "lease");
		log_reason(&line, why);
		log_end(&line);
		seconds = BACKOFF_MIN_S;
	}
	pause_seconds(seconds);
	return seconds * 2 < BACKOFF_MAX_S ? seconds * 2 : BACKOFF_MAX_S;
}

/* No worker is idle: then pulls may wait that nobody leases. */
static bool
all_busy(const struct worker *worker)
{
	for (size_t i = 0; i < worker->count; i++)
		if (worker->all[i].started == 0)
			return false;
	return true;
}

static bool
give_way(void *arg, bool sliced)
{
	const struct worker *worker = arg;

	return worker->slot->stopping || (sliced && all_busy(worker));
}

static void
work(const struct worker *worker, struct retrieve *retrieve,
    const struct lease *lease)
{
	int64_t bytes = 0, started = clock_monotonic_ms(), duration;
	const char *outcome;

	worker->slot->started = clock_now();
	outcome = retrieve_pull(retrieve, lease, &bytes) == OUTCOME_OK ?
	    "done" :
	    "failed";
	duration = clock_monotonic_ms() - started;
	metrics_count(worker->metrics, RETRIEVAL_PULLS, outcome);
	metrics_add(worker->metrics, RETRIEVAL_BYTES, NULL, bytes);
	metrics_observe(worker->metrics, RETRIEVAL_DURATION, outcome, duration);
	if (bytes > 0)
		metrics_observe(worker->metrics, RETRIEVAL_RATE, NULL,
		    bytes * 1000 / (duration > 0 ? duration : 1));
	worker->slot->started = 0;
}

void
worker_run(const struct worker *worker)
{
	struct reason why = { 0 };
	struct worker self = *worker;
	struct retrieve *retrieve;
	struct lease *lease;
	unsigned backoff = 0;

	retrieve = retrieve_new(worker->config, give_way, &self, &why);
	if (retrieve == NULL)
		log_fatal(EXIT_FAILURE, "worker: %s", why.text);
	while (!worker->slot->stopping) {
		if (retrieve_lease(retrieve, &lease, &why) != OUTCOME_OK) {
			backoff = back_off(backoff, &why);
			continue;
		}
		backoff = 0;
		if (lease == NULL)
			continue;
		work(worker, retrieve, lease);
		lease_free(&lease);
	}
	_exit(0);
}
