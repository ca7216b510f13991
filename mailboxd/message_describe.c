/* SPDX-License-Identifier: ISC
 *
 * A message and the state of each of its resources. State is derived: a use
 * row means stored (or deleted since), a failure row failed, a pull row that
 * the rest is pending.
 */
#include <string.h>

#include "json_strict.h"
#include "message.h"
#include "pull_store.h"

struct describing {
	struct store_view *view;
	const char *account, *id;
	bool pull; /* the pull row stands */
	bool pending, failed, expired;
};

static int
describe_failed(struct describing *d, const char *hash, cJSON *resource)
{
	struct store_key key;
	const char *problem;
	cJSON *row = NULL;

	if (store_get_json(d->view,
		store_key_failure(&key, d->account, d->id, hash), &row) != 1)
		return -1;
	problem = json_string(row, "problem");
	json_add_string(resource, "state", "failed");
	json_add_string(resource, "problem", problem != NULL ? problem : "");
	d->failed = true;
	d->expired |= problem != NULL && strcmp(problem, "expired") == 0;
	cJSON_Delete(row);
	return 0;
}

static int
describe_stored(struct describing *d, const char *hash, cJSON *resource)
{
	struct store_key key;
	int held;

	held = store_get(d->view, store_key_resource(&key, d->account, hash),
	    NULL);
	if (held != -1)
		json_add_string(resource, "state", held ? "stored" : "deleted");
	return held == -1 ? -1 : 0;
}

static int
describe_resource(struct describing *d, cJSON *resource)
{
	const char *hash = json_string(resource, "hash");
	int state;

	if (hash == NULL)
		return -1;
	state = pull_resource_state(d->view, d->account, d->id, hash);
	if (state == PULL_STORED)
		return describe_stored(d, hash, resource);
	if (state == PULL_FAILED)
		return describe_failed(d, hash, resource);
	if (state == -1)
		return -1;
	json_add_string(resource, "state", d->pull ? "pending" : "failed");
	d->pending |= d->pull;
	d->failed |= !d->pull;
	return 0;
}

static int
describe_in(struct describing *d, cJSON *message)
{
	struct store_key key;
	cJSON *resource;
	int found;

	found = store_get(d->view, store_key_pull(&key, d->id), NULL);
	if (found == -1)
		return -1;
	d->pull = found == 1;
	cJSON_ArrayForEach(resource,
	    cJSON_GetObjectItemCaseSensitive(message,
		"resources")) if (describe_resource(d, resource) ==
	    -1) return -1;
	json_add_string(message, "state",
	    d->pending	   ? "pending" :
		d->expired ? "expired" :
		d->failed  ? "failed" :
			     "stored");
	return 0;
}

static int
describe_out(struct describing *d, int64_t now, cJSON *message)
{
	const char *share = json_string(message, "share");
	const char *state = "shared";
	int64_t expires = 0, revoked;
	struct store_key key;
	cJSON *row = NULL, *resource;
	const char *hash;

	cJSON_ArrayForEach(resource,
	    cJSON_GetObjectItemCaseSensitive(message, "resources"))
	{
		hash = json_string(resource, "hash");
		if (hash == NULL || describe_stored(d, hash, resource) == -1)
			return -1;
	}
	if (share == NULL ||
	    store_get_json(d->view, store_key_share(&key, d->account, share),
		&row) == -1)
		return -1;
	(void)json_integer(message, "expires", 0, JSON_MAX_INTEGER, &expires);
	if (json_integer(row, "revoked", 0, JSON_MAX_INTEGER, &revoked) == 0)
		state = "revoked";
	else if (now >= expires)
		state = "expired";
	json_add_string(message, "state", state);
	cJSON_Delete(row);
	return 0;
}

int
message_describe(struct store_view *view, const char *account, const char *id,
    int64_t now, cJSON **message_r, bool *pending_r)
{
	struct describing d = { .view = view, .account = account, .id = id };
	const char *direction;
	struct store_key key;
	int found, result;

	found = store_get_json(view, store_key_message(&key, account, id),
	    message_r);
	if (found != 1)
		return found;
	json_add_string(*message_r, "id", id);
	direction = json_string(*message_r, "direction");
	result = direction != NULL && strcmp(direction, "out") == 0 ?
	    describe_out(&d, now, *message_r) :
	    describe_in(&d, *message_r);
	*pending_r = d.pending;
	if (result == 0)
		return 1;
	cJSON_Delete(*message_r);
	*message_r = NULL;
	return -1;
}
