/* SPDX-License-Identifier: ISC
 *
 * The chain of records: see record.h.
 */
#include "record.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "json_strict.h"

void
record_chain(const uint8_t head[SHA256_LEN], const void *leaf, size_t len,
    uint8_t head_r[SHA256_LEN])
{
	crypto_hash_sha256_state state;

	crypto_hash_sha256_init(&state);
	crypto_hash_sha256_update(&state, head, SHA256_LEN);
	crypto_hash_sha256_update(&state, leaf, len);
	crypto_hash_sha256_final(&state, head_r);
}

/* The leaf as it is stored: time and kind first, so that it reads well. */
static char *
leaf_format(const char *kind, int64_t now, cJSON *members)
{
	cJSON *leaf = cJSON_CreateObject(), *item;
	char *text = NULL;

	if (leaf == NULL || json_add_integer(leaf, "time", now) == -1 ||
	    json_add_string(leaf, "kind", kind) == -1)
		goto out;
	while (members != NULL && (item = members->child) != NULL) {
		cJSON_DetachItemViaPointer(members, item);
		cJSON_AddItemToObject(leaf, item->string, item);
	}
	text = json_format(leaf);
out:
	cJSON_Delete(leaf);
	return text;
}

enum outcome
record_append(struct store_txn *txn, struct store_account *account,
    const char *kind, int64_t now, cJSON *leaf, cJSON *detail)
{
	struct store_key key;
	enum outcome outcome;
	char *text = leaf_format(kind, now, leaf);

	cJSON_Delete(leaf);
	store_key_record(&key, account->id, account->records);
	if (text == NULL) {
		cJSON_Delete(detail);
		return store_txn_put_json(txn, key.text, NULL);
	}
	outcome = store_txn_put(txn, key.text, text, strlen(text));
	if (outcome == OUTCOME_OK && detail != NULL)
		outcome = store_txn_put_json(txn,
		    store_key_detail(&key, account->id, account->records),
		    detail);
	cJSON_Delete(detail);
	record_chain(account->head, text, strlen(text), account->head);
	account->records++;
	free(text);
	return outcome;
}
