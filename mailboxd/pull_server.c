/* SPDX-License-Identifier: ISC
 *
 * Pulls at work. See pull_server.h. One look over the due rows at a time;
 * one lease is on its way to the disk at a time, so that no pull is picked
 * twice.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "clock.h"
#include "json_strict.h"
#include "log.h"
#include "memory.h"
#include "pull_scan.h"
#include "pull_server.h"
#include "wait_list.h"

#define BROKEN_GRACE 5 /* seconds for a worker to report a broken PUT */

struct job {
	struct job *next;
	struct pull_server *server;
	char message[STORE_ID_SIZE];
	enum pull_task task;
	struct pull_fail fail;
	struct pull_link link;
	struct pull_finish finish;
	store_done_fn *done; /* of who asked, may be NULL */
	void *arg;
};

/* A lease whose worker seems lost. */
struct broken {
	struct broken *next;
	char lease[PULL_LEASE_NAME_SIZE];
	int64_t at;
};

struct pull_server {
	struct mailboxd *mailboxd;
	struct pull_queue *queue;
	struct wait_list *workers;
	struct event *event;
	struct job *jobs;
	struct broken *broken;
	bool granting, postponing;
	unsigned shard;
};

static void run(struct pull_server *server);

/* ---- jobs ---------------------------------------------------------------- */

static void job_step(struct job *job);

static bool
job_busy(void *arg, const char *message)
{
	const struct pull_server *server = arg;
	const struct job *job;

	for (job = server->jobs; job != NULL; job = job->next)
		if (strcmp(job->message, message) == 0)
			return true;
	return false;
}

static void
job_log(const struct job *job, enum outcome outcome,
    const struct reason *why)
{
	static const char *const verbs[] = { "lease", "link", "expire",
		"finish" };
	struct log_line line;

	log_begin(&line, outcome == OUTCOME_OK ? LOG_INFO : LOG_WARNING,
	    job->message, job->done != NULL ? "fail" : verbs[job->task]);
	if (job->fail.problem[0] != '\0')
		log_string(&line, LOG_KEY_TYPE, job->fail.problem);
	if (job->fail.hash[0] != '\0')
		log_string(&line, LOG_KEY_HASH, job->fail.hash);
	if (outcome != OUTCOME_OK)
		log_reason(&line, why);
	log_end(&line);
}

static void
job_done(void *arg, enum outcome outcome, const struct reason *why)
{
	struct job *job = arg, **at;
	struct pull_server *server = job->server;

	if (outcome == OUTCOME_OK && (job->fail.more || job->link.more)) {
		/* The worker's lease ended with the first part. */
		job->fail.number = -1;
		job_step(job);
		return;
	}
	job_log(job, outcome, why);
	for (at = &server->jobs; *at != job; at = &(*at)->next)
		;
	*at = job->next;
	if (job->done != NULL)
		job->done(job->arg, outcome, why);
	free(job);
	wait_list_poke(server->mailboxd->messages);
	/* What failed is tried again by the next tick, not at once. */
	if (outcome == OUTCOME_OK)
		pull_server_poke(server);
}

static enum outcome
job_link(struct store_txn *txn, void *arg)
{
	struct job *job = arg;

	return pull_store_link(txn, &job->link);
}

static enum outcome
job_finish(struct store_txn *txn, void *arg)
{
	struct job *job = arg;

	return pull_store_finish(txn, &job->finish);
}

static enum outcome
job_fail(struct store_txn *txn, void *arg)
{
	struct job *job = arg;

	return pull_store_fail(txn, &job->fail);
}

static void
job_step(struct job *job)
{
	struct store *store = job->server->mailboxd->store;
	int64_t now = clock_now();

	job->fail.now = job->link.now = job->finish.now = now;
	job->finish.retry_at = now;
	if (job->task == PULL_TASK_LINK)
		store_submit(store, job_link, job_done, job);
	else if (job->task == PULL_TASK_FINISH)
		store_submit(store, job_finish, job_done, job);
	else
		store_submit(store, job_fail, job_done, job);
}

