/* SPDX-License-Identifier: ISC
 *
 * What the rows of a pull say to the administrator. See pull_describe.h.
 */
#include <string.h>

#include "json_strict.h"
#include "pull_describe.h"
#include "pull_store.h"

static void
add_progress(cJSON *object, const struct pull_row *row,
    const struct pull_lease *plan)
{
	int64_t bytes = 0, have = 0;
	size_t i;

	for (i = 0; i < plan->count; i++) {
		bytes += plan->items[i].size;
		have += plan->items[i].have;
	}
	json_add_string(object, "state",
	    row->leased	 ? "leased" :
		have > 0 ? "partial" :
			   "due");
	json_add_integer(object, "resources", (int64_t)plan->count);
	json_add_integer(object, "bytes", bytes);
	json_add_integer(object, "have", have);
}

/* What the row itself says; a lease's "next" is when it ends. */
static cJSON *
describe_row(const struct pull_row *row, const cJSON *message,
    const struct pull_lease *plan)
{
	cJSON *object = cJSON_CreateObject();

	json_add_string(object, "message", row->message);
	json_add_string(object, "mailbox",
	    json_string(message, "mailbox") != NULL ?
		json_string(message, "mailbox") :
		"");
	json_add_string(object, "origin", row->origin);
	json_add_string(object, "share", row->share);
	json_add_integer(object, "attempt", row->attempt);
	json_add_integer(object, "next", row->due);
	json_add_integer(object, "expires", row->expires);
	if (row->local)
		json_add_boolean(object, "local", true);
	add_progress(object, row, plan);
	return object;
}

/* The row, the message and what is still to be done; 0, or -1. */
static int
read_pull(struct store_view *view, const char *id, struct pull_row *row_r,
    cJSON **message_r, struct pull_lease **plan_r)
{
	*message_r = NULL;
	*plan_r = NULL;
	if (pull_row_get(view, id, row_r) != 1)
		return -1;
	*plan_r = pull_plan(view, row_r);
	if (*plan_r != NULL && pull_message_get(view, row_r, message_r) == 1)
		return 0;
	pull_lease_free(*plan_r);
	pull_row_clear(row_r);
	return -1;
}

cJSON *
pull_describe_line(struct store_view *view, const char *id)
{
	struct pull_lease *plan;
	struct pull_row row;
	cJSON *message, *object;

	if (read_pull(view, id, &row, &message, &plan) == -1)
		return NULL;
	object = describe_row(&row, message, plan);
	pull_lease_free(plan);
	cJSON_Delete(message);
	pull_row_clear(&row);
	return object;
}

/* ---- all of it ----------------------------------------------------------- */

static void
describe_failure(struct store_view *view, const struct pull_row *row,
    cJSON *resource)
{
	const char *hash = json_string(resource, "hash");
	struct store_key key;
	cJSON *failure = NULL;

	(void)store_get_json(view,
	    store_key_failure(&key, row->account, row->message, hash),
	    &failure);
	json_add_string(resource, "problem",
	    json_string(failure, "problem") != NULL ?
		json_string(failure, "problem") :
		"");
	cJSON_Delete(failure);
}

static void
describe_resource(struct store_view *view, const struct pull_row *row,
    const struct pull_lease *plan, cJSON *resource)
{
	const char *hash = json_string(resource, "hash");
	const struct pull_item *item;
	int64_t size = 0;
	int state;

	(void)json_integer(resource, "size", 0, JSON_MAX_INTEGER, &size);
	state = hash == NULL ?
	    -1 :
	    pull_resource_state(view, row->account, row->message, hash);
	json_add_string(resource, "state",
	    state == PULL_STORED     ? "stored" :
		state == PULL_FAILED ? "failed" :
				       "pending");
	if (state == PULL_FAILED)
		describe_failure(view, row, resource);
	item = state == PULL_PENDING ? pull_lease_item(plan, hash) : NULL;
	json_add_integer(resource, "have",
	    state == PULL_STORED ? size :
		item != NULL	 ? item->have :
				   0);
}

/* Members of the message under the name that the administrator knows. */
static void
add_message(cJSON *object, const cJSON *message)
{
	static const struct {
		const char *member, *name;
	} texts[] = { { "sender", "sender" }, { "recipient", "recipient" },
		{ "message", "message_id" }, { "category", "category" },
		{ "broker", "broker" } };
	const char *text;
	int64_t time;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		text = json_string(message, texts[i].member);
		if (text != NULL)
			json_add_string(object, texts[i].name, text);
	}
	if (json_integer(message, "time", 0, JSON_MAX_INTEGER, &time) == 0)
		json_add_integer(object, "notified", time);
}

static void
add_trouble(struct store_view *view, cJSON *object, const struct pull_row *row)
{
	int64_t not_before = pull_origin_not_before(view, row->origin);

	json_add_string(object, "account", row->account);
	json_add_string(object, "agent", row->agent);
	if (not_before > 0)
		json_add_integer(object, "origin_not_before", not_before);
	if (row->failed == 0)
		return;
	json_add_integer(object, "failed", row->failed);
	json_add_string(object, "problem", row->problem);
	json_add_integer(object, "status", row->status);
}

cJSON *
pull_describe(struct store_view *view, const char *id, cJSON **resources_r)
{
	struct pull_lease *plan;
	struct pull_row row;
	cJSON *message, *object, *resource;

	*resources_r = NULL;
	if (read_pull(view, id, &row, &message, &plan) == -1)
		return NULL;
	object = describe_row(&row, message, plan);
	add_message(object, message);
	add_trouble(view, object, &row);
	*resources_r =
	    cJSON_DetachItemFromObjectCaseSensitive(message, "resources");
	cJSON_ArrayForEach(resource, *resources_r)
	    describe_resource(view, &row, plan, resource);
	pull_lease_free(plan);
	cJSON_Delete(message);
	pull_row_clear(&row);
	return object;
}
