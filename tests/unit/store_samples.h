/* SPDX-License-Identifier: ISC
 *
 * Closures that tests of the store share: accounts, and what holding a
 * resource takes (the shape that mailboxd's own closures have).
 */
#ifndef STORE_SAMPLES_H
#define STORE_SAMPLES_H

#include <string.h>

#include "garbage.h"
#include "json_strict.h"
#include "quota.h"
#include "record.h"
#include "store_account.h"

struct sample {
	const char *account;
	struct store_blob blob;
	int64_t now;
	const char *share; /* writes a source row, or NULL */
};

static inline enum outcome
sample_account(struct store_txn *txn, void *arg)
{
	struct store_account account;

	store_account_init(&account, arg, (int64_t)1 << 40);
	store_account_put(txn, &account);
	store_account_clear(&account);
	return OUTCOME_OK;
}

/* Blob, holder, resource, record and account row: the commit rule. */
static inline enum outcome
sample_hold(struct store_txn *txn, void *arg)
{
	const struct sample *sample = arg;
	struct store_view *view = store_txn_view(txn);
	struct store_account account;
	struct store_key key;
	enum outcome outcome;
	cJSON *row, *leaf;

	if (store_account_get(view, sample->account, &account) != 1)
		return reason_set(store_txn_reason(txn), OUTCOME_TEMPFAIL,
		    "no-account", "no account");
	outcome =
	    store_blob_add(txn, &sample->blob, sample->account, sample->now);
	store_key_resource(&key, sample->account, sample->blob.hash);
	if (outcome != OUTCOME_OK || store_get(view, key.text, NULL) != 0)
		goto out;
	outcome =
	    quota_take(&account, sample->blob.size, store_txn_reason(txn));
	if (outcome != OUTCOME_OK)
		goto out;
	row = cJSON_CreateObject();
	json_add_integer(row, "size", sample->blob.size);
	json_add_integer(row, "since", sample->now);
	store_txn_put_object(txn, key.text, row);
	leaf = cJSON_CreateObject();
	json_add_string(leaf, "hash", sample->blob.hash);
	record_append(txn, &account, "stored", sample->now, leaf, NULL);
	store_account_put(txn, &account);
	if (sample->share != NULL)
		store_txn_put(txn,
		    store_key_source(&key, sample->blob.hash,
			"https://mailbox.hospital.test", sample->share),
		    "{}", 2);
out:
	store_account_clear(&account);
	return outcome;
}

static inline enum outcome
sample_drop(struct store_txn *txn, void *arg)
{
	const struct sample *sample = arg;
	struct store_account account;
	struct store_key key;
	cJSON *leaf;

	if (store_account_get(store_txn_view(txn), sample->account, &account) !=
	    1)
		return reason_set(store_txn_reason(txn), OUTCOME_TEMPFAIL,
		    "no-account", "no account");
	store_txn_delete(txn,
	    store_key_resource(&key, sample->account, sample->blob.hash));
	quota_free(&account, sample->blob.size, store_txn_reason(txn));
	leaf = cJSON_CreateObject();
	json_add_string(leaf, "hash", sample->blob.hash);
	record_append(txn, &account, "dropped", sample->now, leaf, NULL);
	store_account_put(txn, &account);
	store_account_clear(&account);
	return garbage_drop_holder(txn, sample->blob.hash, sample->account,
	    sample->now);
}

#endif
