/* SPDX-License-Identifier: ISC
 *
 * The transaction of a notification. See notification_store.h.
 */
#include <stdlib.h>
#include <string.h>

#include "buffer.h"
#include "json_strict.h"
#include "notification_store.h"
#include "pull_store.h"
#include "quota.h"
#include "record.h"

#define MESSAGE_MAX 60000 /* bytes of a message row */

static enum outcome
trouble(struct store_txn *txn)
{
	return reason_set(store_txn_reason(txn), OUTCOME_TEMPFAIL,
	    "unavailable", "the store cannot be read");
}

/* The same again by (iss, recipient, mailbox, origin, share, message) is
 * one. */
static void
notice_hash(const struct notification_claims *claims,
    char hash_r[SHA256_HEX_SIZE])
{
	struct buffer text;

	buffer_init(&text, 65536);
	buffer_add_format(&text, "%s\n%s\n%s\n%s\n%s\n%s", claims->iss,
	    claims->recipient, claims->mailbox, claims->origin, claims->share,
	    claims->message);
	sha256_hex(text.data, text.len, hash_r);
	buffer_free(&text);
}

void
notification_work_init(struct notification_work *work)
{
	store_id_new(work->id);
	strcpy(work->placeholder.type, "message/rfc822");
	work->placeholder.placeholder = true;
}

/* ---- the same again ------------------------------------------------------ */

/* The later token is the one that counts. It is tried at once: what the
 * origin said to the other says nothing of it. */
static enum outcome
renew_pull(struct store_txn *txn, const struct notification_work *work)
{
	const struct notification_claims *claims = &work->claims;
	const int64_t now = work->placeholder.now;
	enum outcome outcome = OUTCOME_OK;
	struct pull_row row;
	int64_t old_due;
	int found;

	found = pull_row_get(store_txn_view(txn), work->id, &row);
	if (found == -1)
		return trouble(txn);
	if (found == 0)
		return OUTCOME_OK;
	if (claims->expires >= row.expires) {
		free(row.token);
		row.token = strdup(claims->token);
		free(row.agent);
		row.agent = strdup(claims->agent);
		row.expires = claims->expires;
		old_due = row.due;
		if (!row.leased && row.due > now)
			row.due = now;
		outcome = row.token == NULL || row.agent == NULL ?
		    trouble(txn) :
		    pull_row_put(txn, &row, old_due);
	}
	pull_row_clear(&row);
	return outcome;
}

/* 1 it was here and its id is taken, 0 it is new, -1 refused. */
static int
find_notice(struct store_txn *txn, struct notification_work *work,
    const char *notice, enum outcome *outcome_r)
{
	struct store_key key;
	cJSON *row = NULL;
	const char *id;
	int found;

	found = store_get_json(store_txn_view(txn),
	    store_key_notice(&key, work->placeholder.account, notice), &row);
	id = json_string(row, "message");
	if (found == 1 && id != NULL && store_id_valid(id)) {
		strcpy(work->id, id);
		*outcome_r = renew_pull(txn, work);
	} else if (found != 0) {
		found = -1;
		*outcome_r = trouble(txn);
	}
	cJSON_Delete(row);
	return found;
}

/* ---- a new one ----------------------------------------------------------- */

/* The list as it is kept: each hash once. Bytes in all go to *sum_r. */
static cJSON *
list_resources(const struct cargo_notification *notification, bool names,
    int64_t *sum_r)
{
	const struct cargo_notified *resource;
	cJSON *list = cJSON_CreateArray(), *row;
	size_t i, j;

	*sum_r = 0;
	for (i = 0; i < notification->count; i++) {
		resource = &notification->resources[i];
		for (j = 0; j < i; j++)
			if (strcmp(notification->resources[j].hash,
				resource->hash) == 0)
				break;
		if (j < i)
			continue;
		row = cJSON_CreateObject();
		json_add_string(row, "hash", resource->hash);
		json_add_integer(row, "size", resource->size);
		json_add_string(row, "type",
		    resource_type_valid(resource->type) ?
			resource->type :
			"application/octet-stream");
		if (names && resource->name != NULL)
			json_add_string(row, "name", resource->name);
		cJSON_AddItemToArray(list, row);
		*sum_r += resource->size;
	}
	return list;
}

static cJSON *
message_row(const struct notification_work *work, bool names, int64_t *sum_r)
{
	const struct notification_claims *claims = &work->claims;
	cJSON *row = cJSON_CreateObject();

	json_add_string(row, "direction", "in");
	json_add_integer(row, "time", work->placeholder.now);
	json_add_string(row, "sender", claims->sender);
	json_add_string(row, "recipient", claims->recipient);
	json_add_string(row, "mailbox", claims->mailbox);
	json_add_string(row, "message", claims->message);
	json_add_string(row, "origin", claims->origin);
	json_add_string(row, "share", claims->share);
	if (work->notification->category != NULL)
		json_add_string(row, "category", work->notification->category);
	json_add_integer(row, "expires", claims->expires);
	json_add_string(row, "broker", claims->iss);
	json_add_string(row, "placeholder", work->placeholder.blob.hash);
	json_add_item(row, "resources",
	    list_resources(work->notification, names, sum_r));
	return row;
}

