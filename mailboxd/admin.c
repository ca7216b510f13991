/* SPDX-License-Identifier: ISC
 *
 * status, metrics, queue, account-list, fsck, gc. Whatever walks through the
 * store does so on a disk thread, so that the loop goes on; the answer is sent
 * in packets from the loop.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "account.h"
#include "admin.h"
#include "clock.h"
#include "garbage.h"
#include "json_strict.h"
#include "log.h"
#include "mailboxd.h"
#include "memory.h"
#include "metrics_verb.h"
#include "pull_server.h"
#include "store_check.h"
#include "store_upload.h"

#define PACKET_ITEMS_MAX 40000 /* bytes of items in a packet */
#define FINDINGS_MAX 1000
#define WALK_PAUSE_MS 60000 /* between walks for metrics */

/* A walk through the store and its answer. */
struct walk {
	struct mailboxd *mailboxd;
	struct control_connection *connection;
	void (*run)(struct walk *walk);
	const char *member; /* of the items; NULL: none */
	cJSON *items;
	cJSON *last; /* members of the last packet */
	struct store_view *view;
	int64_t now;
	int64_t accounts, blobs, bytes, due, leased;
	enum outcome outcome;
	struct reason why;
};

void
admin_reply(struct control_connection *connection, enum outcome outcome,
    const struct reason *why, cJSON *object)
{
	if (object == NULL)
		object = cJSON_CreateObject();
	json_add_string(object, "outcome", outcome_name(outcome));
	if (outcome != OUTCOME_OK) {
		json_add_string(object, "reason", why->word);
		json_add_string(object, "detail", why->text);
	}
	control_reply(connection, object, 1);
}

/* ---- walks --------------------------------------------------------------- */

static void
walk_run(void *arg)
{
	struct walk *walk = arg;

	walk->view = store_read_begin(walk->mailboxd->store);
	if (walk->view == NULL) {
		walk->outcome = reason_set(&walk->why, OUTCOME_TEMPFAIL,
		    "unavailable", "the store cannot be read");
		return;
	}
	walk->run(walk);
	store_read_end(&walk->view);
}

/* Some items as a packet; those sent leave the list. */
static cJSON *
walk_packet(struct walk *walk)
{
	cJSON *packet = cJSON_CreateObject(), *list = cJSON_CreateArray();
	size_t bytes = 0;
	cJSON *item;
	char *text;

	while ((item = cJSON_GetArrayItem(walk->items, 0)) != NULL) {
		text = json_format(item);
		bytes += text != NULL ? strlen(text) : 0;
		free(text);
		if (bytes > PACKET_ITEMS_MAX && cJSON_GetArraySize(list) > 0)
			break;
		cJSON_AddItemToArray(list,
		    cJSON_DetachItemFromArray(walk->items, 0));
	}
	json_add_item(packet, walk->member, list);
	json_add_string(packet, "outcome", "ok");
	return packet;
}

static void
walk_done(void *arg)
{
	struct walk *walk = arg;
	cJSON *packet;

	if (walk->outcome == OUTCOME_OK && walk->member != NULL) {
		packet = walk_packet(walk);
		while (cJSON_GetArraySize(walk->items) > 0) {
			control_reply(walk->connection, packet, 0);
			packet = walk_packet(walk);
		}
		control_reply(walk->connection, packet, 0);
	}
	admin_reply(walk->connection, walk->outcome, &walk->why, walk->last);
	cJSON_Delete(walk->items);
	free(walk);
}

static void
walk_start(struct mailboxd *mailboxd, struct control_connection *connection,
    void (*run)(struct walk *walk), const char *member)
{
	struct walk *walk = x_calloc(1, sizeof(*walk));

	walk->mailboxd = mailboxd;
	walk->connection = connection;
	walk->run = run;
	walk->member = member;
	walk->items = cJSON_CreateArray();
	walk->last = cJSON_CreateObject();
	walk->now = clock_now();
	store_background(mailboxd->store, walk_run, walk_done, walk);
}

/* ---- status -------------------------------------------------------------- */

static enum store_step
count_account(void *arg, const char *key, const void *data, size_t len)
{
	struct walk *walk = arg;

	(void)key;
	(void)data;
	(void)len;
	walk->accounts++;
	return STORE_SKIP;
}

static enum store_step
count_blob(void *arg, const char *key, const void *data, size_t len)
{
	struct walk *walk = arg;
	cJSON *row = store_row_json(key, data, len);
	int64_t size = 0;

	(void)json_integer(row, "size", 0, JSON_MAX_INTEGER, &size);
	cJSON_Delete(row);
	walk->blobs++;
	walk->bytes += size;
	return STORE_SKIP;
}

