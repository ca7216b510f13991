/* SPDX-License-Identifier: ISC
 *
 * The committer: one thread that takes closures in order, up to 100 at a
 * time, and runs them in one transaction, which is the group commit. While
 * that is being synced the next ones gather.
 *
 * A closure that refuses without having written costs nothing. One that
 * fails after it wrote spoils the transaction: it is thrown away, the
 * others run again without it, and it runs again alone. When the commit
 * itself fails, each runs alone, so that a full disk hits only who needs
 * more of it.
 */
#include "store_private.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json_strict.h"
#include "log.h"
#include "memory.h"

#define BATCH_MAX 100

/* ---- inside a closure ---- */

struct store_view *
store_txn_view(struct store_txn *txn)
{
	return &txn->view;
}

struct reason *
store_txn_reason(struct store_txn *txn)
{
	return &txn->why;
}

/* Checks a write; after the first failure all others do nothing. */
static bool
txn_may_write(struct store_txn *txn, const char *key,
    const struct metadata_value *value)
{
	const char *bad = NULL;

	if (txn->failure.outcome != OUTCOME_OK)
		return false;
	if (*key == '\0')
		bad = "key too long";
	else if (value != NULL && value->len > STORE_VALUE_MAX)
		bad = "value too large";
	else if (value != NULL)
		/* What could not be read again is not written. */
		bad = json_check(value->data, value->len);
	if (bad == NULL && ++txn->writes > STORE_CLOSURE_KEYS)
		bad = "too many keys in one closure";
	if (bad == NULL)
		return true;
	reason_set(&txn->failure, OUTCOME_TEMPFAIL, "internal", "%.100s: %s",
	    key, bad);
	return false;
}

enum outcome
store_txn_put(struct store_txn *txn, const char *key, const void *data,
    size_t len)
{
	struct metadata_value value = { data, len };

	if (!txn_may_write(txn, key, &value))
		return OUTCOME_TEMPFAIL;
	return txn->view.store->metadata->ops->put(txn->view.txn, key, &value,
	    &txn->failure);
}

enum outcome
store_txn_put_json(struct store_txn *txn, const char *key, const cJSON *value)
{
	enum outcome outcome;
	char *text = value != NULL ? json_format(value) : NULL;

	if (text == NULL)
		return reason_set(&txn->failure, OUTCOME_TEMPFAIL, "internal",
		    "%.100s: no memory", key);
	outcome = store_txn_put(txn, key, text, strlen(text));
	free(text);
	return outcome;
}

enum outcome
store_txn_put_object(struct store_txn *txn, const char *key, cJSON *value)
{
	enum outcome outcome = store_txn_put_json(txn, key, value);

	cJSON_Delete(value);
	return outcome;
}

enum outcome
store_txn_delete(struct store_txn *txn, const char *key)
{
	if (!txn_may_write(txn, key, NULL))
		return OUTCOME_TEMPFAIL;
	return txn->view.store->metadata->ops->delete (txn->view.txn, key,
	    &txn->failure);
}

/* ---- transactions ---- */

/* Runs one closure. False if the transaction cannot be committed any
 * more. */
static bool
job_run(struct store_txn *txn, struct store_job *job)
{
	txn->writes = 0;
	memset(&txn->why, 0, sizeof(txn->why));
	job->outcome = job->work(txn, job->arg);
	job->why = txn->why;
	if (txn->failure.outcome != OUTCOME_OK) {
		job->outcome = txn->failure.outcome;
		job->why = txn->failure;
		return false;
	}
	if (job->outcome == OUTCOME_OK)
		return true;
	if (job->why.word[0] == '\0')
		reason_set(&job->why, job->outcome, "unavailable",
		    "no reason given");
	job->why.outcome = job->outcome;
	return txn->writes == 0;
}

static void
jobs_fail(struct store_job *jobs, bool alone, const struct reason *why)
{
	for (; jobs != NULL; jobs = jobs->next) {
		if (jobs->alone != alone)
			continue;
		jobs->outcome = why->outcome;
		jobs->why = *why;
	}
}

static void
commit_count(struct store *store, int closures, int64_t milliseconds)
{
	const struct store_options *options = &store->options;

	if (options->observe != NULL)
		options->observe(options->observe_arg, milliseconds);
	pthread_mutex_lock(&store->lock);
	store->figures.commits++;
	store->figures.closures += closures;
	pthread_mutex_unlock(&store->lock);
}

/* One transaction for all jobs that are not alone, or (`only`) for one.
 * Returns true when all that took part have their final outcome. */
