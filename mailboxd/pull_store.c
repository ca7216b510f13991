/* SPDX-License-Identifier: ISC
 *
 * The changes that a pull goes through, each a work function of the store:
 * run in the committer thread, perhaps several times before it counts. Here
 * leases and times; pull_store_resources.c has what becomes of the resources.
 */
#include <string.h>

#include "json_strict.h"
#include "pull_store_private.h"

enum outcome
pull_work_trouble(struct store_txn *txn)
{
	return reason_set(store_txn_reason(txn), OUTCOME_TEMPFAIL,
	    "unavailable", "the store cannot be read");
}

void
pull_work_close(struct pull_work *work)
{
	pull_row_clear(&work->row);
	cJSON_Delete(work->message);
	if (work->has_account)
		store_account_clear(&work->account);
}

enum outcome
pull_work_open_row(struct pull_work *work, struct store_txn *txn,
    const char *message, int64_t number)
{
	int found;

	memset(work, 0, sizeof(*work));
	work->txn = txn;
	work->view = store_txn_view(txn);
	found = pull_row_get(work->view, message, &work->row);
	if (found == -1)
		return pull_work_trouble(txn);
	if (found == 0 || (number != -1 && work->row.lease != number)) {
		pull_work_close(work);
		return reason_set(store_txn_reason(txn), OUTCOME_TEMPFAIL,
		    "lease", "the lease is not live");
	}
	work->old_due = work->row.due;
	return OUTCOME_OK;
}

enum outcome
pull_work_open(struct pull_work *work, struct store_txn *txn,
    const char *message, int64_t number)
{
	enum outcome outcome;

	outcome = pull_work_open_row(work, txn, message, number);
	if (outcome != OUTCOME_OK)
		return outcome;
	work->has_account = store_account_get(work->view, work->row.account,
				&work->account) == 1;
	if (!work->has_account ||
	    pull_message_get(work->view, &work->row, &work->message) != 1) {
		pull_work_close(work);
		return pull_work_trouble(txn);
	}
	return OUTCOME_OK;
}

/* ---- leases -------------------------------------------------------------- */

enum outcome
pull_store_take(struct store_txn *txn, void *arg)
{
	struct pull_take *take = arg;
	struct pull_work work;
	enum outcome outcome;

	pull_row_clear(&take->row);
	outcome = pull_work_open_row(&work, txn, take->message, take->expected);
	if (outcome != OUTCOME_OK)
		return outcome;
	work.row.lease++;
	work.row.leased = true;
	work.row.due = take->until;
	outcome = pull_row_put(txn, &work.row, work.old_due);
	take->row = work.row;
	return outcome;
}

void
pull_origin_good(struct store_txn *txn, const char *origin)
{
	struct store_key key;

	if (store_get(store_txn_view(txn), pull_origin_key(&key, origin),
		NULL) == 1)
		store_txn_delete(txn, pull_origin_key(&key, origin));
}

static void
origin_bad(struct store_txn *txn, const struct pull_retry *retry,
    const char *origin)
{
	int64_t failures = 0;
	struct store_key key;
	cJSON *row = NULL;

	if (store_get_json(store_txn_view(txn), pull_origin_key(&key, origin),
		&row) == 1)
		(void)json_integer(row, "failures", 0, 1000000, &failures);
	cJSON_Delete(row);
	row = cJSON_CreateObject();
	json_add_integer(row, "failures", failures + 1);
	json_add_integer(row, "not_before",
	    retry->now +
		pull_policy_delay(retry->policy, failures + 1, retry->random));
	store_txn_put_object(txn, key.text, row);
}

enum outcome
pull_store_retry(struct store_txn *txn, void *arg)
{
	struct pull_retry *retry = arg;
	struct pull_work work;
	enum outcome outcome;

	outcome = pull_work_open_row(&work, txn, retry->message, retry->number);
	if (outcome != OUTCOME_OK)
		return outcome;
	work.row.leased = false;
	if (retry->problem[0] != '\0') {
		strcpy(work.row.problem, retry->problem);
		work.row.status = retry->status;
		work.row.failed = retry->now;
	}
	if (retry->progress)
		work.row.attempt = 0;
	if (retry->lapse) {
		work.row.due = retry->now;
	} else {
		work.row.attempt++;
		work.row.due = retry->now +
		    pull_policy_delay(retry->policy, work.row.attempt,
			retry->random);
	}
	/* Nothing may be later than the end: that is when it fails. */
	if (work.row.due > work.row.expires)
		work.row.due = work.row.expires > retry->now ?
		    work.row.expires :
		    retry->now;
	retry->due = work.row.due;
	if (retry->origin_fault)
		origin_bad(txn, retry, work.row.origin);
	outcome = pull_row_put(txn, &work.row, work.old_due);
	pull_work_close(&work);
	return outcome;
}

/* Four keys. */
static enum outcome
hasten_row(struct store_txn *txn, struct pull_row *row, int64_t now)
{
	int64_t old_due = row->due;

	pull_origin_good(txn, row->origin);
	row->attempt = 0;
	row->due = now;
	return pull_row_put(txn, row, old_due);
}

enum outcome
pull_store_hasten(struct store_txn *txn, void *arg)
{
	struct pull_hasten *hasten = arg;
	enum outcome outcome = OUTCOME_OK;
	struct pull_row row;
	unsigned i;
	int found;

	hasten->due = hasten->leased = 0;
	for (i = 0; i < hasten->count && outcome == OUTCOME_OK; i++) {
		found = pull_row_get(store_txn_view(txn), hasten->messages[i],
		    &row);
		if (found == -1)
			outcome = pull_work_trouble(txn);
		if (found != 1)
			continue; /* it came to its end meanwhile */
		if (row.leased)
			hasten->leased++;
		else
			outcome = hasten_row(txn, &row, hasten->now);
		hasten->due += !row.leased;
		pull_row_clear(&row);
	}
	return outcome;
}

enum outcome
pull_store_postpone(struct store_txn *txn, void *arg)
{
	struct pull_postpone *postpone = arg;
	enum outcome outcome = OUTCOME_OK;
	struct pull_row row;
	unsigned i;

	for (i = 0; i < postpone->count && outcome == OUTCOME_OK; i++) {
		if (pull_row_get(store_txn_view(txn), postpone->messages[i],
			&row) != 1)
			continue;
		/* Unless something happened to it since it was seen. */
		if (row.due == postpone->seen[i]) {
			row.due = postpone->until[i];
			outcome = pull_row_put(txn, &row, postpone->seen[i]);
		}
		pull_row_clear(&row);
	}
	return outcome;
}
