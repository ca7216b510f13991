/* SPDX-License-Identifier: ISC
 *
 * Looks over the due rows for what can be done now: pulls to be leased,
 * pulls that mailboxd ends by itself, and pulls that have to be put off.
 * Reads only.
 */
#ifndef PULL_SCAN_H
#define PULL_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "pull_queue.h"
#include "pull_store.h"
#include "store.h"

enum pull_task {
	PULL_TASK_LEASE, /* give it to a worker */
	PULL_TASK_LINK, /* the origin is this server */
	PULL_TASK_EXPIRE, /* the share's time is over */
	PULL_TASK_FINISH, /* nothing is pending any more */
};

#define PULL_SCAN_TASKS 8

struct pull_scan {
	/* In. */
	struct store_view *view;
	const struct pull_queue *queue;
	bool want_lease; /* a worker waits */
	bool (*busy)(void *arg, const char *message); /* being worked on */
	void *arg;
	int64_t now;
	unsigned first_shard; /* where to begin: nobody is always last */
	/* Out. */
	struct {
		char message[STORE_ID_SIZE];
		enum pull_task task;
	} tasks[PULL_SCAN_TASKS];
	unsigned count;
	struct pull_lease *plan; /* of the one PULL_TASK_LEASE; caller's */
	struct pull_postpone postpone;
	bool trouble;
	/* Its own. */
	struct pull_memo *memo;
	unsigned looked_at;
};

/* Fills the out members. */
void pull_scan_run(struct pull_scan *scan);

#endif
