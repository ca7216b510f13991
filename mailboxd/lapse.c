/* SPDX-License-Identifier: ISC
 *
 * The end of what a broker put: see lapse.h.
 */
#include "lapse.h"

#include <string.h>

#include "garbage.h"
#include "json_strict.h"
#include "log.h"
#include "quota.h"
#include "record.h"
#include "resource_keep.h"
#include "store_account.h"

static enum outcome
trouble(struct store_txn *txn)
{
	return reason_set(store_txn_reason(txn), OUTCOME_TEMPFAIL,
	    "unavailable", "the store cannot be read");
}

/* When the use row is due; -1 if it does not say. */
static int64_t
due_of(const cJSON *use)
{
	int64_t due;

	return json_integer(use, "due", 0, JSON_MAX_INTEGER, &due) == 0 ? due :
									  -1;
}

/* ---- times --------------------------------------------------------------- */

static void
put_due(struct store_txn *txn, const struct lapse *use, int64_t due)
{
	struct store_key key;

	store_txn_put_object(txn,
	    store_key_use_due(&key, due, use->account, use->hash, use->share),
	    cJSON_CreateObject());
}

static void
delete_due(struct store_txn *txn, const struct lapse *use, int64_t due)
{
	struct store_key key;

	if (due >= 0)
		store_txn_delete(txn,
		    store_key_use_due(&key, due, use->account, use->hash,
			use->share));
}

enum outcome
lapse_put(struct store_txn *txn, const struct lapse *put, const char *broker)
{
	const int64_t due = put->now + LAPSE_GRACE;
	struct store_key key;
	cJSON *use = NULL;

	store_key_use(&key, put->account, put->hash, put->share);
	if (store_get_json(store_txn_view(txn), key.text, &use) == 1 &&
	    due_of(use) != due)
		delete_due(txn, put, due_of(use));
	cJSON_Delete(use);
	use = cJSON_CreateObject();
	json_add_string(use, "broker", broker);
	json_add_integer(use, "due", due);
	put_due(txn, put, due);
	return store_txn_put_object(txn, key.text, use);
}

enum outcome
lapse_revoked(struct store_txn *txn, const struct lapse *share)
{
	struct store_key key;

	return store_txn_put_object(txn,
	    store_key_share_due(&key, share->now, share->account, share->share),
	    cJSON_CreateObject());
}

/* The row and its index row, to another time. */
static enum outcome
move(struct store_txn *txn, const struct lapse *use, cJSON *row, int64_t due)
{
	struct store_key key;

	delete_due(txn, use, use->when);
	put_due(txn, use, due);
	cJSON_DeleteItemFromObjectCaseSensitive(row, "due");
	json_add_integer(row, "due", due);
	return store_txn_put_json(txn,
	    store_key_use(&key, use->account, use->hash, use->share), row);
}

enum outcome
lapse_use_later(struct store_txn *txn, const struct lapse *use, int64_t seconds)
{
	struct store_key key;
	enum outcome outcome = OUTCOME_OK;
	cJSON *row = NULL;

	store_key_use(&key, use->account, use->hash, use->share);
	if (store_get_json(store_txn_view(txn), key.text, &row) == 1)
		outcome = move(txn, use, row, use->now + seconds);
	else {
		/* A torn row is left as it is. */
		delete_due(txn, use, use->when);
		put_due(txn, use, use->now + seconds);
	}
	cJSON_Delete(row);
	return outcome;
}

/* ---- letting go ---------------------------------------------------------- */

struct use_search {
	bool any, others;
};

static enum store_step
look_at_use(void *arg, const char *key, const void *data, size_t len)
{
	struct use_search *search = arg;

	(void)data;
	(void)len;
	search->any = true;
	search->others = search->others || store_id_valid(store_key_last(key));
	return STORE_NEXT;
}

/* What uses it; `others`: messages among them. 0, or -1. */
static int
search_uses(struct store_view *view, const char *account, const char *hash,
    struct use_search *search_r)
{
	struct store_key key;

