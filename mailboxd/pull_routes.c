/* SPDX-License-Identifier: ISC
 *
 * What retrievald asks and reports. It reports facts; what they mean is
 * decided here (pull_queue_judge). Its packets are checked as any other's:
 * it talks to strangers all day.
 */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "cargo_api.h"
#include "clock.h"
#include "json_strict.h"
#include "log.h"
#include "memory.h"
#include "pull_routes.h"
#include "pull_server.h"
#include "wait_list.h"

/* A report on its way to the disk. */
struct report {
	struct visit *visit;
	char lease[PULL_LEASE_NAME_SIZE];
	char queue_id[CARGO_API_QUEUE_ID_SIZE];
	struct pull_retry retry;
	struct pull_finish finish;
	struct pull_commit commit;
};

static struct pull_queue *
queue_of(const struct visit *visit)
{
	return pull_server_queue(visit->mailboxd->pulls);
}

/* The live lease in the path; NULL after a refusal. */
static struct pull_lease *
find_lease(struct visit *visit)
{
	struct pull_lease *lease;

	lease = pull_queue_find(queue_of(visit), visit->subject, clock_now());
	if (lease == NULL)
		visit_problem(visit, "lease", "the lease is not live");
	return lease;
}

static struct report *
report_new(struct visit *visit, const struct pull_lease *lease)
{
	struct report *report = x_calloc(1, sizeof(*report));

	report->visit = visit_hold(visit);
	pull_lease_name(lease, report->lease);
	strcpy(report->queue_id, lease->queue_id);
	strcpy(visit->caller.account, lease->account);
	return report;
}

static void
log_report(struct log_line *line, const struct report *report)
{
	log_string(line, LOG_KEY_LEASE, report->lease);
	if (report->queue_id[0] != '\0')
		log_string(line, LOG_KEY_ORIG_QUEUE_ID, report->queue_id);
}

static void
report_free(struct report *report)
{
	visit_release(report->visit);
	free(report);
}

/* The lease has ended; free it and look for other work. */
static void
end_lease(struct report *report)
{
	struct mailboxd *mailboxd = report->visit->mailboxd;
	struct pull_lease *lease;

	lease = pull_queue_find(pull_server_queue(mailboxd->pulls),
	    report->lease, 0);
	if (lease != NULL)
		pull_queue_remove(pull_server_queue(mailboxd->pulls), lease);
	pull_server_poke(mailboxd->pulls);
	wait_list_poke(mailboxd->messages);
}

/* Tells the worker what became of the last thing it had to say. */
static void
report_end(struct report *report, enum outcome outcome,
    const struct reason *why)
{
	if (outcome == OUTCOME_OK)
		visit_reply_empty(report->visit, 204);
	else
		visit_refuse(report->visit, why);
	end_lease(report);
	report_free(report);
}

void
pull_lease_serve(struct visit *visit)
{
	int seconds = visit_wait(visit);

	if (seconds != -1)
		pull_server_wait(visit->mailboxd->pulls, visit, seconds);
}

/* ---- done ---------------------------------------------------------------- */

static enum outcome
finish_work(struct store_txn *txn, void *arg)
{
	struct report *report = arg;

	return pull_store_finish(txn, &report->finish);
}

static void
on_finished(void *arg, enum outcome outcome, const struct reason *why)
{
	struct report *report = arg;
	struct log_line line;

	if (outcome == OUTCOME_OK) {
		pull_server_count(report->visit->mailboxd, &report->finish);
		log_begin(&line, LOG_INFO, report->finish.message,
		    report->finish.ended ? "pulled" : "again");
		log_report(&line, report);
		log_end(&line);
	}
	report_end(report, outcome, why);
}

static void
done_body(struct visit *visit, const cJSON *body)
{
	struct pull_lease *lease = find_lease(visit);
	const struct pull_policy *policy;
	struct report *report;

	if (lease == NULL)
		return;
	if (cJSON_GetArraySize(body) != 0) {
		visit_problem(visit, "malformed", "the body is {}");
		return;
	}
	report = report_new(visit, lease);
	policy = pull_queue_policy(queue_of(visit));
	strcpy(report->finish.message, lease->message);
	report->finish.number = lease->number;
	report->finish.now = clock_now();
	report->finish.retry_at = report->finish.now +
	    pull_policy_delay(policy, 1, randombytes_random());
	store_submit(visit->mailboxd->store, finish_work, on_finished, report);
}

void
pull_done_serve(struct visit *visit)
{
	visit_gather_json(visit, CARGO_API_BODY_MAX, done_body);
}

/* ---- failed -------------------------------------------------------------- */

static void
log_failed(const struct report *report, const struct pull_judgement *told,
    const cJSON *body, int64_t status)
{
	const char *detail = json_string(body, "detail");
	struct log_line line;

	log_begin(&line, LOG_INFO, report->retry.message, "report");
	log_report(&line, report);
	log_string(&line, LOG_KEY_OUTCOME, outcome_name(told->outcome));
	log_string(&line, LOG_KEY_REASON, told->problem);
	log_number(&line, LOG_KEY_STATUS, status);
	log_string(&line, LOG_KEY_DETAIL, detail != NULL ? detail : "");
	log_end(&line);
}

static enum outcome
retry_work(struct store_txn *txn, void *arg)
{
	struct report *report = arg;

	return pull_store_retry(txn, &report->retry);
}

