/* SPDX-License-Identifier: ISC
 *
 * The transactions of accounts. See account.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "account.h"
#include "garbage.h"
#include "json_strict.h"
#include "memory.h"
#include "pull_store.h"
#include "quota.h"
#include "record.h"
#include "store_account.h"

#define REMOVING "removing" /* state: rows of it may be gone */

static enum outcome
trouble(struct store_txn *txn)
{
	return reason_set(store_txn_reason(txn), OUTCOME_TEMPFAIL,
	    "unavailable", "the store cannot be read");
}

/* The id of an address's account. OK, "no-account". */
static enum outcome
find_account(struct store_txn *txn, const char *address,
    char id_r[STORE_ID_SIZE])
{
	int found = access_find_account(store_txn_view(txn), address, id_r);

	if (found == -1)
		return trouble(txn);
	if (found == 0)
		return reason_set(store_txn_reason(txn), OUTCOME_PERMFAIL,
		    "no-account", "no account has the address %s", address);
	return OUTCOME_OK;
}

/* ---- a new one ----------------------------------------------------------- */

static enum outcome
put_addresses(struct store_txn *txn, const struct account_new *new)
{
	struct store_key key;
	cJSON *row;
	unsigned i;

	for (i = 0; i < new->address_count; i++) {
		if (store_get(store_txn_view(txn),
			store_key_address(&key, new->addresses[i]), NULL) != 0)
			return reason_set(store_txn_reason(txn),
			    OUTCOME_PERMFAIL, "exists", "%s has an account",
			    new->addresses[i]);
		row = cJSON_CreateObject();
		json_add_string(row, "account", new->id);
		store_txn_put_object(txn, key.text, row);
		row = cJSON_CreateObject();
		json_add_item(row, "brokers",
		    new->brokers != NULL ? cJSON_Duplicate(new->brokers, 1) :
					   cJSON_CreateArray());
		store_txn_put_object(txn,
		    store_key_account_address(&key, new->id, new->addresses[i]),
		    row);
	}
	return OUTCOME_OK;
}

static void
put_password(struct store_txn *txn, const char *id, const char *hash,
    int64_t now)
{
	cJSON *row = cJSON_CreateObject();
	struct store_key key;

	json_add_string(row, "kind", "password");
	json_add_string(row, "hash", hash);
	json_add_integer(row, "since", now);
	store_txn_put_object(txn, store_key_credential(&key, id, "password"),
	    row);
}

enum outcome
account_add(struct store_txn *txn, void *arg)
{
	const struct account_new *new = arg;
	struct store_account account;
	enum outcome outcome;
	cJSON *leaf = NULL;

	outcome = put_addresses(txn, new);
	if (outcome != OUTCOME_OK)
		return outcome;
	if (new->hash[0] != '\0')
		put_password(txn, new->id, new->hash, new->now);
	store_account_init(&account, new->id, new->quota);
	json_add_string(account.object, "name", new->addresses[0]);
	json_add_integer(account.object, "since", new->now);
	if (new->maker != NULL) {
		leaf = cJSON_CreateObject();
		json_add_string(leaf, "broker", new->maker);
	}
	outcome = record_append(txn, &account, "opened", new->now, leaf, NULL);
	if (outcome == OUTCOME_OK)
		outcome = store_account_put(txn, &account);
	store_account_clear(&account);
	return outcome;
}

/* ---- changes ------------------------------------------------------------- */

static void
apply_change(struct store_account *account, const struct account_change *change)
{
	if (change->quota >= 0)
		account->quota = change->quota;
	if (change->state[0] != '\0')
		strcpy(account->state, change->state);
	if (change->release[0] == '\0')
		return;
	cJSON_DeleteItemFromObjectCaseSensitive(account->object, "release");
	json_add_string(account->object, "release", change->release);
}

/* The account row with a record of the change, put back. `change` may be
 * NULL. */
static enum outcome
note_change(struct store_txn *txn, const char *id, const char *kind,
    int64_t now, const struct account_change *change)
{
	struct store_account account;
	enum outcome outcome;

	if (store_account_get(store_txn_view(txn), id, &account) != 1)
		return trouble(txn);
	if (strcmp(account.state, REMOVING) == 0)
		outcome = reason_set(store_txn_reason(txn), OUTCOME_PERMFAIL,
		    "conflict", "the account is being removed");
	else {
		if (change != NULL)
			apply_change(&account, change);
		outcome = record_append(txn, &account, kind, now, NULL, NULL);
	}
	if (outcome == OUTCOME_OK)
		outcome = store_account_put(txn, &account);
	store_account_clear(&account);
	return outcome;
}