static struct job *
job_new(struct pull_server *server, const char *message, enum pull_task task)
{
	struct job *job = x_calloc(1, sizeof(*job));

	job->server = server;
	job->task = task;
	strcpy(job->message, message);
	strcpy(job->fail.message, message);
	strcpy(job->link.message, message);
	strcpy(job->finish.message, message);
	job->fail.number = job->finish.number = -1;
	job->next = server->jobs;
	server->jobs = job;
	return job;
}

static void
start_job(struct pull_server *server, const char *message,
    enum pull_task task)
{
	struct job *job = job_new(server, message, task);

	if (task == PULL_TASK_EXPIRE)
		strcpy(job->fail.problem, "expired");
	job_step(job);
}

void
pull_server_fail(struct pull_server *server, const struct pull_lease *lease,
    const char *hash, const char *problem, store_done_fn *done, void *arg)
{
	struct job *job;

	job = job_new(server, lease->message, PULL_TASK_EXPIRE);
	job->fail.number = lease->number;
	strcpy(job->fail.hash, hash);
	snprintf(job->fail.problem, sizeof(job->fail.problem), "%s", problem);
	job->done = done;
	job->arg = arg;
	job_step(job);
}

/* ---- leases -------------------------------------------------------------- */

struct grant {
	struct pull_server *server;
	struct visit *visit;
	struct pull_lease *plan;
	struct pull_take take;
};

static cJSON *
lease_json(const struct pull_lease *lease, const struct pull_row *row)
{
	cJSON *object = cJSON_CreateObject(), *list = cJSON_CreateArray();
	char name[PULL_LEASE_NAME_SIZE];
	const struct pull_item *item;
	cJSON *resource;
	size_t i;

	pull_lease_name(lease, name);
	json_add_string(object, "lease", name);
	json_add_string(object, "agent", row->agent);
	json_add_string(object, "origin", row->origin);
	json_add_string(object, "share", row->share);
	json_add_string(object, "token", row->token);
	json_add_integer(object, "until", lease->until);
	for (i = 0; i < lease->count; i++) {
		item = &lease->items[i];
		resource = cJSON_CreateObject();
		json_add_string(resource, "hash", item->hash);
		json_add_integer(resource, "size", item->size);
		json_add_integer(resource, "have", item->have);
		json_add_string(resource, "mode", item->head ? "head" : "get");
		cJSON_AddItemToArray(list, resource);
	}
	json_add_item(object, "resources", list);
	return object;
}

static void
log_lease(const struct pull_lease *lease, const char *verb)
{
	char name[PULL_LEASE_NAME_SIZE];
	struct log_line line;

	pull_lease_name(lease, name);
	log_begin(&line, LOG_INFO, lease->message, verb);
	log_string(&line, LOG_KEY_LEASE, name);
	log_string(&line, LOG_KEY_ORIGIN, lease->origin);
	log_string(&line, LOG_KEY_SHARE, lease->share);
	log_number(&line, LOG_KEY_RESOURCES, (int64_t)lease->count);
	log_end(&line);
}

struct lapse {
	struct pull_server *server;
	struct pull_retry retry;
};

static enum outcome
lapse_work(struct store_txn *txn, void *arg)
{
	struct lapse *lapse = arg;

	return pull_store_retry(txn, &lapse->retry);
}

static void
lapse_done(void *arg, enum outcome outcome, const struct reason *why)
{
	struct lapse *lapse = arg;

	(void)why;
	if (outcome == OUTCOME_OK)
		pull_server_poke(lapse->server);
	free(lapse);
}

/* Nobody works on it any more: due at once. Frees the lease. */
static void
lapse_lease(struct pull_server *server, struct pull_lease *lease)
{
	struct lapse *lapse = x_calloc(1, sizeof(*lapse));

	log_lease(lease, "lapse");
	lapse->server = server;
	strcpy(lapse->retry.message, lease->message);
	lapse->retry.number = lease->number;
	lapse->retry.now = clock_now();
	lapse->retry.policy = pull_queue_policy(server->queue);
	lapse->retry.lapse = true;
	pull_queue_remove(server->queue, lease);
	store_submit(server->mailboxd->store, lapse_work, lapse_done, lapse);
}

