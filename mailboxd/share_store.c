/* SPDX-License-Identifier: ISC
 *
 * The transactions of a share. See share_store.h.
 */
#include <string.h>

#include "access.h"
#include "json_strict.h"
#include "lapse.h"
#include "page_store.h"
#include "record.h"
#include "resource_keep.h"
#include "share_store.h"
#include "store_account.h"

#define RECIPIENTS_SHOWN 8192 /* bytes of addresses kept with a message */

static enum outcome
trouble(struct store_txn *txn)
{
	return reason_set(store_txn_reason(txn), OUTCOME_TEMPFAIL,
	    "unavailable", "the store cannot be read");
}

/* 1 the very same stands, 0 none, -1 refused. */
static int
compare_standing(struct store_txn *txn, const struct share *share,
    enum outcome *outcome_r)
{
	struct store_key key;
	const char *content;
	cJSON *row = NULL;
	int found;

	found = store_get_json(store_txn_view(txn),
	    store_key_share(&key, share->account, share->id), &row);
	if (found == -1)
		*outcome_r = trouble(txn);
	if (found == 1) {
		content = json_string(row, "content");
		if (content == NULL || strcmp(content, share->content) != 0) {
			*outcome_r = reason_set(store_txn_reason(txn),
			    OUTCOME_PERMFAIL, "conflict",
			    "a share of this id says something else");
			found = -1;
		} else if (cJSON_GetObjectItemCaseSensitive(row, "revoked") !=
		    NULL) {
			*outcome_r =
			    reason_set(store_txn_reason(txn), OUTCOME_PERMFAIL,
				"revoked", "the share was withdrawn");
			found = -1;
		}
	}
	cJSON_Delete(row);
	return found;
}

static enum outcome
put_batch(struct store_txn *txn, const struct share *share, size_t end)
{
	enum outcome outcome = OUTCOME_OK;
	char hash[SHA256_HEX_SIZE];
	struct store_key key;
	cJSON *row;
	size_t i;

	for (i = share->next; i < end && outcome == OUTCOME_OK; i++) {
		sha256_hex(share->recipients[i], strlen(share->recipients[i]),
		    hash);
		row = cJSON_CreateObject();
		json_add_string(row, "address", share->recipients[i]);
		json_add_string(row, "content", share->content);
		outcome = store_txn_put_object(txn,
		    store_key_share_to(&key, share->account, share->id, hash),
		    row);
	}
	return outcome;
}

static enum outcome
check_resources(struct store_txn *txn, const struct share *share)
{
	const struct access_put put = { share->broker, share->id };
	enum outcome outcome = OUTCOME_OK;
	size_t i;

	for (i = 0; i < share->hash_count && outcome == OUTCOME_OK; i++)
		outcome = access_may_share(store_txn_view(txn), share->account,
		    share->broker[0] != '\0' ? &put : NULL, share->hashes[i],
		    store_txn_reason(txn));
	return outcome;
}

static enum outcome
keep_batch(struct store_txn *txn, struct share *share,
    struct store_account *account)
{
	enum outcome outcome = OUTCOME_OK;
	int count = 0;
	bool news;
	size_t i;

	for (i = 0; i < share->hash_count && outcome == OUTCOME_OK &&
	     count < SHARE_KEEP_BATCH;
	     i++) {
		outcome = resource_keep(txn, account, share->hashes[i],
		    share->now, &news);
		count += news;
	}
	share->keeping = count > 0;
	return outcome != OUTCOME_OK || count == 0 ?
	    outcome :
	    store_account_put(txn, account);
}

/* What an owner shares does not end with what else it is here for. Sets
 * share->keeping if that was news of any. */
static enum outcome
keep_resources(struct store_txn *txn, struct share *share)
{
	struct store_account account;
	enum outcome outcome;

	if (share->broker[0] != '\0')
		return OUTCOME_OK;
	if (store_account_get(store_txn_view(txn), share->account, &account) !=
	    1)
		return trouble(txn);
	outcome = keep_batch(txn, share, &account);
	store_account_clear(&account);
	return outcome;
}

/* The resources as the message and the share name them. */
static cJSON *
list_resources(struct store_txn *txn, const struct share *share, bool described)
{
	cJSON *list = cJSON_CreateArray(), *row;
	struct store_key key;
	size_t i;

	for (i = 0; i < share->hash_count; i++) {
		if (!described) {
			cJSON_AddItemToArray(list,
			    cJSON_CreateString(share->hashes[i]));
			continue;
		}
		row = NULL;
		if (store_get_json(store_txn_view(txn),
			store_key_resource(&key, share->account,
			    share->hashes[i]),
			&row) != 1)
			row = cJSON_CreateObject();
		cJSON_DeleteItemFromObjectCaseSensitive(row, "since");
		cJSON_DeleteItemFromObjectCaseSensitive(row, "kept");
		json_add_string(row, "hash", share->hashes[i]);
		cJSON_AddItemToArray(list, row);
	}
	return list;
}

/* Those of the pages behind the others. */
static cJSON *
list_recipients(const struct share *share)
{
	const size_t count = share->recipient_count + share->page_count;
	cJSON *list = cJSON_CreateArray();
	const char *address;
	size_t i, bytes = 0;

	for (i = 0; i < count; i++) {
		address = i < share->recipient_count ?
		    share->recipients[i] :
		    share->pages[i - share->recipient_count].recipient;
		bytes += strlen(address) + 3;
		if (bytes > RECIPIENTS_SHOWN)
			break;
		cJSON_AddItemToArray(list, cJSON_CreateString(address));
	}
	return list;
}

