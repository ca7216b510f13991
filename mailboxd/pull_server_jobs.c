/* SPDX-License-Identifier: ISC
 *
 * What becomes of a pull without a worker, or by a worker's report that it
 * failed: see pull_server.h. A job takes as many transactions as it needs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "memory.h"
#include "pull_server_private.h"

struct pull_job {
	struct pull_job *next;
	struct pull_server *server;
	char message[STORE_ID_SIZE];
	enum pull_task task;
	struct pull_fail fail;
	struct pull_link link;
	struct pull_finish finish;
	store_done_fn *done; /* of who asked, may be NULL */
	void *arg;
};

static void job_step(struct pull_job *job);

bool
pull_server_is_busy(void *arg, const char *message)
{
	const struct pull_server *server = arg;
	const struct pull_job *job;

	for (job = server->jobs; job != NULL; job = job->next)
		if (strcmp(job->message, message) == 0)
			return true;
	return false;
}

static void
job_log(const struct pull_job *job, enum outcome outcome,
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

void
pull_server_count(struct mailboxd *mailboxd, const struct pull_finish *finish)
{
	metrics_count(mailboxd->metrics, MAILBOXD_PULLS,
	    finish->ended ? "finished" : "again");
	if (finish->ended)
		metrics_observe(mailboxd->metrics, MAILBOXD_PULL_AGE, NULL,
		    (finish->now - finish->since) * 1000);
}

static void
job_count(const struct pull_job *job)
{
	struct mailboxd *mailboxd = job->server->mailboxd;

	if (job->task == PULL_TASK_FINISH)
		pull_server_count(mailboxd, &job->finish);
	else
		metrics_count(mailboxd->metrics, MAILBOXD_PULLS,
		    job->task == PULL_TASK_LINK			  ? "linked" :
			strcmp(job->fail.problem, "expired") == 0 ? "expired" :
								    "failed");
}

static void
job_done(void *arg, enum outcome outcome, const struct reason *why)
{
	struct pull_job *job = arg, **at;
	struct pull_server *server = job->server;

	if (outcome == OUTCOME_OK && (job->fail.more || job->link.more)) {
		/* The worker's lease ended with the first part. */
		job->fail.number = -1;
		job_step(job);
		return;
	}
	job_log(job, outcome, why);
	if (outcome == OUTCOME_OK)
		job_count(job);
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
	struct pull_job *job = arg;

	return pull_store_link(txn, &job->link);
}

static enum outcome
job_finish(struct store_txn *txn, void *arg)
{
	struct pull_job *job = arg;

	return pull_store_finish(txn, &job->finish);
}

static enum outcome
job_fail(struct store_txn *txn, void *arg)
{
	struct pull_job *job = arg;

	return pull_store_fail(txn, &job->fail);
}

static void
job_step(struct pull_job *job)
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

static struct pull_job *
job_new(struct pull_server *server, const char *message, enum pull_task task)
{
	struct pull_job *job = x_calloc(1, sizeof(*job));

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

void
pull_server_start_job(struct pull_server *server, const char *message,
    enum pull_task task)
{
	struct pull_job *job = job_new(server, message, task);

	if (task == PULL_TASK_EXPIRE)
		strcpy(job->fail.problem, "expired");
	job_step(job);
}

void
pull_server_fail(struct pull_server *server, const struct pull_lease *lease,
    const char *hash, const char *problem, store_done_fn *done, void *arg)
{
	struct pull_job *job;

	job = job_new(server, lease->message, PULL_TASK_EXPIRE);
	job->fail.number = lease->number;
	strcpy(job->fail.hash, hash);
	snprintf(job->fail.problem, sizeof(job->fail.problem), "%s", problem);
	job->done = done;
	job->arg = arg;
	job_step(job);
}

void
pull_server_drop(struct pull_server *server, const char *message,
    store_done_fn *done, void *arg)
{
	struct pull_job *job = job_new(server, message, PULL_TASK_EXPIRE);

	strcpy(job->fail.problem, "dropped");
	job->done = done;
	job->arg = arg;
	job_step(job);
}