/* The message's row; the names go if it would be too large with them. */
static enum outcome
put_message(struct store_txn *txn, const struct notification_work *work,
    int64_t *sum_r)
{
	struct store_key key;
	char *text = NULL;
	cJSON *row = NULL;
	int names;
	size_t len = MESSAGE_MAX + 1;

	for (names = 1; names >= 0 && len > MESSAGE_MAX; names--) {
		cJSON_Delete(row);
		free(text);
		row = message_row(work, names, sum_r);
		text = json_format(row);
		len = text != NULL ? strlen(text) : 0;
	}
	cJSON_Delete(row);
	if (len > MESSAGE_MAX || text == NULL) {
		free(text);
		return reason_set(store_txn_reason(txn), OUTCOME_PERMFAIL,
		    "too-large", "too much is said of the resources");
	}
	store_txn_put(txn,
	    store_key_message(&key, work->placeholder.account, work->id), text,
	    len);
	free(text);
	return OUTCOME_OK;
}

static enum outcome
put_pull(struct store_txn *txn, const struct notification_work *work,
    int64_t reserved)
{
	const struct notification_claims *claims = &work->claims;
	struct pull_row row = { .due = work->placeholder.now,
		.reserved = reserved,
		.expires = claims->expires,
		.local = work->local };

	strcpy(row.message, work->id);
	strcpy(row.account, work->placeholder.account);
	strcpy(row.queue_id, work->queue_id);
	row.origin = strdupa(claims->origin);
	row.share = strdupa(claims->share);
	row.agent = strdupa(claims->agent);
	row.token = strdupa(claims->token);
	return pull_row_put(txn, &row, -1);
}

static void
put_small_rows(struct store_txn *txn, const struct notification_work *work,
    const char *notice)
{
	const char *account = work->placeholder.account;
	struct store_key key;
	cJSON *row;

	row = cJSON_CreateObject();
	json_add_string(row, "message", work->id);
	store_txn_put_object(txn, store_key_notice(&key, account, notice), row);
	row = cJSON_CreateObject();
	json_add_string(row, "direction", "in");
	json_add_string(row, "share", work->claims.share);
	store_txn_put_object(txn,
	    store_key_timeline(&key, account, work->placeholder.now, work->id),
	    row);
	row = cJSON_CreateObject();
	json_add_boolean(row, "placeholder", true);
	store_txn_put_object(txn,
	    store_key_use(&key, account, work->placeholder.blob.hash, work->id),
	    row);
}

static enum outcome
put_record(struct store_txn *txn, const struct notification_work *work,
    struct store_account *account)
{
	cJSON *leaf = cJSON_CreateObject(), *detail = cJSON_CreateObject();

	json_add_string(leaf, "message", work->id);
	json_add_string(leaf, "placeholder", work->placeholder.blob.hash);
	json_add_string(leaf, "share", work->claims.share);
	json_add_string(detail, "sender", work->claims.sender);
	json_add_string(detail, "recipient", work->claims.recipient);
	json_add_string(detail, "mailbox", work->claims.mailbox);
	json_add_string(detail, "origin", work->claims.origin);
	return record_append(txn, account, "notified", work->placeholder.now,
	    leaf, detail);
}

/* About fifteen keys, and five of an account that is made. */
static enum outcome
put_new(struct store_txn *txn, struct notification_work *work,
    const char *notice, struct store_account *account)
{
	enum outcome outcome;
	int64_t sum;

	if (strcmp(account->state, "active") != 0)
		return reason_set(store_txn_reason(txn), OUTCOME_PERMFAIL,
		    "no-account", "the account is closed");
	outcome = put_message(txn, work, &sum);
	if (outcome == OUTCOME_OK)
		outcome = quota_reserve(account, sum, store_txn_reason(txn));
	if (outcome == OUTCOME_OK)
		outcome = resource_commit_add(txn, account, &work->placeholder);
	if (outcome != OUTCOME_OK)
		return outcome;
	put_small_rows(txn, work, notice);
	outcome = put_pull(txn, work, sum);
	if (outcome == OUTCOME_OK)
		outcome = put_record(txn, work, account);
	return outcome != OUTCOME_OK ? outcome :
				       store_account_put(txn, account);
}

enum outcome
notification_store_work(struct store_txn *txn, void *arg)
{
	struct notification_work *work = arg;
	enum outcome outcome = OUTCOME_OK;
	char notice[SHA256_HEX_SIZE];
	struct store_account account;
	int found;

	outcome = account_make(txn, &work->make, work->placeholder.now,
	    work->placeholder.account);
	if (outcome != OUTCOME_OK)
		return outcome;
	notice_hash(&work->claims, notice);
	found = find_notice(txn, work, notice, &outcome);
	work->existed = found == 1;
	if (found != -1 && work->known[0] != '\0' &&
	    (found == 0 || strcmp(work->id, work->known) != 0))
		return reason_set(store_txn_reason(txn), OUTCOME_PERMFAIL,
		    "not-found", "no such message was notified by this broker");
	if (found != 0)
		return outcome;
	if (store_account_get(store_txn_view(txn), work->placeholder.account,
		&account) != 1)
		return trouble(txn);
	outcome = put_new(txn, work, notice, &account);
	store_account_clear(&account);
	return outcome;
}
