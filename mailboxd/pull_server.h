/* SPDX-License-Identifier: ISC
 *
 * Pulls at work: gives leases to the workers that wait, ends what ends by
 * itself (expired, on this very server, nothing left), and keeps live leases
 * in memory. Runs on the event loop.
 */
#ifndef PULL_SERVER_H
#define PULL_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "mailboxd.h"
#include "pull_queue.h"
#include "pull_store.h"
#include "visit.h"

struct pull_server;

/* Makes every pull that was leased before due again (no lease survives a
 * restart) and begins to serve. NULL with `why`. The store must be
 * running. */
struct pull_server *
pull_server_new(struct mailboxd *mailboxd, struct reason *why);
void pull_server_free(struct pull_server **server);

/* Something was added or has ended: look again, soon. */
void pull_server_poke(struct pull_server *server);

/* A worker waits for a lease; it is answered with one, or with 204. */
void
pull_server_wait(struct pull_server *server, struct visit *visit, int seconds);

/* Counts what a pull that a worker, or nobody, finished came to. */
void
pull_server_count(struct mailboxd *mailboxd, const struct pull_finish *finish);

struct pull_queue *pull_server_queue(const struct pull_server *server);

/* Ends the resource of a hash ("": all pending ones) for good. `done` comes
 * once it is durable. */
void
pull_server_fail(struct pull_server *server, const struct pull_lease *lease,
    const char *hash, const char *problem, store_done_fn *done, void *arg);

/* The administrator gives a pull up: what is pending fails as "dropped". A
 * worker that is at it is refused what it says next. */
void pull_server_drop(struct pull_server *server, const char *message,
    store_done_fn *done, void *arg);

/* A worker was lost in the middle of an upload: unless it says something
 * within seconds, the lease ends and the pull is due again. */
void pull_server_broken(struct pull_server *server, const char *lease);

#endif