static cJSON *
change_list(const cJSON *row, const struct account_enrol *enrol)
{
	cJSON *list = cJSON_CreateArray();
	const cJSON *item;

	cJSON_ArrayForEach(item,
	    json_array(row, "brokers")) if (cJSON_IsString(item) &&
	    strcmp(item->valuestring, enrol->broker) != 0)
	    cJSON_AddItemToArray(list, cJSON_Duplicate(item, 1));
	if (!enrol->dismiss)
		cJSON_AddItemToArray(list, cJSON_CreateString(enrol->broker));
	return list;
}

enum outcome
account_enrol(struct store_txn *txn, void *arg)
{
	const struct account_enrol *enrol = arg;
	char id[STORE_ID_SIZE];
	enum outcome outcome;
	struct store_key key;
	cJSON *row = NULL, *list;

	outcome = find_account(txn, enrol->address, id);
	if (outcome != OUTCOME_OK)
		return outcome;
	store_key_account_address(&key, id, enrol->address);
	if (store_get_json(store_txn_view(txn), key.text, &row) != 1)
		return trouble(txn);
	list = change_list(row, enrol);
	if (cJSON_GetArraySize(list) > ACCOUNT_BROKERS_MAX) {
		cJSON_Delete(list);
		cJSON_Delete(row);
		return reason_set(store_txn_reason(txn), OUTCOME_PERMFAIL,
		    "too-large", "more than %d brokers", ACCOUNT_BROKERS_MAX);
	}
	cJSON_DeleteItemFromObjectCaseSensitive(row, "brokers");
	json_add_item(row, "brokers", list);
	store_txn_put_object(txn, key.text, row);
	return note_change(txn, id, enrol->dismiss ? "dismissed" : "enrolled",
	    enrol->now, NULL);
}

/* App tokens of an account, collected for one transaction. */
struct session_list {
	struct store_key keys[ACCOUNT_SESSIONS_MAX];
	unsigned count;
};

static enum store_step
collect_session(void *arg, const char *key, const void *data, size_t len)
{
	struct session_list *list = arg;
	cJSON *row = store_row_json(key, data, len);
	const char *kind = json_string(row, "kind");

	if (kind != NULL && strcmp(kind, "session") == 0)
		strcpy(list->keys[list->count++].text, key);
	cJSON_Delete(row);
	return list->count < ACCOUNT_SESSIONS_MAX ? STORE_NEXT : STORE_STOP;
}

/* Whoever got a token by the old password is out. */
static enum outcome
end_sessions(struct store_txn *txn, const char *id)
{
	struct session_list *list = x_calloc(1, sizeof(*list));
	struct store_key key;
	int result;
	unsigned i;

	result = store_scan(store_txn_view(txn),
	    store_key_credential(&key, id, NULL), NULL, collect_session, list);
	for (i = 0; i < list->count; i++)
		store_txn_delete(txn, list->keys[i].text);
	free(list);
	return result == 0 ? OUTCOME_OK : trouble(txn);
}

enum outcome
account_change(struct store_txn *txn, void *arg)
{
	const struct account_change *change = arg;
	char id[STORE_ID_SIZE];
	enum outcome outcome;

	outcome = find_account(txn, change->address, id);
	if (outcome != OUTCOME_OK)
		return outcome;
	if (change->hash[0] != '\0')
		put_password(txn, id, change->hash, change->now);
	if (change->hash[0] != '\0' || strcmp(change->state, "closed") == 0) {
		outcome = end_sessions(txn, id);
		if (outcome != OUTCOME_OK)
			return outcome;
	}
	return note_change(txn, id,
	    change->state[0] == '\0'		     ? "changed" :
		strcmp(change->state, "closed") == 0 ? "closed" :
						       "reopened",
	    change->now, change);
}

/* ---- the end of an account ----------------------------------------------- */

