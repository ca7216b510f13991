/* SPDX-License-Identifier: ISC
 *
 * A worker process: lease, retrieve, finish, again. It reads what strangers'
 * origins answer; one slow origin costs one worker.
 */
#ifndef WORKER_H
#define WORKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "http_client.h"
#include "metrics.h"
#include "retrievald_config.h"

/* What a worker tells its parent, in memory that both share. Each field is
 * written by the worker alone, unless it says otherwise. */
struct worker_slot {
	volatile pid_t pid; /* written by the parent; 0: none */
	volatile bool stopping; /* written by the parent: hand back, end */
	volatile int64_t started; /* of the pull at hand, 0: idle */
};

struct worker {
	const struct retrievald_config *config;
	struct worker_slot *slot;
	const struct worker_slot *all; /* the slots of all workers */
	size_t count;
	struct metrics *metrics; /* retrieval_metrics */
};

/* Runs until a signal ends it, or its slot says so, which is looked at during
 * a transfer and behind it. Called in the child, after privileges have
 * been dropped. */
void worker_run(const struct worker *worker) __attribute__((noreturn));

#endif
