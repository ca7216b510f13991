/* SPDX-License-Identifier: ISC
 *
 * Rows of pulls and origins, and what they say about a message's resources.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "cargo_api.h"
#include "json_strict.h"
#include "memory.h"
#include "pull_store.h"
#include "store_upload.h"

/* A member's text as the caller's own; NULL if it is missing. */
static char *
take_text(const cJSON *object, const char *name)
{
	const char *text = json_string(object, name);

	return text != NULL ? x_strdup(text) : NULL;
}

static int
row_parse(const cJSON *object, struct pull_row *row)
{
	const char *account = json_string(object, "account");
	const char *problem, *queue_id;

	if (account == NULL || !store_id_valid(account) ||
	    json_integer(object, "due", 0, JSON_MAX_INTEGER, &row->due) ||
	    json_integer(object, "reserved", 0, JSON_MAX_INTEGER,
		&row->reserved) ||
	    json_integer(object, "expires", 0, JSON_MAX_INTEGER,
		&row->expires) ||
	    json_integer(object, "attempt", 0, JSON_MAX_INTEGER,
		&row->attempt) ||
	    json_integer(object, "lease", 0, JSON_MAX_INTEGER, &row->lease))
		return -1;
	strcpy(row->account, account);
	/* Rows of before 0.2.0 have none of these. */
	if (json_integer(object, "failed", 0, JSON_MAX_INTEGER, &row->failed) ||
	    json_integer(object, "status", 0, 999, &row->status))
		row->failed = row->status = 0;
	queue_id = json_string(object, "queue_id");
	if (cargo_api_is_queue_id(queue_id))
		strcpy(row->queue_id, queue_id);
	problem = json_string(object, "problem");
	if (problem != NULL)
		snprintf(row->problem, sizeof(row->problem), "%s", problem);
	row->leased = json_boolean(object, "leased") == 1;
	row->local = json_boolean(object, "local") == 1;
	row->origin = take_text(object, "origin");
	row->share = take_text(object, "share");
	row->agent = take_text(object, "agent");
	row->token = take_text(object, "token");
	if (row->origin == NULL || row->share == NULL || row->agent == NULL ||
	    row->token == NULL) {
		pull_row_clear(row);
		return -1;
	}
	return 0;
}

int
pull_row_get(struct store_view *view, const char *message,
    struct pull_row *row_r)
{
	struct store_key key;
	cJSON *object = NULL;
	int found;

	memset(row_r, 0, sizeof(*row_r));
	if (!store_id_valid(message))
		return 0;
	found = store_get_json(view, store_key_pull(&key, message), &object);
	if (found != 1)
		return found;
	strcpy(row_r->message, message);
	if (row_parse(object, row_r) == -1)
		found = -1;
	cJSON_Delete(object);
	return found;
}

void
pull_row_clear(struct pull_row *row)
{
	free(row->origin);
	free(row->share);
	free(row->agent);
	free(row->token);
	memset(row, 0, sizeof(*row));
}

/* What the scan for a lease needs to know without reading the pull. */
static cJSON *
due_value(const struct pull_row *row)
{
	cJSON *value = cJSON_CreateObject();

	json_add_string(value, "origin", row->origin);
	json_add_string(value, "share", row->share);
	json_add_integer(value, "expires", row->expires);
	json_add_boolean(value, "local", row->local);
	return value;
}

enum outcome
pull_row_put(struct store_txn *txn, const struct pull_row *row, int64_t old_due)
{
	cJSON *object = cJSON_CreateObject();
	struct store_key key;

	json_add_string(object, "account", row->account);
	json_add_integer(object, "due", row->due);
	json_add_integer(object, "reserved", row->reserved);
	json_add_integer(object, "expires", row->expires);
	json_add_integer(object, "attempt", row->attempt);
	json_add_integer(object, "lease", row->lease);
	if (row->failed != 0) {
		json_add_integer(object, "failed", row->failed);
		json_add_string(object, "problem", row->problem);
		json_add_integer(object, "status", row->status);
	}
	if (row->queue_id[0] != '\0')
		json_add_string(object, "queue_id", row->queue_id);
	json_add_boolean(object, "leased", row->leased);
	json_add_boolean(object, "local", row->local);
	json_add_string(object, "origin", row->origin);
	json_add_string(object, "share", row->share);
	json_add_string(object, "agent", row->agent);
	json_add_string(object, "token", row->token);
	if (old_due != -1 && old_due != row->due)
		store_txn_delete(txn,
		    store_key_due(&key, old_due, row->message));
	store_txn_put_object(txn, store_key_due(&key, row->due, row->message),
	    due_value(row));
	return store_txn_put_object(txn, store_key_pull(&key, row->message),
	    object);
}