	memset(search_r, 0, sizeof(*search_r));
	return store_scan(view, store_key_use(&key, account, hash, NULL), NULL,
	    look_at_use, search_r);
}

int
lapse_threatens(struct store_view *view, const char *account, const char *hash)
{
	struct use_search search;
	int unkept;

	unkept = resource_unkept(view, account, hash, NULL);
	if (unkept != 1)
		return unkept;
	if (search_uses(view, account, hash, &search) == -1)
		return -1;
	return search.any && !search.others;
}

/* The account no longer holds it: resource, quota, holder, record. */
static enum outcome
free_resource(struct store_txn *txn, struct store_account *account,
    struct lapse *lapse, int64_t size)
{
	const char *hash = lapse->hash;
	enum outcome outcome;
	struct store_key key;
	cJSON *leaf;

	outcome = quota_free(account, size, store_txn_reason(txn));
	if (outcome != OUTCOME_OK)
		return outcome;
	store_txn_delete(txn, store_key_resource(&key, account->id, hash));
	outcome = garbage_drop_holder(txn, hash, account->id, lapse->now);
	if (outcome != OUTCOME_OK)
		return outcome;
	strcpy(lapse->gone[lapse->count].hash, hash);
	lapse->gone[lapse->count++].size = size;
	leaf = cJSON_CreateObject();
	json_add_string(leaf, "share", lapse->share);
	json_add_string(leaf, "hash", hash);
	json_add_string(leaf, "reason", lapse->reason);
	return record_append(txn, account, "lapsed", lapse->now, leaf, NULL);
}

/* The use row of lapse->hash goes, and the resource with the last one. Seven
 * keys, the account not counted. */
static enum outcome
let_go(struct store_txn *txn, struct store_account *account,
    struct lapse *lapse)
{
	struct store_view *view = store_txn_view(txn);
	const char *hash = lapse->hash;
	struct use_search search;
	struct store_key key;
	cJSON *use = NULL;
	int64_t size = 0;
	int unkept;

	store_key_use(&key, lapse->account, hash, lapse->share);
	if (store_get_json(view, key.text, &use) != 1)
		return trouble(txn);
	delete_due(txn, lapse, due_of(use));
	cJSON_Delete(use);
	store_txn_delete(txn, key.text);
	unkept = resource_unkept(view, lapse->account, hash, &size);
	if (unkept == -1 ||
	    search_uses(view, lapse->account, hash, &search) == -1)
		return trouble(txn);
	if (unkept == 0 || search.any)
		return OUTCOME_OK;
	return free_resource(txn, account, lapse, size);
}

/* ---- a use row that is due ----------------------------------------------- */

static bool
names(const cJSON *share, const char *hash)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, json_array(share, "resources"))
	{
		if (cJSON_IsString(item) &&
		    strcmp(item->valuestring, hash) == 0)
			return true;
	}
	return false;
}

/* Why the share uses it no more; NULL if it does, until *until_r. */
static const char *
judge(const cJSON *share, const struct lapse *use, int64_t *until_r)
{
	int64_t expires, revoked;

	if (share == NULL || !names(share, use->hash))
		return "not-shared";
	if (json_integer(share, "revoked", 0, JSON_MAX_INTEGER, &revoked) == 0)
		return "revoked";
	if (json_integer(share, "expires", 0, JSON_MAX_INTEGER, &expires) == -1)
		expires = 0;
	*until_r = expires + use->sent_keep;
	return *until_r <= use->now ? "expired" : NULL;
}

static enum outcome
end_use(struct store_txn *txn, struct lapse *use)
{
	struct store_account account;
	enum outcome outcome;

	if (store_account_get(store_txn_view(txn), use->account, &account) != 1)
		return trouble(txn);
	outcome = let_go(txn, &account, use);
	if (outcome == OUTCOME_OK)
		outcome = store_account_put(txn, &account);
	store_account_clear(&account);
	return outcome;
}

