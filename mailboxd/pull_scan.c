/* SPDX-License-Identifier: ISC
 *
 * The walk over the due rows. A due row says enough to pass over what cannot
 * be leased now; only a likely candidate's pull and message are read.
 */
#include <stdlib.h>
#include <string.h>

#include "json_strict.h"
#include "memory.h"
#include "pull_scan.h"

/* Rows looked at in one shard: a crowd of one origin must not hold up the
 * loop. Those in front are then put off, so that others come into view. */
#define LOOK_MAX 64
#define CROWD_DELAY 5 /* seconds */

/* Pairs of origin and share found blocked in this walk: 499 recipients of
 * one message wait for the first. */
#define MEMO 16

struct pull_memo {
	char *blocked[MEMO];
	unsigned count;
};

static char *
memo_name(const char *origin, const char *share)
{
	return x_asprintf("%s %s", origin, share);
}

static bool
memo_has(const struct pull_memo *memo, const char *name)
{
	unsigned i;

	for (i = 0; i < memo->count && i < MEMO; i++)
		if (strcmp(memo->blocked[i], name) == 0)
			return true;
	return false;
}

static void
memo_add(struct pull_memo *memo, const char *name)
{
	unsigned slot = memo->count++ % MEMO;

	free(memo->blocked[slot]);
	memo->blocked[slot] = x_strdup(name);
}

static void
memo_clear(struct pull_memo *memo)
{
	unsigned i;

	for (i = 0; i < MEMO; i++)
		x_free(&memo->blocked[i]);
}

static void
add_task(struct pull_scan *scan, const char *message, enum pull_task task)
{
	if (scan->count == PULL_SCAN_TASKS)
		return;
	strcpy(scan->tasks[scan->count].message, message);
	scan->tasks[scan->count++].task = task;
}

static void
postpone(struct pull_scan *scan, const char *message, int64_t seen,
    int64_t until)
{
	struct pull_postpone *list = &scan->postpone;

	if (list->count == PULL_STORE_BATCH)
		return;
	strcpy(list->messages[list->count], message);
	list->seen[list->count] = seen;
	list->until[list->count++] = until;
}

static bool
plan_in_flight(const struct pull_scan *scan, const struct pull_lease *plan)
{
	size_t i;

	for (i = 0; i < plan->count; i++)
		if (!plan->items[i].head &&
		    pull_queue_in_flight(scan->queue, plan->origin, plan->share,
			plan->items[i].hash, scan->now))
			return true;
	return false;
}

/* The row stands for a pull that may be leased as far as its origin goes. */
static void
consider(struct pull_scan *scan, const char *message, const char *pair)
{
	struct pull_lease *plan = NULL;
	struct pull_row row;

	if (pull_row_get(scan->view, message, &row) != 1)
		return; /* torn: logged, left alone */
	plan = pull_plan(scan->view, &row);
	pull_row_clear(&row);
	if (plan == NULL)
		return;
	if (plan->count == 0) {
		add_task(scan, message, PULL_TASK_FINISH);
	} else if (plan_in_flight(scan, plan)) {
		memo_add(scan->memo, pair);
	} else if (scan->count < PULL_SCAN_TASKS) {
		add_task(scan, message, PULL_TASK_LEASE);
		scan->plan = plan;
		return;
	}
	pull_lease_free(plan);
}

static void
look_for_lease(struct pull_scan *scan, const char *message, int64_t due,
    const cJSON *value)
{
	const char *origin = json_string(value, "origin");
	const char *share = json_string(value, "share");
	int64_t not_before;
	char *pair;

	if (!scan->want_lease || scan->plan != NULL || origin == NULL ||
	    share == NULL)
		return;
	not_before = pull_origin_not_before(scan->view, origin);
	if (not_before > scan->now) {
		postpone(scan, message, due, not_before);
		return;
	}
	pair = memo_name(origin, share);
	if (pull_queue_full(scan->queue, origin, scan->now) ||
	    memo_has(scan->memo, pair)) {
		if (scan->looked_at > LOOK_MAX / 2)
			postpone(scan, message, due, scan->now + CROWD_DELAY);
	} else {
		consider(scan, message, pair);
	}
	free(pair);
}

static enum store_step
look_at_row(void *arg, const char *key, const void *data, size_t len)
{
	const char *message = store_key_last(key);
	struct pull_scan *scan = arg;
	int64_t due, expires = 0;
	cJSON *value;

	if (store_key_number(key, 3, &due) == -1 || !store_id_valid(message))
		return STORE_NEXT;
	if (due > scan->now || scan->looked_at++ >= LOOK_MAX)
		return STORE_STOP;
	if (scan->busy(scan->arg, message) ||
	    pull_queue_find_message(scan->queue, message, scan->now) != NULL)
		return STORE_NEXT;
	value = store_row_json(key, data, len);
	(void)json_integer(value, "expires", 0, JSON_MAX_INTEGER, &expires);
	if (value == NULL)
		return STORE_NEXT;
	if (json_boolean(value, "local") == 1)
		add_task(scan, message, PULL_TASK_LINK);
	else if (scan->now >= expires)
		add_task(scan, message, PULL_TASK_EXPIRE);
	else
		look_for_lease(scan, message, due, value);
	cJSON_Delete(value);
	return STORE_NEXT;
}

void
pull_scan_run(struct pull_scan *scan)
{
	struct pull_memo memo = { 0 };
	struct store_key key;
	unsigned i;

	scan->memo = &memo;
	for (i = 0; i < STORE_SHARDS; i++) {
		scan->looked_at = 0;
		if (store_scan(scan->view,
			store_key_due_all(&key,
			    (scan->first_shard + i) % STORE_SHARDS),
			NULL, look_at_row, scan) == -1)
			scan->trouble = true;
	}
	memo_clear(&memo);
	scan->memo = NULL;
}
