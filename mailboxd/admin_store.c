/* SPDX-License-Identifier: ISC
 *
 * The administrator's verbs for the store itself: fsck and gc.
 */
#include "admin_walk.h"
#include "clock.h"
#include "garbage.h"
#include "json_strict.h"
#include "store_check.h"

#define FINDINGS_MAX 1000

enum store_step
admin_count_blob(void *arg, const char *key, const void *data, size_t len)
{
	struct admin_walk *walk = arg;
	cJSON *row = store_row_json(key, data, len);
	int64_t size = 0;

	(void)json_integer(row, "size", 0, JSON_MAX_INTEGER, &size);
	cJSON_Delete(row);
	walk->blobs++;
	walk->bytes += size;
	return STORE_SKIP;
}

/* ---- fsck ---------------------------------------------------------------- */

static void
add_finding(void *arg, const char *word, const char *key, const char *text)
{
	struct admin_walk *walk = arg;
	cJSON *object;

	if (cJSON_GetArraySize(walk->items) >= FINDINGS_MAX)
		return;
	object = cJSON_CreateObject();
	json_add_string(object, "what", word);
	json_add_string(object, "where", key);
	json_add_string(object, "detail", text);
	cJSON_AddItemToArray(walk->items, object);
}

static void
run_fsck(struct admin_walk *walk)
{
	const struct store_check_options options = { json_boolean(walk->last,
							 "deep") == 1 };
	struct store_check_result result;

	walk->outcome = store_check(walk->mailboxd->store, &options,
			    add_finding, walk, &result, &walk->why) == 0 ?
	    OUTCOME_OK :
	    OUTCOME_TEMPFAIL;
	if (walk->outcome != OUTCOME_OK)
		return;
	json_add_integer(walk->last, "accounts", result.accounts);
	json_add_integer(walk->last, "rows", result.rows);
	json_add_integer(walk->last, "blobs", result.blobs);
	json_add_integer(walk->last, "bytes", result.bytes);
	json_add_integer(walk->last, "records", result.records);
	store_scan(walk->view, "blob/", NULL, admin_count_blob, walk);
	json_add_integer(walk->last, "resources", walk->blobs);
	json_add_integer(walk->last, "problem_count", result.findings);
}

void
admin_fsck(void *context, struct control_connection *connection,
    const cJSON *request)
{
	struct admin_walk *walk =
	    admin_walk_new(context, connection, run_fsck, "problems");

	json_add_boolean(walk->last, "deep",
	    json_boolean(request, "deep") == 1);
	admin_walk_start(walk, NULL);
}

/* ---- gc ------------------------------------------------------------------ */

static void
on_swept(void *arg, int64_t files)
{
	cJSON *answer = NULL;
	struct reason why;

	if (files == -1) {
		admin_reply(arg,
		    reason_set(&why, OUTCOME_TEMPFAIL, "busy",
			"a sweep is running"),
		    &why, NULL);
		return;
	}
	answer = cJSON_CreateObject();
	json_add_integer(answer, "files", files);
	admin_reply(arg, OUTCOME_OK, NULL, answer);
}

void
admin_gc(void *context, struct control_connection *connection,
    const cJSON *request)
{
	struct mailboxd *mailboxd = context;

	(void)request;
	garbage_collect(mailboxd->store, clock_now(), on_swept, connection);
}