/* Rows of an account, collected for one transaction. */
struct row_list {
	struct store_key keys[ACCOUNT_ADDRESSES_MAX + 1];
	unsigned count, max;
	bool addresses; /* collect these, or all but these */
};

static enum store_step
collect_row(void *arg, const char *key, const void *data, size_t len)
{
	struct row_list *list = arg;
	char kind[16];

	(void)data;
	(void)len;
	if (store_key_part(key, 2, kind, sizeof(kind)) == -1 ||
	    (strcmp(kind, "address") == 0) != list->addresses)
		return STORE_NEXT;
	if (list->count == list->max)
		return STORE_STOP;
	snprintf(list->keys[list->count++].text, sizeof(list->keys[0].text),
	    "%s", key);
	return STORE_NEXT;
}

static enum outcome
remove_resource(struct store_txn *txn, struct store_account *account,
    const char *key, int64_t now)
{
	int64_t size = 0;
	cJSON *row = NULL;

	if (store_get_json(store_txn_view(txn), key, &row) == 1)
		(void)json_integer(row, "size", 0, JSON_MAX_INTEGER, &size);
	cJSON_Delete(row);
	garbage_drop_holder(txn, store_key_last(key), account->id, now);
	return quota_free(account, size, store_txn_reason(txn));
}

static enum outcome
remove_pull(struct store_txn *txn, struct store_account *account,
    const char *message)
{
	enum outcome outcome = OUTCOME_OK;
	struct pull_row row;
	int found;

	found = pull_row_get(store_txn_view(txn), message, &row);
	if (found == -1)
		return trouble(txn);
	if (found == 0)
		return OUTCOME_OK;
	if (row.reserved > 0)
		outcome =
		    quota_release(account, row.reserved, store_txn_reason(txn));
	if (outcome == OUTCOME_OK)
		outcome = pull_row_delete(txn, &row);
	pull_row_clear(&row);
	return outcome;
}

/* When it would have been looked at is of no use any more. */
static enum outcome
remove_use_due(struct store_txn *txn, const char *key)
{
	char account[STORE_ID_SIZE], hash[SHA256_HEX_SIZE];
	enum outcome outcome = OUTCOME_OK;
	struct store_key due_key;
	cJSON *row = NULL;
	int64_t due;

	if (store_get_json(store_txn_view(txn), key, &row) == 1 &&
	    json_integer(row, "due", 0, JSON_MAX_INTEGER, &due) == 0 &&
	    store_key_part(key, 1, account, sizeof(account)) != -1 &&
	    store_key_part(key, 3, hash, sizeof(hash)) != -1)
		outcome = store_txn_delete(txn,
		    store_key_use_due(&due_key, due, account, hash,
			store_key_last(key)));
	cJSON_Delete(row);
	return outcome;
}

static enum outcome
remove_rows(struct store_txn *txn, struct store_account *account,
    const struct row_list *list, int64_t now)
{
	enum outcome outcome = OUTCOME_OK;
	char kind[16];
	unsigned i, parts;
	char part[STORE_KEY_MAX];

	for (i = 0; i < list->count && outcome == OUTCOME_OK; i++) {
		const char *key = list->keys[i].text;

		(void)store_key_part(key, 2, kind, sizeof(kind));
		parts =
		    store_key_part(key, 4, part, sizeof(part)) == -1 ? 4 : 5;
		if (strcmp(kind, "resource") == 0 && parts == 4)
			outcome = remove_resource(txn, account, key, now);
		else if (strcmp(kind, "message") == 0 && parts == 4)
			outcome =
			    remove_pull(txn, account, store_key_last(key));
		else if (strcmp(kind, "use") == 0)
			outcome = remove_use_due(txn, key);
		if (outcome == OUTCOME_OK)
			outcome = store_txn_delete(txn, key);
	}
	return outcome;
}

/* The addresses go last: until then the removal can be asked for again. */
static enum outcome
remove_addresses(struct store_txn *txn, const char *id,
    const struct row_list *list)
{
	char address[MAIL_ADDRESS_SIZE];
	struct store_key key;
	unsigned i;

	for (i = 0; i < list->count; i++) {
		if (store_key_part(list->keys[i].text, 3, address,
			sizeof(address)) != -1)
			store_txn_delete(txn, store_key_address(&key, address));
		store_txn_delete(txn, list->keys[i].text);
	}
	return store_txn_delete(txn, store_key_account(&key, id));
}