static void
on_retry(void *arg, enum outcome outcome, const struct reason *why)
{
	struct report *report = arg;
	struct log_line line;

	if (outcome == OUTCOME_OK) {
		metrics_count(report->visit->mailboxd->metrics, MAILBOXD_PULLS,
		    "retried");
		log_begin(&line, LOG_INFO, report->retry.message, "retry");
		log_number(&line, LOG_KEY_NEXT,
		    report->retry.due - report->retry.now);
		log_end(&line);
	}
	report_end(report, outcome, why);
}

static void
on_failed(void *arg, enum outcome outcome, const struct reason *why)
{
	struct report *report = arg;

	report_end(report, outcome, why);
}

/* A transfer that comes this much further is worth short delays again. */
#define PROGRESS_MIN (256 * 1024)

/* Something came under this lease, even if not all: beyond what was there. */
static bool
made_progress(const struct pull_lease *lease)
{
	size_t i;

	for (i = 0; i < lease->count; i++)
		if (lease->items[i].stored ||
		    lease->items[i].reached - lease->items[i].have >=
			PROGRESS_MIN)
			return true;
	return false;
}

static int
parse_report(const cJSON *body, const struct pull_lease *lease,
    struct pull_report *report_r, const char **hash_r)
{
	static const char *const members[] = { "status", "problem",
		"authenticated", "hash", "detail", NULL };
	const struct pull_item *item = NULL;
	int authenticated;

	*hash_r = json_string(body, "hash");
	report_r->problem = json_string(body, "problem");
	authenticated = json_boolean(body, "authenticated");
	if (!json_members_exact(body, members) || *hash_r == NULL ||
	    report_r->problem == NULL || authenticated == -1 ||
	    json_integer(body, "status", 0, 599, &report_r->status) == -1)
		return -1;
	report_r->authenticated = authenticated == 1;
	if (**hash_r != '\0') {
		item = pull_lease_item(lease, *hash_r);
		if (item == NULL)
			return -1;
	}
	report_r->wrong = item != NULL && item->wrong;
	return 0;
}

static void
start_retry(struct report *report, const struct pull_lease *lease,
    const struct pull_judgement *told)
{
	struct visit *visit = report->visit;
	struct pull_retry *retry = &report->retry;

	retry->number = lease->number;
	retry->now = clock_now();
	retry->policy = pull_queue_policy(queue_of(visit));
	retry->random = randombytes_random();
	retry->progress = made_progress(lease);
	retry->origin_fault = told->origin_fault;
	strcpy(retry->problem, told->problem);
	store_submit(visit->mailboxd->store, retry_work, on_retry, report);
}

static void
failed_body(struct visit *visit, const cJSON *body)
{
	struct pull_lease *lease = find_lease(visit);
	struct pull_judgement told;
	struct pull_report facts;
	struct report *report;
	const char *hash;

	if (lease == NULL)
		return;
	if (parse_report(body, lease, &facts, &hash) == -1) {
		visit_problem(visit, "malformed",
		    "status, problem, authenticated, hash, detail");
		return;
	}
	pull_queue_judge(&facts, &told);
	report = report_new(visit, lease);
	strcpy(report->retry.message, lease->message);
	report->retry.status = facts.status;
	log_failed(report, &told, body, facts.status);
	/* What is permanent is so for one resource, or for all of them. */
	if (told.outcome == OUTCOME_PERMFAIL && (told.whole || *hash != '\0'))
		pull_server_fail(visit->mailboxd->pulls, lease,
		    told.whole ? "" : hash, told.problem, on_failed, report);
	else
		start_retry(report, lease, &told);
}

void
pull_failed_serve(struct visit *visit)
{
	visit_gather_json(visit, CARGO_API_BODY_MAX, failed_body);
}

/* ---- entitled ------------------------------------------------------------ */

static enum outcome
entitled_work(struct store_txn *txn, void *arg)
{
	struct report *report = arg;

	return pull_store_commit(txn, &report->commit);
}

static void
on_entitled(void *arg, enum outcome outcome, const struct reason *why)
{
	struct report *report = arg;
	struct pull_lease *lease;
	struct log_line line;

	if (outcome == OUTCOME_OK) {
		lease = pull_queue_find(queue_of(report->visit), report->lease,
		    clock_now());
		if (lease != NULL)
			pull_lease_item(lease, report->commit.hash)->stored =
			    true;
		log_begin(&line, LOG_INFO, report->commit.message, "linked");
		log_string(&line, LOG_KEY_HASH, report->commit.hash);
		log_end(&line);
		wait_list_poke(report->visit->mailboxd->messages);
		visit_reply_empty(report->visit, 204);
	} else {
		visit_refuse(report->visit, why);
	}
	report_free(report);
}

static void
entitled_body(struct visit *visit, const cJSON *body)
{
	static const char *const members[] = { "hash", NULL };
	struct pull_lease *lease = find_lease(visit);
	const char *hash = json_string(body, "hash");
	const struct pull_item *item;
	struct report *report;

	if (lease == NULL)
		return;
	item = hash != NULL ? pull_lease_item(lease, hash) : NULL;
	if (!json_members_exact(body, members) || item == NULL || !item->head) {
		visit_problem(visit, "malformed",
		    "hash: one that was leased with mode head");
		return;
	}
	report = report_new(visit, lease);
	pull_queue_renew(queue_of(visit), lease, clock_now());
	strcpy(report->commit.message, lease->message);
	strcpy(report->commit.hash, hash);
	report->commit.number = lease->number;
	report->commit.link = true;
	report->commit.now = clock_now();
	store_submit(visit->mailboxd->store, entitled_work, on_entitled,
	    report);
}

void
pull_entitled_serve(struct visit *visit)
{
	visit_gather_json(visit, CARGO_API_BODY_MAX, entitled_body);
}
