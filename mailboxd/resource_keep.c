/* SPDX-License-Identifier: ISC
 *
 * The owner's own word for a resource. See resource_keep.h.
 */
#include "resource_keep.h"

#include "json_strict.h"
#include "record.h"

int
resource_unkept(struct store_view *view, const char *account, const char *hash,
    int64_t *size_r)
{
	struct store_key key;
	cJSON *row = NULL;
	int64_t size;
	int found;

	found =
	    store_get_json(view, store_key_resource(&key, account, hash), &row);
	if (found == 1 &&
	    json_integer(row, "size", 0, JSON_MAX_INTEGER, &size) == -1)
		found = -1;
	if (found == 1) {
		found = json_boolean(row, "kept") == 0;
		if (size_r != NULL)
			*size_r = size;
	}
	cJSON_Delete(row);
	return found;
}

static enum outcome
keep(struct store_txn *txn, struct store_account *account, const char *hash,
    int64_t now)
{
	struct store_key key;
	enum outcome outcome;
	cJSON *row, *leaf;

	if (store_get_json(store_txn_view(txn),
		store_key_resource(&key, account->id, hash), &row) != 1)
		return reason_set(store_txn_reason(txn), OUTCOME_TEMPFAIL,
		    "unavailable", "the store cannot be read");
	cJSON_DeleteItemFromObjectCaseSensitive(row, "kept");
	json_add_boolean(row, "kept", true);
	outcome = store_txn_put_object(txn, key.text, row);
	if (outcome != OUTCOME_OK)
		return outcome;
	leaf = cJSON_CreateObject();
	json_add_string(leaf, "hash", hash);
	return record_append(txn, account, "kept", now, leaf, NULL);
}

enum outcome
resource_keep(struct store_txn *txn, struct store_account *account,
    const char *hash, int64_t now, bool *news_r)
{
	struct store_view *view = store_txn_view(txn);
	struct reason *why = store_txn_reason(txn);
	struct store_key key;
	int held, unkept;

	*news_r = false;
	held =
	    store_get(view, store_key_resource(&key, account->id, hash), NULL);
	if (held == 0)
		return reason_set(why, OUTCOME_PERMFAIL, "not-found",
		    "this account has no such resource");
	unkept = resource_unkept(view, account->id, hash, NULL);
	if (held == -1 || unkept == -1)
		return reason_set(why, OUTCOME_TEMPFAIL, "unavailable",
		    "the store cannot be read");
	*news_r = unkept == 1;
	return *news_r ? keep(txn, account, hash, now) : OUTCOME_OK;
}

enum outcome
resource_keep_work(struct store_txn *txn, void *arg)
{
	const struct resource_keep *what = arg;
	struct store_account account;
	enum outcome outcome;
	bool news;

	if (store_account_get(store_txn_view(txn), what->account, &account) !=
	    1)
		return reason_set(store_txn_reason(txn), OUTCOME_TEMPFAIL,
		    "unavailable", "the account cannot be read");
	outcome = resource_keep(txn, &account, what->hash, what->now, &news);
	if (outcome == OUTCOME_OK && news)
		outcome = store_account_put(txn, &account);
	store_account_clear(&account);
	return outcome;
}
