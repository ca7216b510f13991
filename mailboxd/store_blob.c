/* SPDX-License-Identifier: ISC
 *
 * The rows of a blob, and its file once it is durable. A blob row stands as
 * long as it has a holder; the file that it names exists and never changes.
 */
#include "store_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "garbage.h"
#include "json_strict.h"
#include "log.h"
#include "memory.h"

int
store_blob_get(struct store_view *view, const char *hash,
    struct store_blob *blob_r)
{
	struct store_key key;
	const char *locator;
	cJSON *row;
	int found;

	memset(blob_r, 0, sizeof(*blob_r));
	found = store_get_json(view, store_key_blob(&key, hash), &row);
	if (found != 1)
		return found;
	locator = json_string(row, "locator");
	if (locator == NULL || strlen(locator) >= sizeof(blob_r->locator) ||
	    json_integer(row, "size", 0, JSON_MAX_INTEGER, &blob_r->size) ==
		-1) {
		log_text(LOG_ERROR, "-", "store", "torn row %s: members",
		    key.text);
		found = -1;
	} else {
		snprintf(blob_r->hash, sizeof(blob_r->hash), "%s", hash);
		strcpy(blob_r->locator, locator);
	}
	cJSON_Delete(row);
	return found;
}

int
store_blob_held(struct store_view *view, const char *hash, const char *account)
{
	struct store_key key;

	return store_get(view, store_key_holder(&key, hash, account), NULL);
}

static enum outcome
holder_put(struct store_txn *txn, const char *hash, const char *account)
{
	struct store_key key;

	return store_txn_put(txn, store_key_holder(&key, hash, account), "{}",
	    2);
}

static enum outcome
blob_put(struct store_txn *txn, const struct store_blob *blob)
{
	struct store_key key;
	cJSON *row = cJSON_CreateObject();

	if (json_add_integer(row, "size", blob->size) == -1 ||
	    json_add_string(row, "locator", blob->locator) == -1) {
		cJSON_Delete(row);
		row = NULL;
	}
	return store_txn_put_object(txn, store_key_blob(&key, blob->hash), row);
}

static enum outcome
refuse_torn(struct store_txn *txn, const char *hash)
{
	return reason_set(store_txn_reason(txn), OUTCOME_TEMPFAIL,
	    "unavailable", "blob %s cannot be read", hash);
}

enum outcome
store_blob_add(struct store_txn *txn, const struct store_blob *blob,
    const char *account, int64_t now)
{
	struct store_blob there;
	enum outcome outcome = OUTCOME_OK;
	int found;

	found = store_blob_get(store_txn_view(txn), blob->hash, &there);
	if (found == -1)
		return refuse_torn(txn, blob->hash);
	if (found == 0)
		outcome = blob_put(txn, blob);
	else if (strcmp(there.locator, blob->locator) != 0)
		outcome = garbage_add(txn, blob->locator, blob->size, now);
	if (outcome == OUTCOME_OK)
		outcome = holder_put(txn, blob->hash, account);
	return outcome;
}

enum outcome
store_blob_link(struct store_txn *txn, const char *hash, const char *account)
{
	struct store_blob there;
	int found;

	found = store_blob_get(store_txn_view(txn), hash, &there);
	if (found == -1)
		return refuse_torn(txn, hash);
	if (found == 0)
		return reason_set(store_txn_reason(txn), OUTCOME_PERMFAIL,
		    "not-shared", "%s is not here", hash);
	return holder_put(txn, hash, account);
}

int
store_blob_open(struct store *store, const char *locator)
{
	return store->blobs->ops->get(store->blobs, locator);
}

struct discard {
	struct store *store;
	char locator[STORE_LOCATOR_SIZE];
};

static void
discard_run(void *arg)
{
	struct discard *discard = arg;
	struct reason why;

	if (discard->store->blobs->ops->delete (discard->store->blobs,
		discard->locator, &why) != OUTCOME_OK)
		log_text(LOG_WARNING, "-", "discard", "%s", why.text);
	free(discard);
}

void
store_blob_discard(struct store *store, const char *locator)
{
	struct discard *discard = x_calloc(1, sizeof(*discard));

	discard->store = store;
	snprintf(discard->locator, sizeof(discard->locator), "%s", locator);
	store_background(store, discard_run, NULL, discard);
}