/* What went: the owner sees it among the messages. */
static enum outcome
put_message(struct store_txn *txn, const struct share *share,
    const struct store_account *account, const char *id)
{
	const char *name = json_string(account->object, "name");
	cJSON *row = cJSON_CreateObject(), *value;
	struct store_key key;

	json_add_string(row, "direction", "out");
	json_add_integer(row, "time", share->now);
	json_add_string(row, "sender", name != NULL ? name : "");
	json_add_string(row, "message", share->message);
	json_add_string(row, "share", share->id);
	if (share->category != NULL)
		json_add_string(row, "category", share->category);
	if (share->broker[0] != '\0')
		json_add_string(row, "broker", share->broker);
	json_add_integer(row, "expires", share->expires);
	json_add_integer(row, "recipient_count",
	    (int64_t)(share->recipient_count + share->page_count));
	json_add_item(row, "recipients", list_recipients(share));
	json_add_item(row, "resources", list_resources(txn, share, true));
	store_txn_put_object(txn, store_key_message(&key, share->account, id),
	    row);
	value = cJSON_CreateObject();
	json_add_string(value, "direction", "out");
	json_add_string(value, "share", share->id);
	return store_txn_put_object(txn,
	    store_key_timeline(&key, share->account, share->now, id), value);
}

static enum outcome
put_share(struct store_txn *txn, const struct share *share,
    struct store_account *account)
{
	char id[STORE_ID_SIZE];
	enum outcome outcome;
	struct store_key key;
	cJSON *row, *leaf;

	store_id_new(id);
	row = cJSON_CreateObject();
	json_add_string(row, "message", share->message);
	if (share->category != NULL)
		json_add_string(row, "category", share->category);
	json_add_integer(row, "since", share->now);
	json_add_integer(row, "expires", share->expires);
	json_add_string(row, "content", share->content);
	json_add_string(row, "out", id);
	if (share->broker[0] != '\0')
		json_add_string(row, "broker", share->broker);
	json_add_item(row, "resources", list_resources(txn, share, false));
	outcome = store_txn_put_object(txn,
	    store_key_share(&key, share->account, share->id), row);
	if (outcome == OUTCOME_OK)
		outcome = put_message(txn, share, account, id);
	leaf = cJSON_CreateObject();
	json_add_string(leaf, "share", share->id);
	json_add_string(leaf, "content", share->content);
	if (outcome == OUTCOME_OK)
		outcome = record_append(txn, account, "shared", share->now,
		    leaf, NULL);
	else
		cJSON_Delete(leaf);
	return outcome != OUTCOME_OK ? outcome :
				       store_account_put(txn, account);
}

enum outcome
share_store_put(struct store_txn *txn, void *arg)
{
	struct share *share = arg;
	enum outcome outcome = OUTCOME_OK;
	struct store_account account;
	size_t end = share->next + SHARE_BATCH;
	int standing;

	share->keeping = share->stands = share->complete = false;
	share->added = 0;
	standing = compare_standing(txn, share, &outcome);
	if (standing == -1)
		return outcome;
	if (standing == 1) {
		share->stands = true;
		return page_store_put(txn, share);
	}
	outcome = check_resources(txn, share);
	if (outcome == OUTCOME_OK)
		outcome = keep_resources(txn, share);
	if (outcome != OUTCOME_OK || share->keeping)
		return outcome;
	if (end > share->recipient_count)
		end = share->recipient_count;
	outcome = put_batch(txn, share, end);
	if (outcome != OUTCOME_OK || end < share->recipient_count)
		return outcome;
	if (store_account_get(store_txn_view(txn), share->account, &account) !=
	    1)
		return trouble(txn);
	outcome = put_share(txn, share, &account);
	store_account_clear(&account);
	share->made = outcome == OUTCOME_OK;
	share->complete = share->made && share->page_count == 0;
	return outcome;
}

void
share_next(struct share *share)
{
	if (share->keeping)
		return;
	if (share->stands)
		share->next_page += SHARE_PAGE_BATCH;
	else
		share->next += SHARE_BATCH;
}

/* ---- withdrawing --------------------------------------------------------- */

static enum outcome
revoke(struct store_txn *txn, const struct share *share, cJSON *row)
{
	struct lapse lapse = { .now = share->now };
	struct store_account account;
	enum outcome outcome;
	struct store_key key;
	cJSON *leaf;

	if (store_account_get(store_txn_view(txn), share->account, &account) !=
	    1)
		return trouble(txn);
	strcpy(lapse.account, share->account);
	strcpy(lapse.share, share->id);
	lapse_revoked(txn, &lapse);
	json_add_integer(row, "revoked", share->now);
	store_txn_put_json(txn,
	    store_key_share(&key, share->account, share->id), row);
	leaf = cJSON_CreateObject();
	json_add_string(leaf, "share", share->id);
	outcome =
	    record_append(txn, &account, "revoked", share->now, leaf, NULL);
	if (outcome == OUTCOME_OK)
		outcome = store_account_put(txn, &account);
	store_account_clear(&account);
	return outcome;
}

enum outcome
share_store_revoke(struct store_txn *txn, void *arg)
{
	struct share *share = arg;
	enum outcome outcome = OUTCOME_OK;
	struct store_key key;
	const char *broker;
	cJSON *row = NULL;
	int found;

	found = store_get_json(store_txn_view(txn),
	    store_key_share(&key, share->account, share->id), &row);
	if (found == -1)
		return trouble(txn);
	broker = json_string(row, "broker");
	if (found == 0 ||
	    (share->broker[0] != '\0' &&
		(broker == NULL || strcmp(broker, share->broker) != 0)))
		outcome = reason_set(store_txn_reason(txn), OUTCOME_PERMFAIL,
		    "not-found", "there is no such share");
	else if (cJSON_GetObjectItemCaseSensitive(row, "revoked") == NULL)
		outcome = revoke(txn, share, row);
	cJSON_Delete(row);
	return outcome;
}
