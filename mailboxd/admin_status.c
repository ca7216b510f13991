/* SPDX-License-Identifier: ISC
 *
 * The administrator's verbs status and metrics.
 */
#include <stdlib.h>

#include "admin_walk.h"
#include "clock.h"
#include "json_strict.h"
#include "metrics_verb.h"
#include "pull_server.h"

#define WALK_PAUSE_MS 60000 /* between walks for metrics */

static enum store_step
count_account(void *arg, const char *key, const void *data, size_t len)
{
	struct admin_walk *walk = arg;

	(void)key;
	(void)data;
	(void)len;
	walk->accounts++;
	return STORE_SKIP;
}

static enum store_step
count_pull(void *arg, const char *key, const void *data, size_t len)
{
	struct admin_walk *walk = arg;
	cJSON *row = store_row_json(key, data, len);

	if (json_boolean(row, "leased") == 1)
		walk->leased++;
	else
		walk->due++;
	cJSON_Delete(row);
	return STORE_NEXT;
}

static void
run_status(struct admin_walk *walk)
{
	struct metrics *metrics = walk->mailboxd->metrics;
	struct store_key key;
	unsigned shard;

	store_scan(walk->view, "account/", NULL, count_account, walk);
	store_scan(walk->view, "blob/", NULL, admin_count_blob, walk);
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

static struct admin_walk *
start_status_walk(struct mailboxd *mailboxd, void (*done)(void *arg))
{
	struct admin_walk *walk =
	    admin_walk_new(mailboxd, NULL, run_status, NULL);

	walk->now = clock_monotonic_ms();
	mailboxd->walk_due = INT64_MAX; /* until this one is done */
	admin_walk_start(walk, done);
	return walk;
}

/* The next walk for metrics takes at most a hundredth of the time. */
static void
put_off_walk(const struct admin_walk *walk)
{
	int64_t now = clock_monotonic_ms(), took = now - walk->now;

	walk->mailboxd->walk_due =
	    now + (took * 100 > WALK_PAUSE_MS ? took * 100 : WALK_PAUSE_MS);
}

static void
on_status(void *arg)
{
	struct admin_walk *walk = arg;

	put_off_walk(walk);
	set_figures(walk->mailboxd);
	cJSON_Delete(walk->last);
	walk->last = metrics_status(walk->mailboxd->metrics);
	cJSON_DeleteItemFromObjectCaseSensitive(walk->last, "outcome");
	admin_walk_reply(walk);
}

void
admin_status(void *context, struct control_connection *connection,
    const cJSON *request)
{
	(void)request;
	start_status_walk(context, on_status)->connection = connection;
}

static void
on_walked(void *arg)
{
	struct admin_walk *walk = arg;

	put_off_walk(walk);
	admin_walk_free(walk);
}

/* Answered at once; a walk through the store that is due is for the next. */
void
admin_metrics(void *context, struct control_connection *connection,
    const cJSON *request)
{
	struct mailboxd *mailboxd = context;

	(void)request;
	set_figures(mailboxd);
	metrics_verb_reply(mailboxd->metrics, connection);
	if (clock_monotonic_ms() >= mailboxd->walk_due)
		start_status_walk(mailboxd, on_walked);
}
