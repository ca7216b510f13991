/* SPDX-License-Identifier: ISC
 *
 * Work that must not happen in mailboxd itself: password hashing (64 MiB and
 * tenths of a second each) and the reading of MIME (hostile bytes, forks a
 * box). A small process, forked before the store and any thread exist, forks
 * a short-lived child for each request; what the child used goes back to the
 * system when it ends, and if it dies only its request fails. The process
 * holds no store, no socket but its pair.
 *
 * If the process is gone mailboxd cannot go on: it ends and is started anew.
 */
#ifndef WORK_POOL_H
#define WORK_POOL_H

#include <event2/event.h>

#include <cjson/cJSON.h>

#define WORK_POOL_WAITING 256 /* requests before "busy" */

/* Runs in the child: reads `request` and `fd` (-1 if none came), fills
 * `answer` (an object). */
typedef void work_pool_work(const cJSON *request, int fd, cJSON *answer);

/* Called later from the loop, once. `answer` is NULL if the child died; it
 * lasts for the call. */
typedef void work_pool_callback(void *arg, const cJSON *answer);

struct work_pool;

/*
 * Forks the process, which runs at most `parallel` children at once, each
 * with at most `cpu_seconds`. Call it after privileges are dropped, before
 * anything else is opened and before there are threads. The descriptor of
 * our side, or -1.
 */
int
work_pool_fork(work_pool_work *work, unsigned parallel, unsigned cpu_seconds);

struct work_pool *work_pool_new(struct event_base *base, int fd);

/* Pending requests are dropped without a call. */
void work_pool_free(struct work_pool **pool);

/* Sends a request (taken over) with a descriptor (taken over; -1 for none).
 * 0, or -1 if too much is waiting; then no call comes. */
int work_pool_ask(struct work_pool *pool, cJSON *request, int fd,
    work_pool_callback *callback, void *arg);

/* The callbacks with this `arg` will not come. */
void work_pool_cancel(struct work_pool *pool, const void *arg);

#endif
