/* SPDX-License-Identifier: ISC
 *
 * The administrator's verbs for pulls: what waits and why, now instead of
 * later, and no more. A pull is named by its message id, or by the beginning
 * of one if there is no other.
 */
#include "admin_queue.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "json_strict.h"
#include "log.h"
#include "memory.h"
#include "pull_describe.h"
#include "pull_server.h"

/* ---- which one ----------------------------------------------------------- */

int
admin_queue_subject(struct admin_walk *walk, const cJSON *request)
{
	const char *text = json_string(request, "message");
	struct reason why;
	size_t len = text != NULL ? strlen(text) : 0;

	if (len < PULL_PREFIX_MIN || len > STORE_ID_LEN ||
	    strspn(text, "0123456789abcdef") != len) {
		admin_reply(walk->connection,
		    reason_set(&why, OUTCOME_PERMFAIL, "malformed",
			"message: %d to %d hex digits", PULL_PREFIX_MIN,
			STORE_ID_LEN),
		    &why, NULL);
		admin_walk_free(walk);
		return -1;
	}
	strcpy(walk->subject, text);
	return 0;
}

int
admin_queue_find(struct admin_walk *walk, char message_r[STORE_ID_SIZE])
{
	int found = pull_row_find(walk->view, walk->subject, message_r);

	if (found == 1)
		return 0;
	if (found == 0)
		admin_walk_refuse(walk, OUTCOME_PERMFAIL, "not-found",
		    "no pull of this message is pending");
	else if (found == 2)
		admin_walk_refuse(walk, OUTCOME_PERMFAIL, "ambiguous",
		    "several messages begin so: give more digits");
	else
		admin_walk_refuse(walk, OUTCOME_TEMPFAIL, "unavailable",
		    "the store cannot be read");
	return -1;
}

static void
choose_one(struct admin_walk *walk)
{
	char message[STORE_ID_SIZE];

	if (admin_queue_find(walk, message) == 0)
		cJSON_AddItemToArray(walk->items, cJSON_CreateString(message));
}

static enum store_step
choose_row(void *arg, const char *key, const void *data, size_t len)
{
	struct admin_walk *walk = arg;

	(void)data;
	(void)len;
	if (store_id_valid(store_key_last(key)))
		cJSON_AddItemToArray(walk->items,
		    cJSON_CreateString(store_key_last(key)));
	return STORE_NEXT;
}

static void
each_pull(struct admin_walk *walk, store_row_fn *row)
{
	struct store_key key;
	unsigned shard;

	for (shard = 0; shard < STORE_SHARDS; shard++)
		if (store_scan(walk->view, store_key_pull_all(&key, shard),
			NULL, row, walk) == -1)
			admin_walk_refuse(walk, OUTCOME_TEMPFAIL, "unavailable",
			    "the store cannot be read");
}

static void
choose_all(struct admin_walk *walk)
{
	each_pull(walk, choose_row);
}

/* ---- queue --------------------------------------------------------------- */

static enum store_step
list_row(void *arg, const char *key, const void *data, size_t len)
{
	struct admin_walk *walk = arg;
	cJSON *line = pull_describe_line(walk->view, store_key_last(key));

	(void)data;
	(void)len;
	if (line != NULL)
		cJSON_AddItemToArray(walk->items, line);
	return STORE_NEXT;
}

static void
run_queue(struct admin_walk *walk)
{
	each_pull(walk, list_row);
}

void
admin_queue(void *context, struct control_connection *connection,
    const cJSON *request)
{
	(void)request;
	admin_walk_start(admin_walk_new(context, connection, run_queue,
			     "pulls"),
	    NULL);
}

/* ---- queue-show ---------------------------------------------------------- */

static void
run_show(struct admin_walk *walk)
{
	char message[STORE_ID_SIZE];
	cJSON *pull, *resources;

	if (admin_queue_find(walk, message) == -1)
		return;
	pull = pull_describe(walk->view, message, &resources);
	if (pull == NULL) {
		admin_walk_refuse(walk, OUTCOME_TEMPFAIL, "unavailable",
		    "the pull cannot be read");
		return;
	}
	walk->first = cJSON_CreateObject();
	json_add_item(walk->first, "pull", pull);
	if (resources != NULL) {
		cJSON_Delete(walk->items);
		walk->items = resources;
	}
}