static void
grant_done(void *arg, enum outcome outcome, const struct reason *why)
{
	struct grant *grant = arg;
	struct pull_server *server = grant->server;
	struct pull_lease *lease = grant->plan;

	(void)why;
	server->granting = false;
	if (outcome != OUTCOME_OK) {
		pull_lease_free(lease);
		goto out;
	}
	lease->number = grant->take.row.lease;
	pull_queue_add(server->queue, lease, clock_now());
	if (grant->visit->x == NULL || grant->visit->replied) {
		lapse_lease(server, lease);
	} else {
		log_lease(lease, "lease");
		visit_reply_json(grant->visit, 200,
		    lease_json(lease, &grant->take.row));
		wait_list_remove(server->workers, grant->visit);
	}
	pull_server_poke(server);
out:
	pull_row_clear(&grant->take.row);
	visit_release(grant->visit);
	free(grant);
}

static enum outcome
grant_work(struct store_txn *txn, void *arg)
{
	struct grant *grant = arg;

	return pull_store_take(txn, &grant->take);
}

static void
start_grant(struct pull_server *server, struct visit *visit,
    struct pull_lease *plan)
{
	struct grant *grant = x_calloc(1, sizeof(*grant));

	server->granting = true;
	grant->server = server;
	grant->visit = visit_hold(visit);
	grant->plan = plan;
	strcpy(grant->take.message, plan->message);
	grant->take.expected = plan->number;
	grant->take.until =
	    clock_now() + pull_queue_policy(server->queue)->lease_time;
	store_submit(server->mailboxd->store, grant_work, grant_done, grant);
}

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
start_postpone(struct pull_server *server,
    const struct pull_postpone *postpone)
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
			lapse_lease(server, lease);
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
	scan->busy = job_busy;
	scan->arg = server;
	scan->first_shard = server->shard++ % STORE_SHARDS;
	pull_scan_run(scan);
	store_read_end(&scan->view);
	for (i = 0; i < scan->count; i++)
		if (scan->tasks[i].task != PULL_TASK_LEASE)
			start_job(server, scan->tasks[i].message,
			    scan->tasks[i].task);
	start_postpone(server, &scan->postpone);
	if (scan->plan != NULL)
		start_grant(server, worker, scan->plan);
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
pull_server_wait(struct pull_server *server, struct visit *visit,
    int seconds)
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

struct leased {
	char (*messages)[STORE_ID_SIZE];
	size_t count;
};

static enum store_step
look_for_leased(void *arg, const char *key, const void *data, size_t len)
{
	struct leased *leased = arg;
	cJSON *row = store_row_json(key, data, len);

	if (json_boolean(row, "leased") == 1 &&
	    store_id_valid(store_key_last(key))) {
		leased->messages = x_realloc(leased->messages,
		    (leased->count + 1) * STORE_ID_SIZE);
		strcpy(leased->messages[leased->count++],
		    store_key_last(key));
	}
	cJSON_Delete(row);
	return STORE_NEXT;
}

/* Every pull that was leased is due now. */
static enum outcome
lapse_all(struct pull_server *server, struct reason *why)
{
	struct store *store = server->mailboxd->store;
	struct leased leased = { NULL, 0 };
	enum outcome outcome = OUTCOME_OK;
	struct pull_retry retry;
	struct store_view *view;
	struct store_key key;
	unsigned shard;
	size_t i;

	view = store_read_begin(store);
	if (view == NULL)
		return reason_set(why, OUTCOME_TEMPFAIL, "store",
		    "the store cannot be read");
	for (shard = 0; shard < STORE_SHARDS; shard++)
		store_scan(view, store_key_pull_all(&key, shard), NULL,
		    look_for_leased, &leased);
	store_read_end(&view);
	for (i = 0; i < leased.count && outcome == OUTCOME_OK; i++) {
		memset(&retry, 0, sizeof(retry));
		strcpy(retry.message, leased.messages[i]);
		retry.number = -1;
		retry.now = clock_now();
		retry.policy = pull_queue_policy(server->queue);
		retry.lapse = true;
		outcome = store_run(store, pull_store_retry, &retry, why);
	}
	free(leased.messages);
	return outcome;
}

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
	if (lapse_all(server, why) != OUTCOME_OK) {
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
