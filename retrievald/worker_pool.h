/* SPDX-License-Identifier: ISC
 *
 * The parent's side: keeps the configured number of worker processes
 * running and answers for them on the admin socket. It reads nothing from
 * outside.
 */
#ifndef WORKER_POOL_H
#define WORKER_POOL_H

#include <event2/event.h>

#include "http_client.h"
#include "metrics.h"
#include "retrievald_config.h"

struct worker_pool;

/* Forks the workers; one that dies is replaced, at most once a second. NULL
 * if memory cannot be shared with them. Everything must outlive it. */
struct worker_pool *worker_pool_start(struct event_base *base,
    const struct retrievald_config *config);

/* Ends the workers and waits for them. mailboxd keeps what had arrived. */
void worker_pool_stop(struct worker_pool **pool);

/* What the workers count (retrieval_metrics), and how many they are now. */
const struct metrics *worker_pool_metrics(const struct worker_pool *pool);

#endif