static enum store_step
count_pull(void *arg, const char *key, const void *data, size_t len)
{
	struct walk *walk = arg;
	cJSON *row = store_row_json(key, data, len);

	if (json_boolean(row, "leased") == 1)
		walk->leased++;
	else
		walk->due++;
	cJSON_Delete(row);
	return STORE_NEXT;
}

static void
run_status(struct walk *walk)
{
	struct metrics *metrics = walk->mailboxd->metrics;
	struct store_key key;
	unsigned shard;

	store_scan(walk->view, "account/", NULL, count_account, walk);
	store_scan(walk->view, "blob/", NULL, count_blob, walk);
	for (shard = 0; shard < STORE_SHARDS; shard++)
		store_scan(walk->view, store_key_pull_all(&key, shard), NULL,
		    count_pull, walk);
	metrics_set(metrics, MAILBOXD_ACCOUNTS, NULL, walk->accounts);
	metrics_set(metrics, MAILBOXD_RESOURCES, NULL, walk->blobs);
	metrics_set(metrics, MAILBOXD_RESOURCE_BYTES, NULL, walk->bytes);
	metrics_set(metrics, MAILBOXD_QUEUE, "due", walk->due);
	metrics_set(metrics, MAILBOXD_QUEUE, "leased", walk->leased);
}

/* What others keep and what is so just now; event loop. */
static void
set_figures(struct mailboxd *mailboxd)
{
	struct metrics *metrics = mailboxd->metrics;
	struct http_server_stats http;
	struct store_figures store;

	http_server_get_stats(mailboxd->http, &http);
	store_figures(mailboxd->store, &store);
	metrics_set(metrics, MAILBOXD_CONNECTIONS, NULL, http.connections);
	metrics_set(metrics, MAILBOXD_REQUESTS, NULL, (int64_t)http.requests);
	metrics_set(metrics, MAILBOXD_REFUSED, NULL, (int64_t)http.refused);
	metrics_set(metrics, MAILBOXD_RECEIVED, NULL, (int64_t)http.bytes_in);
	metrics_set(metrics, MAILBOXD_SENT, NULL, (int64_t)http.bytes_out);
	metrics_set(metrics, MAILBOXD_COMMITS, NULL, store.commits);
	metrics_set(metrics, MAILBOXD_CLOSURES, NULL, store.closures);
	metrics_set(metrics, MAILBOXD_STORED, NULL, store.blobs);
	metrics_set(metrics, MAILBOXD_STORED_BYTES, NULL, store.blob_bytes);
	metrics_set(metrics, MAILBOXD_FREE, NULL, store.space);
	metrics_set(metrics, MAILBOXD_LEASES, NULL,
	    pull_queue_live(pull_server_queue(mailboxd->pulls)));
}

static struct walk *
start_status_walk(struct mailboxd *mailboxd, void (*done)(void *arg))
{
	struct walk *walk = x_calloc(1, sizeof(*walk));

	walk->mailboxd = mailboxd;
	walk->run = run_status;
	walk->items = cJSON_CreateArray();
	walk->now = clock_monotonic_ms();
	mailboxd->walk_due = INT64_MAX; /* until this one is done */
	store_background(mailboxd->store, walk_run, done, walk);
	return walk;
}

/* The next walk for metrics takes at most a hundredth of the time. */
static void
put_off_walk(const struct walk *walk)
{
	int64_t now = clock_monotonic_ms(), took = now - walk->now;

	walk->mailboxd->walk_due =
	    now + (took * 100 > WALK_PAUSE_MS ? took * 100 : WALK_PAUSE_MS);
}

static void
on_status(void *arg)
{
	struct walk *walk = arg;

	put_off_walk(walk);
	set_figures(walk->mailboxd);
	walk->last = metrics_status(walk->mailboxd->metrics);
	cJSON_DeleteItemFromObjectCaseSensitive(walk->last, "outcome");
	walk_done(walk);
}

static void
serve_status(void *context, struct control_connection *connection,
    const cJSON *request)
{
	(void)request;
	start_status_walk(context, on_status)->connection = connection;
}

static void
on_walked(void *arg)
{
	struct walk *walk = arg;

	put_off_walk(walk);
	cJSON_Delete(walk->items);
	free(walk);
}

/* Answered at once; a walk through the store that is due is for the next. */
static void
serve_metrics(void *context, struct control_connection *connection,
    const cJSON *request)
{
	struct mailboxd *mailboxd = context;

	(void)request;
	set_figures(mailboxd);
	metrics_verb_reply(mailboxd->metrics, connection);
	if (clock_monotonic_ms() >= mailboxd->walk_due)
		start_status_walk(mailboxd, on_walked);
}

