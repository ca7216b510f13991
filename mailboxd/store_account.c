/* SPDX-License-Identifier: ISC
 *
 * The account row: see store_account.h.
 */
#include "store_account.h"

#include <stdio.h>
#include <string.h>

#include "json_strict.h"
#include "log.h"

void
store_account_init(struct store_account *account, const char *id, int64_t quota)
{
	memset(account, 0, sizeof(*account));
	snprintf(account->id, sizeof(account->id), "%s", id);
	strcpy(account->state, "active");
	account->quota = quota;
	account->object = cJSON_CreateObject();
}

/* The members that we know; -1 if one is missing or out of bounds. */
static int
account_parse(struct store_account *account)
{
	const cJSON *row = account->object;
	const char *state = json_string(row, "state");
	const char *head = json_string(row, "head");
	const int64_t max = JSON_MAX_INTEGER;

	if (state == NULL || strlen(state) >= sizeof(account->state) ||
	    head == NULL || !hex_is_sha256(head) ||
	    hex_parse(head, account->head, SHA256_LEN) == -1 ||
	    json_integer(row, "quota", 0, max, &account->quota) == -1 ||
	    json_integer(row, "used", 0, max, &account->used) == -1 ||
	    json_integer(row, "reserved", 0, max, &account->reserved) == -1 ||
	    json_integer(row, "records", 0, max, &account->records) == -1)
		return -1;
	strcpy(account->state, state);
	return 0;
}

int
store_account_get(struct store_view *view, const char *id,
    struct store_account *account_r)
{
	struct store_key key;
	int found;

	memset(account_r, 0, sizeof(*account_r));
	if (!store_id_valid(id))
		return 0;
	strcpy(account_r->id, id);
	found = store_get_json(view, store_key_account(&key, id),
	    &account_r->object);
	if (found != 1)
		return found;
	if (account_parse(account_r) == 0)
		return 1;
	log_text(LOG_ERROR, "-", "store", "torn row %s: members", key.text);
	store_account_clear(account_r);
	return -1;
}

static int
replace(cJSON *row, const char *name, cJSON *item)
{
	cJSON_DeleteItemFromObjectCaseSensitive(row, name);
	return json_add_item(row, name, item);
}

static int
replace_integer(cJSON *row, const char *name, int64_t value)
{
	cJSON_DeleteItemFromObjectCaseSensitive(row, name);
	return json_add_integer(row, name, value);
}

enum outcome
store_account_put(struct store_txn *txn, struct store_account *account)
{
	cJSON *row = account->object;
	struct store_key key;
	char head[SHA256_HEX_SIZE];

	hex_format(account->head, SHA256_LEN, head);
	if (replace(row, "state", cJSON_CreateString(account->state)) == -1 ||
	    replace(row, "head", cJSON_CreateString(head)) == -1 ||
	    replace_integer(row, "quota", account->quota) == -1 ||
	    replace_integer(row, "used", account->used) == -1 ||
	    replace_integer(row, "reserved", account->reserved) == -1 ||
	    replace_integer(row, "records", account->records) == -1)
		row = NULL;
	return store_txn_put_json(txn, store_key_account(&key, account->id),
	    row);
}

void
store_account_clear(struct store_account *account)
{
	cJSON_Delete(account->object);
	account->object = NULL;
}