enum outcome
lapse_use(struct store_txn *txn, void *arg)
{
	struct store_view *view = store_txn_view(txn);
	enum outcome outcome = OUTCOME_OK;
	cJSON *row = NULL, *share = NULL;
	struct lapse *use = arg;
	struct store_key key;
	int64_t until = 0;
	int found;

	use->count = 0;
	found = store_get_json(view,
	    store_key_use(&key, use->account, use->hash, use->share), &row);
	if (found == -1)
		return trouble(txn);
	if (found == 0 || due_of(row) != use->when) {
		delete_due(txn, use, use->when);
		goto out;
	}
	if (store_get_json(view,
		store_key_share(&key, use->account, use->share),
		&share) == -1) {
		outcome = trouble(txn);
		goto out;
	}
	use->reason = judge(share, use, &until);
	outcome = use->reason != NULL ? end_use(txn, use) :
					move(txn, use, row, until);
out:
	cJSON_Delete(share);
	cJSON_Delete(row);
	return outcome;
}

/* ---- a share that was withdrawn ------------------------------------------ */

/* The next batch of the share's resources that have a use row. */
static enum outcome
let_go_batch(struct store_txn *txn, struct store_account *account,
    struct lapse *lapse, const cJSON *share)
{
	enum outcome outcome = OUTCOME_OK;
	struct store_key key;
	const cJSON *item;
	int count = 0, found;

	cJSON_ArrayForEach(item, json_array(share, "resources"))
	{
		if (!cJSON_IsString(item) || !hex_is_sha256(item->valuestring))
			continue;
		found = store_get(store_txn_view(txn),
		    store_key_use(&key, account->id, item->valuestring,
			lapse->share),
		    NULL);
		if (found == -1)
			return trouble(txn);
		if (found == 0)
			continue;
		if (count++ == LAPSE_BATCH) {
			lapse->more = true;
			break;
		}
		strcpy(lapse->hash, item->valuestring);
		outcome = let_go(txn, account, lapse);
		if (outcome != OUTCOME_OK)
			return outcome;
	}
	return outcome;
}

static enum outcome
let_go_share(struct store_txn *txn, struct lapse *lapse, const cJSON *share)
{
	struct store_account account;
	enum outcome outcome;

	if (store_account_get(store_txn_view(txn), lapse->account, &account) !=
	    1)
		return trouble(txn);
	outcome = let_go_batch(txn, &account, lapse, share);
	if (outcome == OUTCOME_OK)
		outcome = store_account_put(txn, &account);
	store_account_clear(&account);
	return outcome;
}

enum outcome
lapse_share(struct store_txn *txn, void *arg)
{
	enum outcome outcome = OUTCOME_OK;
	struct lapse *lapse = arg;
	struct store_key key;
	cJSON *share = NULL;
	int64_t revoked;
	int found;

	lapse->count = 0;
	lapse->more = false;
	lapse->reason = "revoked";
	found = store_get_json(store_txn_view(txn),
	    store_key_share(&key, lapse->account, lapse->share), &share);
	if (found == -1)
		return trouble(txn);
	if (json_integer(share, "revoked", 0, JSON_MAX_INTEGER, &revoked) == 0)
		outcome = let_go_share(txn, lapse, share);
	else
		revoked = lapse->when; /* its account is gone */
	if (outcome == OUTCOME_OK && !lapse->more)
		store_txn_delete(txn,
		    store_key_share_due(&key, revoked, lapse->account,
			lapse->share));
	cJSON_Delete(share);
	return outcome;
}

/* ---- the log ------------------------------------------------------------- */

void
lapse_log(const struct lapse *lapse, const char *id)
{
	struct log_line line;
	size_t i;

	for (i = 0; i < lapse->count; i++) {
		log_begin(&line, LOG_INFO, id, "let-go");
		log_string(&line, LOG_KEY_ACCOUNT, lapse->account);
		log_string(&line, LOG_KEY_SHARE, lapse->share);
		log_string(&line, LOG_KEY_HASH, lapse->gone[i].hash);
		log_number(&line, LOG_KEY_BYTES, lapse->gone[i].size);
		log_string(&line, LOG_KEY_REASON, lapse->reason);
		log_end(&line);
	}
}
