/* SPDX-License-Identifier: ISC
 *
 * An owner lets go of a resource; the last holder's going frees the disk.
 * What the resource was held for (use rows) stays: it tells messages whose
 * resource was deleted from those that still wait for it.
 */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "garbage.h"
#include "json_strict.h"
#include "memory.h"
#include "quota.h"
#include "record.h"
#include "resource_put.h"
#include "store_account.h"

struct letting_go {
	struct visit *visit;
	char account[STORE_ID_SIZE];
	char hash[SHA256_HEX_SIZE];
	int64_t now;
};

static enum outcome
let_go(struct store_txn *txn, const struct letting_go *what,
    struct store_account *account)
{
	struct reason *why = store_txn_reason(txn);
	enum outcome outcome;
	struct store_key key;
	cJSON *row, *leaf;
	int64_t size = 0;
	int found;

	found = store_get_json(store_txn_view(txn),
	    store_key_resource(&key, what->account, what->hash), &row);
	if (found == 0)
		return reason_set(why, OUTCOME_PERMFAIL, "not-found",
		    "this account has no such resource");
	if (found == -1 ||
	    json_integer(row, "size", 0, JSON_MAX_INTEGER, &size) == -1)
		return reason_set(why, OUTCOME_TEMPFAIL, "unavailable",
		    "the store cannot be read");
	cJSON_Delete(row);
	outcome = quota_free(account, size, why);
	if (outcome != OUTCOME_OK)
		return outcome;
	store_txn_delete(txn, key.text);
	garbage_drop_holder(txn, what->hash, what->account, what->now);
	leaf = cJSON_CreateObject();
	json_add_string(leaf, "hash", what->hash);
	outcome = record_append(txn, account, "deleted", what->now, leaf, NULL);
	return outcome != OUTCOME_OK ? outcome :
				       store_account_put(txn, account);
}

static enum outcome
work(struct store_txn *txn, void *arg)
{
	const struct letting_go *what = arg;
	struct store_account account;
	enum outcome outcome;

	if (store_account_get(store_txn_view(txn), what->account, &account) !=
	    1)
		return reason_set(store_txn_reason(txn), OUTCOME_TEMPFAIL,
		    "unavailable", "the account cannot be read");
	outcome = let_go(txn, what, &account);
	store_account_clear(&account);
	return outcome;
}

static void
done(void *arg, enum outcome outcome, const struct reason *why)
{
	struct letting_go *what = arg;

	if (outcome == OUTCOME_OK)
		visit_reply_empty(what->visit, 204);
	else
		visit_refuse(what->visit, why);
	visit_release(what->visit);
	free(what);
}

void
resource_delete_serve(struct visit *visit)
{
	struct letting_go *what = x_calloc(1, sizeof(*what));

	what->visit = visit_hold(visit);
	strcpy(what->account, visit->caller.account);
	strcpy(what->hash, visit->subject);
	what->now = clock_now();
	store_submit(visit->mailboxd->store, work, done, what);
}
