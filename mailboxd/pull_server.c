/* SPDX-License-Identifier: ISC
 *
 * Pulls at work. See pull_server.h. One look over the due rows at a time;
 * one lease is on its way to the disk at a time, so that no pull is picked
 * twice.
 */
#include <stdio.h>
#include <stdlib.h>

#include <sodium.h>

#include "clock.h"
#include "log.h"
#include "memory.h"
#include "pull_server_private.h"

#define BROKEN_GRACE 5 /* seconds for a worker to report a broken PUT */

/* A lease whose worker seems lost. */
struct broken {
	struct broken *next;
	char lease[PULL_LEASE_NAME_SIZE];
	int64_t at;
};

/* ---- the look over the due rows ------------------------------------------ */

struct postponing {
	struct pull_server *server;
	struct pull_postpone postpone;
};

static void
postpone_done(void *arg, enum outcome outcome, const struct reason *why)
{
	struct postponing *postponing = arg;

	(void)why;
	postponing->server->postponing = false;
	if (outcome == OUTCOME_OK)
		pull_server_poke(postponing->server);
	free(postponing);
}

static enum outcome
postpone_work(struct store_txn *txn, void *arg)
{
	struct postponing *postponing = arg;

	return pull_store_postpone(txn, &postponing->postpone);
}

static void
start_postpone(struct pull_server *server, const struct pull_postpone *postpone)
{
	struct postponing *postponing;

	if (postpone->count == 0 || server->postponing)
		return;
	postponing = x_calloc(1, sizeof(*postponing));
	postponing->server = server;
	postponing->postpone = *postpone;
	server->postponing = true;
	store_submit(server->mailboxd->store, postpone_work, postpone_done,
	    postponing);
}

/* Leases of workers that broke off and kept silent. */
static void
end_broken(struct pull_server *server, int64_t now)
{
	struct broken **link = &server->broken, *broken;
	struct pull_lease *lease;

	while ((broken = *link) != NULL) {
		if (broken->at > now) {
			link = &broken->next;
			continue;
		}
		lease = pull_queue_find(server->queue, broken->lease, now);
		if (lease != NULL && lease->uploads == 0)
			pull_server_lapse(server, lease);
		*link = broken->next;
		free(broken);
	}
}

static void
run(struct pull_server *server)
{
	struct visit *worker = wait_list_first(server->workers);
	struct pull_scan *scan = x_calloc(1, sizeof(*scan));
	unsigned i;

	scan->now = clock_now();
	end_broken(server, scan->now);
	pull_queue_reap(server->queue, scan->now);
	scan->view = store_read_begin(server->mailboxd->store);
	if (scan->view == NULL)
		goto out;
	scan->queue = server->queue;
	scan->want_lease = worker != NULL && !server->granting;
	scan->busy = pull_server_is_busy;
	scan->arg = server;
	scan->first_shard = server->shard++ % STORE_SHARDS;
	pull_scan_run(scan);
	store_read_end(&scan->view);
	for (i = 0; i < scan->count; i++)
		if (scan->tasks[i].task != PULL_TASK_LEASE)
			pull_server_start_job(server, scan->tasks[i].message,
			    scan->tasks[i].task);
	start_postpone(server, &scan->postpone);
	if (scan->plan != NULL)
		pull_server_grant(server, worker, scan->plan);
out:
	free(scan);
}

static void
on_event(evutil_socket_t fd, short events, void *arg)
{
	const struct timeval second = { 1, 0 };
	struct pull_server *server = arg;

	(void)fd;
	(void)events;
	event_add(server->event, &second);
	run(server);
}

/* The workers' turn comes by run(); here only their time ends. */
static bool
try_worker(struct visit *visit, bool last)
{
	if (visit->replied)
		return true;
	if (last)
		visit_reply_empty(visit, 204);
	return last;
}

void
pull_server_wait(struct pull_server *server, struct visit *visit, int seconds)
{
	/* Also who does not want to wait is looked for once. */
	wait_list_add(server->workers, visit, seconds > 0 ? seconds : 1);
	pull_server_poke(server);
}

void
pull_server_poke(struct pull_server *server)
{
	event_active(server->event, EV_TIMEOUT, 0);
}

struct pull_queue *
pull_server_queue(const struct pull_server *server)
{
	return server->queue;
}

void
pull_server_broken(struct pull_server *server, const char *lease)
{
	struct broken *broken = x_calloc(1, sizeof(*broken));

	snprintf(broken->lease, sizeof(broken->lease), "%s", lease);
	broken->at = clock_now() + BROKEN_GRACE;
	broken->next = server->broken;
	server->broken = broken;
}

/* ---- life ---------------------------------------------------------------- */

struct pull_server *
pull_server_new(struct mailboxd *mailboxd, struct reason *why)
{
	const struct mailboxd_config *config = mailboxd->config;
	const struct pull_policy policy = { config->lease_time,
		(unsigned)config->leases_per_origin, config->retry_first,
		config->retry_most };
	struct pull_server *server = x_calloc(1, sizeof(*server));

	server->mailboxd = mailboxd;
	server->queue = pull_queue_new(&policy);
	server->workers = wait_list_new(mailboxd->base, try_worker);
	server->shard = randombytes_uniform(STORE_SHARDS);
	server->event = event_new(mailboxd->base, -1, 0, on_event, server);
	if (server->event == NULL)
		log_panic("out of memory");
	if (pull_server_lapse_all(server, why) != OUTCOME_OK) {
		pull_server_free(&server);
		return NULL;
	}
	pull_server_poke(server);
	return server;
}

void
pull_server_free(struct pull_server **server_p)
{
	struct pull_server *server = *server_p;
	struct broken *broken;

	if (server == NULL)
		return;
	/* Jobs and grants end by the store's last callbacks, before this. */
	while ((broken = server->broken) != NULL) {
		server->broken = broken->next;
		free(broken);
	}
	wait_list_free(&server->workers);
	pull_queue_free(&server->queue);
	event_free(server->event);
	x_free(server_p);
}