void
admin_queue_show(void *context, struct control_connection *connection,
    const cJSON *request)
{
	struct admin_walk *walk =
	    admin_walk_new(context, connection, run_show, "resources");

	if (admin_queue_subject(walk, request) == 0)
		admin_walk_start(walk, NULL);
}

/* ---- queue-retry --------------------------------------------------------- */

struct hastening {
	struct admin_walk *walk; /* its items are the messages */
	struct pull_hasten batch;
	int64_t due, leased;
};

static void
log_admin(const char *message, const char *verb)
{
	struct log_line line;

	log_begin(&line, LOG_INFO, message, verb);
	log_end(&line);
}

static void
end_hastening(struct hastening *hastening)
{
	struct admin_walk *walk = hastening->walk;

	json_add_integer(walk->last, "due", hastening->due);
	json_add_integer(walk->last, "leased", hastening->leased);
	if (hastening->due > 0)
		pull_server_poke(walk->mailboxd->pulls);
	admin_walk_reply(walk);
	free(hastening);
}

static enum outcome
hasten_work(struct store_txn *txn, void *arg)
{
	struct hastening *hastening = arg;

	return pull_store_hasten(txn, &hastening->batch);
}

static void hasten_next(struct hastening *hastening);

static void
on_hastened(void *arg, enum outcome outcome, const struct reason *why)
{
	struct hastening *hastening = arg;

	if (outcome != OUTCOME_OK) {
		hastening->walk->outcome = outcome;
		hastening->walk->why = *why;
		end_hastening(hastening);
		return;
	}
	hastening->due += hastening->batch.due;
	hastening->leased += hastening->batch.leased;
	hasten_next(hastening);
}

static void
hasten_next(struct hastening *hastening)
{
	struct pull_hasten *batch = &hastening->batch;
	cJSON *item;

	batch->count = 0;
	batch->now = clock_now();
	while (batch->count < PULL_STORE_BATCH &&
	    (item = cJSON_DetachItemFromArray(hastening->walk->items, 0)) !=
		NULL) {
		strcpy(batch->messages[batch->count++], item->valuestring);
		log_admin(item->valuestring, "queue-retry");
		cJSON_Delete(item);
	}
	if (batch->count == 0)
		end_hastening(hastening);
	else
		store_submit(hastening->walk->mailboxd->store, hasten_work,
		    on_hastened, hastening);
}

static void
on_chosen(void *arg)
{
	struct admin_walk *walk = arg;
	struct hastening *hastening;

	if (walk->outcome != OUTCOME_OK) {
		admin_walk_reply(walk);
		return;
	}
	hastening = x_calloc(1, sizeof(*hastening));
	hastening->walk = walk;
	hasten_next(hastening);
}

void
admin_queue_retry(void *context, struct control_connection *connection,
    const cJSON *request)
{
	bool all = json_boolean(request, "all") == 1;
	struct admin_walk *walk = admin_walk_new(context, connection,
	    all ? choose_all : choose_one, NULL);

	if (all || admin_queue_subject(walk, request) == 0)
		admin_walk_start(walk, on_chosen);
}

/* ---- queue-drop ---------------------------------------------------------- */

static void
on_dropped(void *arg, enum outcome outcome, const struct reason *why)
{
	struct admin_walk *walk = arg;

	/* It came to its end by itself meanwhile. */
	if (outcome != OUTCOME_OK && reason_is(why, "lease"))
		admin_walk_refuse(walk, OUTCOME_PERMFAIL, "not-found",
		    "no pull of this message is pending");
	else if (outcome != OUTCOME_OK) {
		walk->outcome = outcome;
		walk->why = *why;
	}
	admin_walk_reply(walk);
}

static void
on_chosen_to_drop(void *arg)
{
	struct admin_walk *walk = arg;
	const char *message;

	if (walk->outcome != OUTCOME_OK) {
		admin_walk_reply(walk);
		return;
	}
	message = walk->items->child->valuestring;
	log_admin(message, "queue-drop");
	json_add_string(walk->last, "message", message);
	pull_server_drop(walk->mailboxd->pulls, message, on_dropped, walk);
}

void
admin_queue_drop(void *context, struct control_connection *connection,
    const cJSON *request)
{
	struct admin_walk *walk =
	    admin_walk_new(context, connection, choose_one, NULL);

	if (admin_queue_subject(walk, request) == 0)
		admin_walk_start(walk, on_chosen_to_drop);
}