enum outcome
pull_row_delete(struct store_txn *txn, const struct pull_row *row)
{
	struct store_key key;

	store_txn_delete(txn, store_key_due(&key, row->due, row->message));
	return store_txn_delete(txn, store_key_pull(&key, row->message));
}

struct search {
	char *message_r;
	int found;
};

static enum store_step
look_for_prefix(void *arg, const char *key, const void *data, size_t len)
{
	const char *message = store_key_last(key);
	struct search *search = arg;

	(void)data;
	(void)len;
	if (!store_id_valid(message))
		return STORE_NEXT;
	search->found++;
	strcpy(search->message_r, message);
	return search->found == 2 ? STORE_STOP : STORE_NEXT;
}

int
pull_row_find(struct store_view *view, const char *text,
    char message_r[STORE_ID_SIZE])
{
	struct search search = { message_r, 0 };
	const size_t len = strlen(text);
	struct store_key key;

	if (len < PULL_PREFIX_MIN || len > STORE_ID_LEN ||
	    strspn(text, "0123456789abcdef") != len)
		return 0;
	(void)store_key_pull_all(&key, store_shard(text));
	strcat(key.text, text);
	if (store_scan(view, key.text, NULL, look_for_prefix, &search) == -1)
		return -1;
	return search.found;
}

int
pull_message_get(struct store_view *view, const struct pull_row *row,
    cJSON **message_r)
{
	struct store_key key;

	return store_get_json(view,
	    store_key_message(&key, row->account, row->message), message_r);
}

int
pull_resource_state(struct store_view *view, const char *account,
    const char *message, const char *hash)
{
	struct store_key key;
	int found;

	found =
	    store_get(view, store_key_use(&key, account, hash, message), NULL);
	if (found != 0)
		return found == 1 ? PULL_STORED : -1;
	found = store_get(view, store_key_failure(&key, account, message, hash),
	    NULL);
	if (found != 0)
		return found == 1 ? PULL_FAILED : -1;
	return PULL_PENDING;
}

/* One pending resource of the plan; -1 on trouble. */
static int
plan_item(struct store_view *view, const struct pull_row *row,
    struct pull_item *item)
{
	const struct access_source source = { row->account, row->origin,
		row->share };
	char upload[STORE_ID_SIZE];
	int before;

	before = access_came_before(view, &source, item->hash, item->size);
	if (before == -1)
		return -1;
	item->head = before == 1;
	if (!item->head) {
		store_upload_id(row->account, row->origin, item->hash, upload);
		item->have = store_upload_have(view, upload, row->account,
		    item->hash, item->size);
	}
	return 0;
}

struct pull_lease *
pull_plan(struct store_view *view, const struct pull_row *row)
{
	struct pull_lease *plan = NULL;
	const cJSON *resource, *list;
	struct pull_item *item;
	cJSON *message = NULL;
	const char *hash;
	int state;

	if (pull_message_get(view, row, &message) != 1)
		goto fail;
	list = json_array(message, "resources");
	plan = pull_lease_new(row->origin, row->share,
	    (size_t)cJSON_GetArraySize(list));
	strcpy(plan->message, row->message);
	strcpy(plan->account, row->account);
	strcpy(plan->queue_id, row->queue_id);
	plan->number = row->lease;
	plan->expires = row->expires;
	cJSON_ArrayForEach(resource, list)
	{
		item = &plan->items[plan->count];
		hash = json_string(resource, "hash");
		if (hash == NULL || !hex_is_sha256(hash) ||
		    json_integer(resource, "size", 0, JSON_MAX_INTEGER,
			&item->size) == -1)
			goto fail;
		state =
		    pull_resource_state(view, row->account, row->message, hash);
		if (state == -1)
			goto fail;
		if (state != PULL_PENDING)
			continue;
		strcpy(item->hash, hash);
		if (plan_item(view, row, item) == -1)
			goto fail;
		plan->count++;
	}
	cJSON_Delete(message);
	return plan;
fail:
	cJSON_Delete(message);
	pull_lease_free(plan);
	return NULL;
}

/* ---- origins ------------------------------------------------------------- */

const char *
pull_origin_key(struct store_key *key, const char *origin)
{
	if (strncmp(origin, "https://", 8) == 0)
		origin += 8;
	return store_key_origin(key, origin);
}

int64_t
pull_origin_not_before(struct store_view *view, const char *origin)
{
	int64_t not_before = 0;
	struct store_key key;
	cJSON *row = NULL;
	int found;

	found = store_get_json(view, pull_origin_key(&key, origin), &row);
	if (found == 1)
		(void)json_integer(row, "not_before", 0, JSON_MAX_INTEGER,
		    &not_before);
	cJSON_Delete(row);
	return found == -1 ? -1 : not_before;
}
