/* SPDX-License-Identifier: ISC
 *
 * What the files of pull_server share: pull_server.c (the look over the due
 * rows), pull_server_jobs.c (what ends without a worker) and
 * pull_server_leases.c (a lease on its way to the disk, and its lapse).
 */
#ifndef PULL_SERVER_PRIVATE_H
#define PULL_SERVER_PRIVATE_H

#include "pull_scan.h"
#include "pull_server.h"
#include "wait_list.h"

struct pull_job;
struct broken;

struct pull_server {
	struct mailboxd *mailboxd;
	struct pull_queue *queue;
	struct wait_list *workers;
	struct event *event;
	struct pull_job *jobs;
	struct broken *broken;
	bool granting, postponing;
	unsigned shard;
};

/* True while a job of this message is under way; a pull_scan's `busy`, with
 * the server as `arg`. */
bool pull_server_is_busy(void *arg, const char *message);

/* Ends what needs no worker: linked, expired or finished. */
void pull_server_start_job(struct pull_server *server, const char *message,
    enum pull_task task);

/* Takes the lease of a plan (now ours) for the worker who waits. One at a
 * time: `granting`. */
void pull_server_grant(struct pull_server *server, struct visit *visit,
    struct pull_lease *plan);

/* Nobody works on it any more: due at once. Frees the lease. */
void pull_server_lapse(struct pull_server *server, struct pull_lease *lease);

/* Every pull that was leased is due now; before anything else runs. */
enum outcome
pull_server_lapse_all(struct pull_server *server, struct reason *why);

#endif
