/* SPDX-License-Identifier: ISC
 *
 * What happens at its time: see due.h.
 */
#include "due.h"

#include <stdlib.h>
#include <string.h>

#include "lapse.h"
#include "log.h"
#include "memory.h"
#include "page_store.h"

/* A row that is due. */
struct due {
	struct store *store;
	const struct due_kind *kind;
	char key[STORE_KEY_MAX + 1];
	struct lapse lapse;
};

/* ---- the kinds ----------------------------------------------------------- */

static enum outcome
end_page(struct store_txn *txn, void *arg)
{
	const struct due *due = arg;

	page_store_end(txn, store_key_last(due->key));
	return store_txn_delete(txn, due->key);
}

static enum outcome
end_share(struct store_txn *txn, void *arg)
{
	struct due *due = arg;
	enum outcome outcome = lapse_share(txn, &due->lapse);

	if (outcome == OUTCOME_OK && !due->lapse.more)
		store_txn_delete(txn, due->key); /* if it was put off */
	return outcome;
}

static enum outcome
look_at_use(struct store_txn *txn, void *arg)
{
	struct due *due = arg;

	return lapse_use(txn, &due->lapse);
}

/* Account, hash and share are parts of the key; 0 there is none. */
static const struct due_kind {
	const char *name;
	unsigned account, hash, share, parts;
	store_work_fn *work;
} kinds[] = {
	{ "page", 0, 0, 0, 4, end_page },
	{ "share", 3, 0, 4, 5, end_share },
	{ "use", 3, 4, 5, 6, look_at_use },
};

static bool
read_part(const char *key, unsigned part, char *text_r, size_t size)
{
	return part == 0 || store_key_part(key, part, text_r, size) > 0;
}

/* 0, or -1 if it is none of ours. */
static int
read_key(struct due *due)
{
	struct lapse *lapse = &due->lapse;
	const struct due_kind *kind = kinds;
	const struct due_kind *end = kind + sizeof(kinds) / sizeof(kinds[0]);
	char name[16], more[2];

	if (store_key_part(due->key, 2, name, sizeof(name)) == -1)
		return -1;
	while (kind < end && strcmp(kind->name, name) != 0)
		kind++;
	if (kind == end ||
	    store_key_part(due->key, kind->parts, more, sizeof(more)) != -1 ||
	    !read_part(due->key, kind->account, lapse->account,
		sizeof(lapse->account)) ||
	    !read_part(due->key, kind->hash, lapse->hash,
		sizeof(lapse->hash)) ||
	    !read_part(due->key, kind->share, lapse->share,
		sizeof(lapse->share)))
		return -1;
	due->kind = kind;
	return 0;
}

/* ---- one row ------------------------------------------------------------- */

/* Another day, so that it is not in the way of the others. */
static enum outcome
put_off(struct store_txn *txn, void *arg)
{
	const struct lapse *lapse = &((struct due *)arg)->lapse;
	const struct due *due = arg;
	struct store_key key;

	if (due->kind->hash != 0)
		return lapse_use_later(txn, lapse, DUE_AGAIN);
	store_txn_delete(txn, due->key);
	return store_txn_put_object(txn,
	    store_key_share_due(&key, lapse->now + DUE_AGAIN, lapse->account,
		lapse->share),
	    cJSON_CreateObject());
}

static void
on_put_off(void *arg, enum outcome outcome, const struct reason *why)
{
	(void)outcome;
	(void)why;
	free(arg);
}

static void
on_done(void *arg, enum outcome outcome, const struct reason *why)
{
	struct due *due = arg;

	if (outcome == OUTCOME_OK)
		lapse_log(&due->lapse, "-");
	else
		log_text(LOG_WARNING, "-", "sweep", "%s: %s", due->key,
		    why->text);
	if (outcome != OUTCOME_OK && due->lapse.account[0] != '\0')
		store_submit(due->store, put_off, on_put_off, due);
	else
		free(due);
}

/* ---- all ----------------------------------------------------------------- */

struct sweep {
	struct store *store;
	int64_t now, sent_keep;
	struct due *due[DUE_BATCH];
	int count;
};

static enum store_step
sweep_row(void *arg, const char *key, const void *data, size_t len)
{
	struct sweep *sweep = arg;
	struct due *due;
	int64_t when;

	(void)data;
	(void)len;
	if (store_key_number(key, 1, &when) == -1)
		return STORE_NEXT; /* fsck tells of it */
	if (when > sweep->now || sweep->count == DUE_BATCH)
		return STORE_STOP;
	due = x_calloc(1, sizeof(*due));
	due->store = sweep->store;
	due->lapse.when = when;
	due->lapse.now = sweep->now;
	due->lapse.sent_keep = sweep->sent_keep;
	strcpy(due->key, key);
	if (read_key(due) == 0)
		sweep->due[sweep->count++] = due;
	else
		free(due);
	return STORE_NEXT;
}

void
due_sweep(struct store *store, int64_t sent_keep, int64_t now)
{
	struct sweep sweep = { .store = store,
		.now = now,
		.sent_keep = sent_keep };
	struct store_view *view = store_read_begin(store);
	struct store_key key;
	int i;

	if (view == NULL)
		return;
	store_scan(view, store_key_times_all(&key), NULL, sweep_row, &sweep);
	store_read_end(&view);
	for (i = 0; i < sweep.count; i++)
		store_submit(store, sweep.due[i]->kind->work, on_done,
		    sweep.due[i]);
}