/* ---- queue --------------------------------------------------------------- */

static void
add_progress(struct walk *walk, const struct pull_row *row, cJSON *object)
{
	struct pull_lease *plan = pull_plan(walk->view, row);
	int64_t bytes = 0, have = 0;
	size_t i;

	for (i = 0; plan != NULL && i < plan->count; i++) {
		bytes += plan->items[i].size;
		have += plan->items[i].have;
	}
	json_add_string(object, "state",
	    row->leased	 ? "leased" :
		have > 0 ? "partial" :
			   "due");
	json_add_integer(object, "resources",
	    plan != NULL ? (int64_t)plan->count : 0);
	json_add_integer(object, "bytes", bytes);
	json_add_integer(object, "have", have);
	pull_lease_free(plan);
}

static enum store_step
list_pull(void *arg, const char *key, const void *data, size_t len)
{
	struct walk *walk = arg;
	cJSON *object, *message = NULL;
	struct pull_row row;
	const char *mailbox;

	(void)data;
	(void)len;
	if (pull_row_get(walk->view, store_key_last(key), &row) != 1)
		return STORE_NEXT;
	object = cJSON_CreateObject();
	json_add_string(object, "message", row.message);
	if (pull_message_get(walk->view, &row, &message) == 1 &&
	    (mailbox = json_string(message, "mailbox")) != NULL)
		json_add_string(object, "mailbox", mailbox);
	cJSON_Delete(message);
	json_add_string(object, "origin", row.origin);
	json_add_string(object, "share", row.share);
	json_add_integer(object, "attempt", row.attempt);
	json_add_integer(object, "next", row.due);
	json_add_integer(object, "expires", row.expires);
	add_progress(walk, &row, object);
	cJSON_AddItemToArray(walk->items, object);
	pull_row_clear(&row);
	return STORE_NEXT;
}

static void
run_queue(struct walk *walk)
{
	struct store_key key;
	unsigned shard;

	for (shard = 0; shard < STORE_SHARDS; shard++)
		store_scan(walk->view, store_key_pull_all(&key, shard), NULL,
		    list_pull, walk);
}

static void
serve_queue(void *context, struct control_connection *connection,
    const cJSON *request)
{
	(void)request;
	walk_start(context, connection, run_queue, "pulls");
}

/* ---- accounts ------------------------------------------------------------ */

static enum store_step
list_account(void *arg, const char *key, const void *data, size_t len)
{
	struct walk *walk = arg;
	cJSON *account;

	(void)data;
	(void)len;
	account = account_describe(walk->view, store_key_last(key));
	if (account != NULL)
		cJSON_AddItemToArray(walk->items, account);
	return STORE_SKIP;
}

static void
run_accounts(struct walk *walk)
{
	store_scan(walk->view, "account/", NULL, list_account, walk);
}

static void
serve_accounts(void *context, struct control_connection *connection,
    const cJSON *request)
{
	(void)request;
	walk_start(context, connection, run_accounts, "accounts");
}

/* ---- fsck ---------------------------------------------------------------- */

static void
add_finding(void *arg, const char *word, const char *key, const char *text)
{
	struct walk *walk = arg;
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
run_fsck(struct walk *walk)
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
	store_scan(walk->view, "blob/", NULL, count_blob, walk);
	json_add_integer(walk->last, "resources", walk->blobs);
	json_add_integer(walk->last, "problem_count", result.findings);
}

static void
serve_fsck(void *context, struct control_connection *connection,
    const cJSON *request)
{
	struct mailboxd *mailboxd = context;
	struct walk *walk = x_calloc(1, sizeof(*walk));

	walk->mailboxd = mailboxd;
	walk->connection = connection;
	walk->run = run_fsck;
	walk->member = "problems";
	walk->items = cJSON_CreateArray();
	walk->last = cJSON_CreateObject();
	json_add_boolean(walk->last, "deep",
	    json_boolean(request, "deep") == 1);
	store_background(mailboxd->store, walk_run, walk_done, walk);
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

static void
serve_gc(void *context, struct control_connection *connection,
    const cJSON *request)
{
	struct mailboxd *mailboxd = context;

	(void)request;
	garbage_sweep(mailboxd->store, clock_now(), on_swept, connection);
}

const struct control_verb admin_verbs[] = {
	{ "status", serve_status },
	{ "metrics", serve_metrics },
	{ "queue", serve_queue },
	{ "account-list", serve_accounts },
	{ "account-add", admin_account_add },
	{ "account-rm", admin_account_remove },
	{ "account-enroll", admin_account_enrol },
	{ "account-change", admin_account_change },
	{ "fsck", serve_fsck },
	{ "gc", serve_gc },
	{ NULL, NULL },
};
