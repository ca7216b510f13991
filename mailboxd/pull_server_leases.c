/* SPDX-License-Identifier: ISC
 *
 * Leases given and taken back: see pull_server.h. A lease counts once its
 * row is durable; only then does the worker hear of it.
 */
#include <stdlib.h>
#include <string.h>

#include "cargo_api.h"
#include "clock.h"
#include "json_strict.h"
#include "log.h"
#include "memory.h"
#include "pull_server_private.h"

struct grant {
	struct pull_server *server;
	struct visit *visit;
	struct pull_lease *plan;
	struct pull_take take;
};

static cJSON *
lease_json(const struct pull_lease *lease, const struct pull_row *row)
{
	cJSON *object = cJSON_CreateObject(), *list = cJSON_CreateArray();
	char name[PULL_LEASE_NAME_SIZE];
	const struct pull_item *item;
	cJSON *resource;
	size_t i;

	pull_lease_name(lease, name);
	json_add_string(object, "lease", name);
	json_add_string(object, "agent", row->agent);
	json_add_string(object, "origin", row->origin);
	json_add_string(object, "share", row->share);
	json_add_string(object, "token", row->token);
	json_add_integer(object, "until", lease->until);
	for (i = 0; i < lease->count; i++) {
		item = &lease->items[i];
		resource = cJSON_CreateObject();
		json_add_string(resource, "hash", item->hash);
		json_add_integer(resource, "size", item->size);
		json_add_integer(resource, "have", item->have);
		json_add_string(resource, "mode", item->head ? "head" : "get");
		cJSON_AddItemToArray(list, resource);
	}
	json_add_item(object, "resources", list);
	return object;
}

/* The queue id is no member: a retrievald of before takes no others. */
static void
reply_lease(struct visit *visit, const struct pull_lease *lease,
    const struct pull_row *row)
{
	struct http_header_list headers;

	http_header_init(&headers);
	if (lease->queue_id[0] != '\0')
		http_header_add(&headers, CARGO_API_QUEUE_ID, lease->queue_id);
	visit_reply_json_with(visit, 200, &headers, lease_json(lease, row));
}

static void
log_lease(const struct pull_lease *lease, const char *verb)
{
	char name[PULL_LEASE_NAME_SIZE];
	struct log_line line;

	pull_lease_name(lease, name);
	log_begin(&line, LOG_INFO, lease->message, verb);
	log_string(&line, LOG_KEY_LEASE, name);
	if (lease->queue_id[0] != '\0')
		log_string(&line, LOG_KEY_ORIG_QUEUE_ID, lease->queue_id);
	log_string(&line, LOG_KEY_ORIGIN, lease->origin);
	log_string(&line, LOG_KEY_SHARE, lease->share);
	log_number(&line, LOG_KEY_RESOURCES, (int64_t)lease->count);
	log_end(&line);
}

struct lapse {
	struct pull_server *server;
	struct pull_retry retry;
};

static enum outcome
lapse_work(struct store_txn *txn, void *arg)
{
	struct lapse *lapse = arg;

	return pull_store_retry(txn, &lapse->retry);
}

static void
lapse_done(void *arg, enum outcome outcome, const struct reason *why)
{
	struct lapse *lapse = arg;

	(void)why;
	if (outcome == OUTCOME_OK)
		pull_server_poke(lapse->server);
	free(lapse);
}

void
pull_server_lapse(struct pull_server *server, struct pull_lease *lease)
{
	struct lapse *lapse = x_calloc(1, sizeof(*lapse));

	log_lease(lease, "lapse");
	metrics_count(server->mailboxd->metrics, MAILBOXD_PULLS, "lapsed");
	lapse->server = server;
	strcpy(lapse->retry.message, lease->message);
	lapse->retry.number = lease->number;
	lapse->retry.now = clock_now();
	lapse->retry.policy = pull_queue_policy(server->queue);
	lapse->retry.lapse = true;
	pull_queue_remove(server->queue, lease);
	store_submit(server->mailboxd->store, lapse_work, lapse_done, lapse);
}

static void
grant_done(void *arg, enum outcome outcome, const struct reason *why)
{
	struct grant *grant = arg;
	struct pull_server *server = grant->server;
	struct pull_lease *lease = grant->plan;

	(void)why;
	server->granting = false;
	if (outcome != OUTCOME_OK) {
		pull_lease_free(lease);
		goto out;
	}
	lease->number = grant->take.row.lease;
	pull_queue_add(server->queue, lease, clock_now());
	if (grant->visit->x == NULL || grant->visit->replied) {
		pull_server_lapse(server, lease);
	} else {
		log_lease(lease, "lease");
		reply_lease(grant->visit, lease, &grant->take.row);
		wait_list_remove(server->workers, grant->visit);
	}
	pull_server_poke(server);
out:
	pull_row_clear(&grant->take.row);
	visit_release(grant->visit);
	free(grant);
}

static enum outcome
grant_work(struct store_txn *txn, void *arg)
{
	struct grant *grant = arg;

	return pull_store_take(txn, &grant->take);
}

void
pull_server_grant(struct pull_server *server, struct visit *visit,
    struct pull_lease *plan)
{
	struct grant *grant = x_calloc(1, sizeof(*grant));

	server->granting = true;
	grant->server = server;
	grant->visit = visit_hold(visit);
	grant->plan = plan;
	strcpy(grant->take.message, plan->message);
	grant->take.expected = plan->number;
	grant->take.until =
	    clock_now() + pull_queue_policy(server->queue)->lease_time;
	store_submit(server->mailboxd->store, grant_work, grant_done, grant);
}

/* ---- at the start -------------------------------------------------------- */

struct leased {
	char (*messages)[STORE_ID_SIZE];
	size_t count;
};

static enum store_step
look_for_leased(void *arg, const char *key, const void *data, size_t len)
{
	struct leased *leased = arg;
	cJSON *row = store_row_json(key, data, len);

	if (json_boolean(row, "leased") == 1 &&
	    store_id_valid(store_key_last(key))) {
		leased->messages = x_realloc(leased->messages,
		    (leased->count + 1) * STORE_ID_SIZE);
		strcpy(leased->messages[leased->count++], store_key_last(key));
	}
	cJSON_Delete(row);
	return STORE_NEXT;
}

enum outcome
pull_server_lapse_all(struct pull_server *server, struct reason *why)
{
	struct store *store = server->mailboxd->store;
	struct leased leased = { NULL, 0 };
	enum outcome outcome = OUTCOME_OK;
	struct pull_retry retry;
	struct store_view *view;
	struct store_key key;
	unsigned shard;
	size_t i;

	view = store_read_begin(store);
	if (view == NULL)
		return reason_set(why, OUTCOME_TEMPFAIL, "store",
		    "the store cannot be read");
	for (shard = 0; shard < STORE_SHARDS; shard++)
		store_scan(view, store_key_pull_all(&key, shard), NULL,
		    look_for_leased, &leased);
	store_read_end(&view);
	for (i = 0; i < leased.count && outcome == OUTCOME_OK; i++) {
		memset(&retry, 0, sizeof(retry));
		strcpy(retry.message, leased.messages[i]);
		retry.number = -1;
		retry.now = clock_now();
		retry.policy = pull_queue_policy(server->queue);
		retry.lapse = true;
		outcome = store_run(store, pull_store_retry, &retry, why);
	}
	free(leased.messages);
	return outcome;
}