static bool
transaction(struct store *store, struct store_job *jobs, struct store_job *only)
{
	const struct metadata_ops *ops = store->metadata->ops;
	struct store_txn txn = { .view = { .store = store } };
	int64_t began = clock_monotonic_ms();
	struct reason why = { 0 };
	struct store_job *job;
	int count = 0;

	txn.view.writer = &txn;
	if (ops->begin(store->metadata, true, &txn.view.txn, &why) !=
	    OUTCOME_OK) {
		if (only == NULL)
			jobs_fail(jobs, false, &why);
		else
			only->outcome = why.outcome, only->why = why;
		return true;
	}
	store_fault(store, "commit-begin");
	for (job = only != NULL ? only : jobs; job != NULL;
	     job = only != NULL ? NULL : job->next) {
		if (only == NULL && job->alone)
			continue;
		count++;
		if (job_run(&txn, job))
			continue;
		ops->abort(txn.view.txn);
		job->alone = true;
		return only != NULL;
	}
	store_fault(store, "commit");
	if (ops->commit(txn.view.txn, &why) == OUTCOME_OK) {
		store_fault(store, "committed");
		commit_count(store, count, clock_monotonic_ms() - began);
		return true;
	}
	for (job = jobs; only == NULL && job != NULL; job = job->next)
		job->alone = true;
	if (only != NULL)
		only->outcome = why.outcome, only->why = why;
	return only != NULL;
}

static void
jobs_run(struct store *store, struct store_job *jobs)
{
	struct store_job *job;

	while (!transaction(store, jobs, NULL))
		;
	for (job = jobs; job != NULL; job = job->next) {
		if (job->alone)
			transaction(store, NULL, job);
	}
}

/* ---- the thread ---- */

static void
job_done(struct loop_item *item)
{
	struct store_job *job = (struct store_job *)item;

	if (job->done != NULL)
		job->done(job->arg, job->outcome, &job->why);
	store_pending(job->store, -1);
	free(job);
}

static void
jobs_end(struct store *store, struct store_job *jobs)
{
	struct store_job *job;

	while ((job = jobs) != NULL) {
		jobs = job->next;
		if (!job->waited) {
			loop_queue_post(store->loop, &job->item);
			continue;
		}
		pthread_mutex_lock(&store->lock);
		job->ended = true;
		pthread_cond_broadcast(&store->ended);
		pthread_mutex_unlock(&store->lock);
	}
}

/* Up to BATCH_MAX jobs; waits for the first. NULL: the end. */
static struct store_job *
jobs_take(struct store *store)
{
	struct store_job *first, **last;
	int count;

	pthread_mutex_lock(&store->lock);
	while (store->jobs == NULL && !store->ending)
		pthread_cond_wait(&store->submitted, &store->lock);
	first = store->jobs;
	last = &first;
	for (count = 0; *last != NULL && count < BATCH_MAX; count++)
		last = &(*last)->next;
	store->jobs = *last;
	*last = NULL;
	if (store->jobs == NULL)
		store->jobs_last = &store->jobs;
	store->figures.waiting -= count;
	pthread_mutex_unlock(&store->lock);
	return first;
}

static void *
committer(void *arg)
{
	struct store *store = arg;
	struct store_job *jobs;

	while ((jobs = jobs_take(store)) != NULL) {
		jobs_run(store, jobs);
		jobs_end(store, jobs);
	}
	return NULL;
}

int
store_committer_start(struct store *store)
{
	sigset_t all, before;
	int error;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	error = pthread_create(&store->committer, NULL, committer, store);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	store->committing = error == 0;
	errno = error;
	return error == 0 ? 0 : -1;
}

void
store_committer_stop(struct store *store)
{
	if (!store->committing)
		return;
	pthread_mutex_lock(&store->lock);
	store->ending = true;
	pthread_cond_broadcast(&store->submitted);
	pthread_mutex_unlock(&store->lock);
	pthread_join(store->committer, NULL);
	store->committing = false;
}

/* ---- submitting ---- */

static void
job_queue(struct store *store, struct store_job *job)
{
	pthread_mutex_lock(&store->lock);
	job->next = NULL;
	*store->jobs_last = job;
	store->jobs_last = &job->next;
	store->figures.waiting++;
	store->pending += !job->waited;
	pthread_cond_signal(&store->submitted);
	pthread_mutex_unlock(&store->lock);
}

void
store_submit(struct store *store, store_work_fn *work, store_done_fn *done,
    void *arg)
{
	struct store_job *job = x_calloc(1, sizeof(*job));

	job->item.run = job_done;
	job->store = store;
	job->work = work;
	job->done = done;
	job->arg = arg;
	job_queue(store, job);
}

enum outcome
store_run(struct store *store, store_work_fn *work, void *arg,
    struct reason *why)
{
	struct store_job job = { .store = store, .work = work, .arg = arg };

	job.waited = true;
	if (!store->committing) {
		transaction(store, NULL, &job);
	} else {
		job_queue(store, &job);
		pthread_mutex_lock(&store->lock);
		while (!job.ended)
			pthread_cond_wait(&store->ended, &store->lock);
		pthread_mutex_unlock(&store->lock);
	}
	if (why != NULL)
		*why = job.why;
	return job.outcome;
}
