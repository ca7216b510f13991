/* SPDX-License-Identifier: ISC
 *
 * fsck, the rows of an account: itself, its addresses, what it holds, its
 * messages and its record. They stand together in the order of the keys, so
 * its sums need no table.
 */
#include "store_check_private.h"

#include <string.h>

#include "json_strict.h"
#include "record.h"

void
store_check_account_end(struct check *check)
{
	struct store_account *account = &check->account;
	struct store_key key;

	if (account->id[0] == '\0')
		return;
	store_key_account(&key, account->id);
	if (account->used != check->used)
		store_check_found(check, "quota", key.text,
		    "used is %lld, its resources are %lld",
		    (long long)account->used, (long long)check->used);
	if (account->records != check->records)
		store_check_found(check, "record", key.text,
		    "%lld records, not %lld", (long long)check->records,
		    (long long)account->records);
	else if (memcmp(account->head, check->head, SHA256_LEN) != 0)
		store_check_found(check, "record", key.text,
		    "the chain ends elsewhere");
	store_account_clear(account);
	memset(account, 0, sizeof(*account));
}

void
store_check_account(struct check *check)
{
	check->result->accounts++;
	check->used = check->records = 0;
	memset(check->head, 0, sizeof(check->head));
	if (store_account_get(check->view, check->parts[1], &check->account) !=
	    1) {
		store_check_found(check, "row", check->key, "torn");
		memset(&check->account, 0, sizeof(check->account));
		return;
	}
	store_check_reserve(check, &check->account);
}

void
store_check_account_address(struct check *check)
{
	struct store_key key;
	const char *account;
	cJSON *row;

	if (store_get_json(check->view,
		store_key_address(&key, check->parts[3]), &row) != 1) {
		store_check_found(check, "address", check->key, "no row %s",
		    key.text);
		return;
	}
	account = json_string(row, "account");
	if (account == NULL || strcmp(account, check->parts[1]) != 0)
		store_check_found(check, "address", check->key,
		    "%s is of another account", key.text);
	cJSON_Delete(row);
}

void
store_check_resource(struct check *check)
{
	int64_t size = store_check_member(check->row, "size");
	struct store_blob blob;
	struct store_key key;

	if (size == -1) {
		store_check_found(check, "row", check->key, "no size");
		return;
	}
	check->used += size;
	store_check_unused(check);
	store_check_need(check, "holder",
	    store_key_holder(&key, check->parts[3], check->parts[1]));
	if (store_blob_get(check->view, check->parts[3], &blob) != 1)
		store_check_found(check, "blob-missing", check->key,
		    "no blob row");
	else if (blob.size != size)
		store_check_found(check, "resource-size", check->key,
		    "%lld bytes, the blob has %lld", (long long)size,
		    (long long)blob.size);
}

/* What came in and is no longer pending: each resource of the message was
 * stored (its use row stays, whatever the owner does later) or failed. */
static void
check_outcomes(struct check *check, const cJSON *resources)
{
	const char *account = check->parts[1], *message = check->parts[3];
	const char *direction = json_string(check->row, "direction"), *hash;
	struct store_key key;
	const cJSON *item;

	if (direction == NULL || strcmp(direction, "in") != 0 ||
	    store_check_there(check, store_key_pull(&key, message)))
		return;
	cJSON_ArrayForEach(item, resources)
	{
		hash = json_string(item, "hash");
		if (hash == NULL)
			store_check_found(check, "row", check->key,
			    "a resource without hash");
		else if (!store_check_there(check,
			     store_key_use(&key, account, hash, message)) &&
		    !store_check_there(check,
			store_key_failure(&key, account, message, hash)))
			store_check_found(check, "message", check->key,
			    "%s is neither stored, failed nor pending", hash);
	}
}

void
store_check_message(struct check *check)
{
	const cJSON *resources = json_array(check->row, "resources");
	struct store_key key;
	int64_t when = store_check_member(check->row, "time");

	if (when == -1 || resources == NULL) {
		store_check_found(check, "row", check->key,
		    "no time or resources");
		return;
	}
	store_check_need(check, "message",
	    store_key_timeline(&key, check->parts[1], when, check->parts[3]));
	check_outcomes(check, resources);
}

void
store_check_timeline(struct check *check)
{
	struct store_key key;
	int64_t when;
	cJSON *row;

	if (store_key_number(check->key, 3, &when) == -1) {
		store_check_found(check, "row", check->key,
		    "no time in the key");
		return;
	}
	if (store_get_json(check->view,
		store_key_message(&key, check->parts[1], check->parts[4]),
		&row) != 1) {
		store_check_found(check, "message", check->key, "no row %s",
		    key.text);
		return;
	}
	if (store_check_member(row, "time") != when)
		store_check_found(check, "message", check->key,
		    "%s has another time", key.text);
	cJSON_Delete(row);
}

/* The id is a message's, or a share's. */
void
store_check_use(struct check *check)
{
	struct store_key key;

	if (store_id_valid(check->parts[4]))
		store_check_need(check, "message",
		    store_key_message(&key, check->parts[1], check->parts[4]));
	else
		store_check_share_use(check);
}

void
store_check_notice(struct check *check)
{
	const char *message = json_string(check->row, "message");
	struct store_key key;

	if (message == NULL)
		store_check_found(check, "row", check->key, "no message");
	else
		store_check_need(check, "message",
		    store_key_message(&key, check->parts[1], message));
}

void
store_check_failure(struct check *check)
{
	struct store_key key;

	store_check_need(check, "message",
	    store_key_message(&key, check->parts[1], check->parts[3]));
}

void
store_check_record(struct check *check)
{
	int64_t number;

	check->result->records++;
	if (store_key_number(check->key, 3, &number) == -1 ||
	    number != check->records)
		store_check_found(check, "record", check->key,
		    "number %lld is missing", (long long)check->records);
	check->records++;
	record_chain(check->head, check->data, check->len, check->head);
}

void
store_check_detail(struct check *check)
{
	struct store_key key;
	int64_t number;

	if (store_key_number(check->key, 3, &number) == -1)
		store_check_found(check, "row", check->key,
		    "no number in the key");
	else
		store_check_need(check, "record",
		    store_key_record(&key, check->parts[1], number));
}

void
store_check_address(struct check *check)
{
	const char *account = json_string(check->row, "account");
	struct store_key key;

	if (account == NULL) {
		store_check_found(check, "row", check->key, "no account");
		return;
	}
	store_check_need(check, "address", store_key_account(&key, account));
	store_check_need(check, "address",
	    store_key_account_address(&key, account, check->parts[1]));
}

void
store_check_created(struct check *check)
{
	if (store_check_member(check->row, "since") == -1 ||
	    store_check_member(check->row, "count") < 1)
		store_check_found(check, "row", check->key,
		    "no since or count");
}