static int
collect(struct store_txn *txn, const char *id, struct row_list *list,
    bool addresses)
{
	struct store_key key;

	list->count = 0;
	list->addresses = addresses;
	list->max = addresses ? ACCOUNT_ADDRESSES_MAX : ACCOUNT_BATCH;
	if (store_key_account(&key, id)[0] == '\0')
		return -1;
	strcat(key.text, "/");
	return store_scan(store_txn_view(txn), key.text, NULL, collect_row,
	    list);
}

static enum outcome
remove_batch(struct store_txn *txn, struct account_removal *removal,
    struct store_account *account, struct row_list *list)
{
	enum outcome outcome;

	if (collect(txn, removal->id, list, false) == -1)
		return trouble(txn);
	if (list->count > 0) {
		strcpy(account->state, REMOVING);
		outcome = remove_rows(txn, account, list, removal->now);
		return outcome != OUTCOME_OK ? outcome :
					       store_account_put(txn, account);
	}
	removal->complete = true;
	if (collect(txn, removal->id, list, true) == -1)
		return trouble(txn);
	return remove_addresses(txn, removal->id, list);
}

enum outcome
account_remove(struct store_txn *txn, void *arg)
{
	struct account_removal *removal = arg;
	struct store_account account;
	struct row_list *list;
	enum outcome outcome;

	removal->complete = false;
	outcome = find_account(txn, removal->address, removal->id);
	if (outcome != OUTCOME_OK)
		return outcome;
	if (store_account_get(store_txn_view(txn), removal->id, &account) != 1)
		return trouble(txn);
	list = x_calloc(1, sizeof(*list));
	outcome = remove_batch(txn, removal, &account, list);
	free(list);
	store_account_clear(&account);
	return outcome;
}

/* ---- listing ------------------------------------------------------------- */

struct describing {
	cJSON *aliases, *brokers;
	const char *name;
};

static void
add_once(cJSON *list, const char *text)
{
	const cJSON *item;

	cJSON_ArrayForEach(item,
	    list) if (strcmp(item->valuestring, text) == 0) return;
	cJSON_AddItemToArray(list, cJSON_CreateString(text));
}

static enum store_step
describe_address(void *arg, const char *key, const void *data, size_t len)
{
	struct describing *d = arg;
	char address[MAIL_ADDRESS_SIZE];
	const cJSON *item;
	cJSON *row;

	if (store_key_part(key, 3, address, sizeof(address)) != -1 &&
	    strcmp(address, d->name) != 0)
		cJSON_AddItemToArray(d->aliases, cJSON_CreateString(address));
	row = store_row_json(key, data, len);
	cJSON_ArrayForEach(item,
	    json_array(row, "brokers")) if (cJSON_IsString(item))
	    add_once(d->brokers, item->valuestring);
	cJSON_Delete(row);
	return STORE_NEXT;
}

cJSON *
account_describe(struct store_view *view, const char *id)
{
	struct describing d = { cJSON_CreateArray(), cJSON_CreateArray(), "" };
	struct store_account account;
	struct store_key key;
	cJSON *object = NULL;
	const char *name, *release;

	if (store_account_get(view, id, &account) != 1) {
		cJSON_Delete(d.aliases);
		cJSON_Delete(d.brokers);
		return NULL;
	}
	name = json_string(account.object, "name");
	d.name = name != NULL ? name : "";
	store_scan(view, store_key_account_address(&key, id, NULL), NULL,
	    describe_address, &d);
	object = cJSON_CreateObject();
	json_add_string(object, "account", id);
	json_add_string(object, "address", d.name);
	json_add_item(object, "aliases", d.aliases);
	json_add_item(object, "brokers", d.brokers);
	json_add_string(object, "state", account.state);
	json_add_boolean(object, "password",
	    store_get(view, store_key_credential(&key, id, "password"), NULL) !=
		0);
	release = json_string(account.object, "release");
	if (release != NULL)
		json_add_string(object, "release", release);
	json_add_integer(object, "quota", account.quota);
	json_add_integer(object, "used", account.used);
	json_add_integer(object, "reserved", account.reserved);
	store_account_clear(&account);
	return object;
}
