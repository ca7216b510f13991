/* SPDX-License-Identifier: ISC
 *
 * An uploaded resource becomes an account's own. See resource_commit.h.
 */
#include <string.h>

#include "json_strict.h"
#include "lapse.h"
#include "quota.h"
#include "record.h"
#include "resource_commit.h"
#include "resource_keep.h"

int
resource_type_valid(const char *type)
{
	const char *p;
	int slashes = 0;

	if (*type == '\0' || strlen(type) > RESOURCE_TYPE_MAX)
		return 0;
	for (p = type; *p != '\0' && *p != ';'; p++) {
		slashes += *p == '/';
		if (*p <= ' ' || *p > '~' ||
		    strchr("()<>@,:\\\"[]?=", *p) != NULL)
			return 0;
	}
	for (; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			return 0;
	return slashes == 1 && type[0] != '/';
}

enum outcome
resource_commit_add(struct store_txn *txn, struct store_account *account,
    struct resource_commit *commit)
{
	const bool kept = commit->broker[0] == '\0' && !commit->placeholder;
	const char *hash = commit->blob.hash;
	enum outcome outcome;
	struct store_key key;
	cJSON *row;
	bool news;
	int held;

	held = store_get(store_txn_view(txn),
	    store_key_resource(&key, account->id, hash), NULL);
	if (held == -1)
		return reason_set(store_txn_reason(txn), OUTCOME_TEMPFAIL,
		    "unavailable", "the store cannot be read");
	/* A broker gets no word of what its user had before. */
	commit->existed = held == 1 && commit->broker[0] == '\0';
	if (!held) {
		outcome = quota_take(account, commit->blob.size,
		    store_txn_reason(txn));
		if (outcome != OUTCOME_OK)
			return outcome;
		row = cJSON_CreateObject();
		json_add_integer(row, "size", commit->blob.size);
		json_add_string(row, "type", commit->type);
		if (commit->name[0] != '\0')
			json_add_string(row, "name", commit->name);
		json_add_integer(row, "since", commit->now);
		json_add_boolean(row, "kept", kept);
		store_txn_put_object(txn,
		    store_key_resource(&key, account->id, hash), row);
	} else if (kept) {
		outcome = resource_keep(txn, account, hash, commit->now, &news);
		if (outcome != OUTCOME_OK)
			return outcome;
	}
	return store_blob_add(txn, &commit->blob, account->id, commit->now);
}

enum outcome
resource_commit_work(struct store_txn *txn, void *arg)
{
	struct resource_commit *commit = arg;
	struct store_account account;
	enum outcome outcome;
	struct lapse put = { .now = commit->now };
	cJSON *leaf;

	if (commit->make != NULL) {
		outcome = account_make(txn, commit->make, commit->now,
		    commit->account);
		if (outcome != OUTCOME_OK)
			return outcome;
	}
	if (store_account_get(store_txn_view(txn), commit->account, &account) !=
	    1)
		return reason_set(store_txn_reason(txn), OUTCOME_TEMPFAIL,
		    "unavailable", "the account cannot be read");
	if (strcmp(account.state, "active") != 0)
		outcome = reason_set(store_txn_reason(txn), OUTCOME_PERMFAIL,
		    "no-account", "the account is closed");
	else
		outcome = resource_commit_add(txn, &account, commit);
	if (outcome != OUTCOME_OK)
		goto out;
	leaf = cJSON_CreateObject();
	json_add_string(leaf, "hash", commit->blob.hash);
	if (commit->broker[0] != '\0') {
		/* Why it is here, and all that this broker may share. */
		strcpy(put.account, commit->account);
		strcpy(put.hash, commit->blob.hash);
		strcpy(put.share, commit->share);
		lapse_put(txn, &put, commit->broker);
		json_add_string(leaf, "broker", commit->broker);
		json_add_string(leaf, "share", commit->share);
	}
	outcome = record_append(txn, &account, "put", commit->now, leaf, NULL);
	if (outcome == OUTCOME_OK)
		outcome = store_account_put(txn, &account);
out:
	store_account_clear(&account);
	return outcome;
}
