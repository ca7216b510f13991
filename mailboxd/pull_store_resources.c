/* SPDX-License-Identifier: ISC
 *
 * What becomes of a pull's resources: stored, failed, linked; and the end of
 * the pull when none is pending. Work functions, as in pull_store.c.
 */
#include <string.h>

#include "access.h"
#include "garbage.h"
#include "json_strict.h"
#include "pull_store_private.h"
#include "quota.h"
#include "record.h"
#include "store_upload.h"

/* The message's resource of this hash, NULL if there is none. */
static const cJSON *
find_resource(const cJSON *message, const char *hash)
{
	const cJSON *resource;
	const char *own;

	cJSON_ArrayForEach(resource, json_array(message, "resources"))
	{
		own = json_string(resource, "hash");
		if (own != NULL && strcmp(own, hash) == 0)
			return resource;
	}
	return NULL;
}

static int64_t
resource_size(const cJSON *resource)
{
	int64_t size = 0;

	(void)json_integer(resource, "size", 0, JSON_MAX_INTEGER, &size);
	return size;
}

static cJSON *
leaf_of(const struct pull_work *work, const char *hash)
{
	cJSON *leaf = cJSON_CreateObject();

	json_add_string(leaf, "message", work->row.message);
	if (hash != NULL)
		json_add_string(leaf, "hash", hash);
	return leaf;
}

/* 1 if the resource is pending, 0 if not, -1 on trouble. */
static int
is_pending(const struct pull_work *work, const cJSON *resource)
{
	const char *hash = json_string(resource, "hash");
	int state;

	if (hash == NULL)
		return -1;
	state = pull_resource_state(work->view, work->row.account,
	    work->row.message, hash);
	return state == -1 ? -1 : state == PULL_PENDING;
}

/* ---- one resource becomes true ------------------------------------------- */

static void
put_resource_row(struct pull_work *work, const cJSON *resource, int64_t now)
{
	const char *hash = json_string(resource, "hash");
	cJSON *row = cJSON_Duplicate(resource, 1);
	struct store_key key;

	cJSON_DeleteItemFromObjectCaseSensitive(row, "hash");
	json_add_integer(row, "since", now);
	json_add_boolean(row, "kept", false);
	store_txn_put_object(work->txn,
	    store_key_resource(&key, work->row.account, hash), row);
}

/* Resource, use and source row, quota, record; holder rows come before. At
 * most six keys, account and pull row not counted. */
static enum outcome
make_true(struct pull_work *work, const cJSON *resource, int64_t now)
{
	const char *hash = json_string(resource, "hash");
	struct reason *why = store_txn_reason(work->txn);
	int64_t size = resource_size(resource);
	struct store_key key;
	enum outcome outcome;
	cJSON *use;
	int held;

	held = store_get(work->view,
	    store_key_resource(&key, work->row.account, hash), NULL);
	if (held == -1)
		return pull_work_trouble(work->txn);
	outcome = held ? quota_release(&work->account, size, why) :
			 quota_commit(&work->account, size, why);
	if (outcome != OUTCOME_OK)
		return outcome;
	work->row.reserved -= size;
	if (!held)
		put_resource_row(work, resource, now);
	use = cJSON_CreateObject();
	json_add_string(use, "origin", work->row.origin);
	json_add_string(use, "share", work->row.share);
	store_txn_put_object(work->txn,
	    store_key_use(&key, work->row.account, hash, work->row.message),
	    use);
	store_txn_put_object(work->txn,
	    store_key_source(&key, hash, work->row.origin, work->row.share),
	    cJSON_CreateObject());
	return record_append(work->txn, &work->account, "stored", now,
	    leaf_of(work, hash), NULL);
}

static enum outcome
add_blob(struct pull_work *work, const struct pull_commit *commit, int64_t size)
{
	const struct access_source source = { work->row.account,
		work->row.origin, work->row.share };
	int before;

	if (!commit->link)
		return store_blob_add(work->txn, &commit->blob,
		    work->row.account, commit->now);
	before = access_came_before(work->view, &source, commit->hash, size);
	if (before == -1)
		return pull_work_trouble(work->txn);
	if (before == 0)
		return reason_set(store_txn_reason(work->txn), OUTCOME_TEMPFAIL,
		    "lease", "the bytes must be pulled");
	return store_blob_link(work->txn, commit->hash, work->row.account);
}

static enum outcome
commit_open(struct pull_work *work, const struct pull_commit *commit)
{
	const cJSON *resource = find_resource(work->message, commit->hash);
	enum outcome outcome;
	int pending;

	if (resource == NULL)
		return reason_set(store_txn_reason(work->txn), OUTCOME_PERMFAIL,
		    "not-allowed", "the message does not name it");
	pending = is_pending(work, resource);
	if (pending == -1)
		return pull_work_trouble(work->txn);
	if (!pending) /* said twice: the second copy goes */
		return commit->link ?
		    OUTCOME_OK :
		    garbage_add(work->txn, commit->blob.locator,
			commit->blob.size, commit->now);
	outcome = add_blob(work, commit, resource_size(resource));
	if (outcome == OUTCOME_OK)
		outcome = make_true(work, resource, commit->now);
	if (outcome != OUTCOME_OK)
		return outcome;
	pull_origin_good(work->txn, work->row.origin);
	work->row.attempt = 0;
	outcome = store_account_put(work->txn, &work->account);
	return outcome != OUTCOME_OK ?
	    outcome :
	    pull_row_put(work->txn, &work->row, work->old_due);
}

enum outcome
pull_store_commit(struct store_txn *txn, void *arg)
{
	struct pull_commit *commit = arg;
	struct pull_work work;
	enum outcome outcome;

	outcome = pull_work_open(&work, txn, commit->message, commit->number);
	if (outcome != OUTCOME_OK)
		return outcome;
	outcome = commit_open(&work, commit);
	if (outcome == OUTCOME_OK && commit->upload[0] != '\0')
		outcome = store_upload_forget(txn, commit->upload);
	pull_work_close(&work);
	return outcome;
}

/* ---- the end ------------------------------------------------------------- */

/* Number of pending resources, -1 on trouble. */
static int
count_pending(struct pull_work *work)
{
	const cJSON *resource;
	int count = 0, pending;

	cJSON_ArrayForEach(resource, json_array(work->message, "resources"))
	{
		pending = is_pending(work, resource);
		if (pending == -1)
			return -1;
		count += pending;
	}
	return count;
}

/* Nothing is pending: the pull goes, and with it what is left of the
 * promise. Four keys. */
static enum outcome
end_pull(struct pull_work *work, int64_t now)
{
	enum outcome outcome = OUTCOME_OK;

	if (work->row.reserved > 0)
		outcome = quota_release(&work->account, work->row.reserved,
		    store_txn_reason(work->txn));
	if (outcome == OUTCOME_OK)
		outcome = record_append(work->txn, &work->account, "pulled",
		    now, leaf_of(work, NULL), NULL);
	if (outcome == OUTCOME_OK)
		outcome = store_account_put(work->txn, &work->account);
	return outcome != OUTCOME_OK ? outcome :
				       pull_row_delete(work->txn, &work->row);
}

/* Ends it or writes it back as due at `due`. */
static enum outcome
end_or_keep(struct pull_work *work, int64_t now, int64_t due, bool *ended_r)
{
	int pending = count_pending(work);
	enum outcome outcome;

	if (pending == -1)
		return pull_work_trouble(work->txn);
	*ended_r = pending == 0;
	if (pending == 0)
		return end_pull(work, now);
	work->row.leased = false;
	work->row.due = due;
	outcome = store_account_put(work->txn, &work->account);
	return outcome != OUTCOME_OK ?
	    outcome :
	    pull_row_put(work->txn, &work->row, work->old_due);
}

enum outcome
pull_store_finish(struct store_txn *txn, void *arg)
{
	struct pull_finish *finish = arg;
	struct pull_work work;
	enum outcome outcome;

	outcome = pull_work_open(&work, txn, finish->message, finish->number);
	if (outcome != OUTCOME_OK)
		return outcome;
	work.row.attempt++;
	if (json_integer(work.message, "time", 0, JSON_MAX_INTEGER,
		&finish->since) == -1)
		finish->since = finish->now;
	outcome =
	    end_or_keep(&work, finish->now, finish->retry_at, &finish->ended);
	pull_work_close(&work);
	return outcome;
}

/* Two or three keys. */
static enum outcome
fail_resource(struct pull_work *work, const cJSON *resource,
    const char *problem, int64_t now)
{
	const char *hash = json_string(resource, "hash");
	int64_t size = resource_size(resource);
	struct store_key key;
	cJSON *row, *leaf;
	enum outcome outcome;

	outcome =
	    quota_release(&work->account, size, store_txn_reason(work->txn));
	if (outcome != OUTCOME_OK)
		return outcome;
	work->row.reserved -= size;
	row = cJSON_CreateObject();
	json_add_string(row, "problem", problem);
	json_add_integer(row, "time", now);
	store_txn_put_object(work->txn,
	    store_key_failure(&key, work->row.account, work->row.message, hash),
	    row);
	leaf = leaf_of(work, hash);
	json_add_string(leaf, "problem", problem);
	return record_append(work->txn, &work->account, "failed", now, leaf,
	    NULL);
}

/* What happens to one pending resource of a batch. */
typedef enum outcome
batch_fn(struct pull_work *work, const cJSON *resource, void *arg);

/* Goes over the pending resources, PULL_STORE_BATCH at most; *more_r if
 * there are others. */
static enum outcome
each_pending(struct pull_work *work, batch_fn *each, void *arg, bool *more_r)
{
	const cJSON *resource;
	enum outcome outcome;
	int count = 0, pending;

	*more_r = false;
	cJSON_ArrayForEach(resource, json_array(work->message, "resources"))
	{
		pending = is_pending(work, resource);
		if (pending == -1)
			return pull_work_trouble(work->txn);
		if (!pending)
			continue;
		if (count++ == PULL_STORE_BATCH) {
			*more_r = true;
			break;
		}
		outcome = each(work, resource, arg);
		if (outcome != OUTCOME_OK)
			return outcome;
	}
	return OUTCOME_OK;
}

static enum outcome
fail_each(struct pull_work *work, const cJSON *resource, void *arg)
{
	const struct pull_fail *fail = arg;

	return fail_resource(work, resource, fail->problem, fail->now);
}

static enum outcome
fail_one(struct pull_work *work, struct pull_fail *fail)
{
	const cJSON *resource = find_resource(work->message, fail->hash);
	int pending;

	if (resource == NULL)
		return OUTCOME_OK;
	pending = is_pending(work, resource);
	if (pending == -1)
		return pull_work_trouble(work->txn);
	return pending ? fail_each(work, resource, fail) : OUTCOME_OK;
}

enum outcome
pull_store_fail(struct store_txn *txn, void *arg)
{
	struct pull_fail *fail = arg;
	struct pull_work work;
	enum outcome outcome;

	fail->more = fail->ended = false;
	outcome = pull_work_open(&work, txn, fail->message, fail->number);
	if (outcome != OUTCOME_OK)
		return outcome;
	outcome = fail->hash[0] != '\0' ?
	    fail_one(&work, fail) :
	    each_pending(&work, fail_each, fail, &fail->more);
	if (outcome == OUTCOME_OK)
		outcome =
		    end_or_keep(&work, fail->now, fail->now, &fail->ended);
	pull_work_close(&work);
	return outcome;
}

/* ---- the same server ----------------------------------------------------- */

static enum outcome
link_each(struct pull_work *work, const cJSON *resource, void *arg)
{
	const struct pull_link *link = arg;
	const char *hash = json_string(resource, "hash");
	const char *sender = json_string(work->message, "sender");
	const char *recipient = json_string(work->message, "recipient");
	struct access_claim claim = { sender != NULL ? sender : "",
		recipient != NULL ? recipient : "", work->row.share, NULL };
	struct store_blob blob;
	enum outcome outcome;
	struct reason why;

	outcome =
	    access_shared(work->view, &claim, hash, link->now, &blob, &why);
	if (outcome == OUTCOME_TEMPFAIL)
		return pull_work_trouble(work->txn);
	if (outcome == OUTCOME_OK && blob.size != resource_size(resource))
		outcome = reason_set(&why, OUTCOME_PERMFAIL, "wrong-size",
		    "the resource has another size");
	if (outcome != OUTCOME_OK)
		return fail_resource(work, resource, why.word, link->now);
	outcome = store_blob_link(work->txn, hash, work->row.account);
	return outcome != OUTCOME_OK ? outcome :
				       make_true(work, resource, link->now);
}

enum outcome
pull_store_link(struct store_txn *txn, void *arg)
{
	struct pull_link *link = arg;
	struct pull_work work;
	enum outcome outcome;

	link->more = link->ended = false;
	outcome = pull_work_open(&work, txn, link->message, -1);
	if (outcome != OUTCOME_OK)
		return outcome;
	outcome = each_pending(&work, link_each, link, &link->more);
	if (outcome == OUTCOME_OK)
		outcome =
		    end_or_keep(&work, link->now, link->now, &link->ended);
	pull_work_close(&work);
	return outcome;
}
