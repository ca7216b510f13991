/* SPDX-License-Identifier: ISC
 *
 * Letting go of blobs, and the sweep: see garbage.h. A round takes some due
 * rows, deletes their files on a disk thread and then the rows; rounds
 * follow each other until nothing is due. A file that is gone already is
 * fine: a crash between the two steps repeats the first.
 */
#include "garbage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_strict.h"
#include "log.h"
#include "memory.h"
#include "store_private.h"

/* Rows a round; with them go at most ROUND_SOURCES source rows, so that the
 * closure stays within its keys. */
#define ROUND_ROWS 50
#define ROUND_SOURCES 50

#define GARBAGE_HASH 3 /* where a locator's hash begins */

/* ---- in a work function ---- */

enum outcome
garbage_add(struct store_txn *txn, const char *locator, int64_t size,
    int64_t due)
{
	struct store_key key;
	cJSON *row = cJSON_CreateObject();

	if (json_add_integer(row, "size", size) == -1) {
		cJSON_Delete(row);
		row = NULL;
	}
	return store_txn_put_object(txn,
	    store_key_garbage(&key, store_shard(locator), due, locator), row);
}

static enum store_step
holder_row(void *arg, const char *key, const void *data, size_t len)
{
	(void)key;
	(void)data;
	(void)len;
	*(bool *)arg = true;
	return STORE_STOP;
}

enum outcome
garbage_drop_holder(struct store_txn *txn, const char *hash,
    const char *account, int64_t now)
{
	struct store_view *view = store_txn_view(txn);
	struct store_blob blob;
	struct store_key key;
	bool held = false;
	int found;

	found = store_blob_held(view, hash, account);
	if (found != 1)
		return found == 0 ? OUTCOME_OK : OUTCOME_TEMPFAIL;
	if (store_txn_delete(txn, store_key_holder(&key, hash, account)) !=
		OUTCOME_OK ||
	    store_scan(view, store_key_holder(&key, hash, NULL), NULL,
		holder_row, &held) == -1)
		return OUTCOME_TEMPFAIL;
	if (held)
		return OUTCOME_OK;
	found = store_blob_get(view, hash, &blob);
	if (found == 0)
		return OUTCOME_OK;
	if (found == -1)
		return reason_set(store_txn_reason(txn), OUTCOME_TEMPFAIL,
		    "unavailable", "blob %s cannot be read", hash);
	if (store_txn_delete(txn, store_key_blob(&key, hash)) != OUTCOME_OK)
		return OUTCOME_TEMPFAIL;
	return garbage_add(txn, blob.locator, blob.size, now + GARBAGE_DELAY);
}

/* ---- the sweep ---- */

struct garbage_row {
	char key[STORE_KEY_MAX + 1];
	char locator[STORE_LOCATOR_SIZE];
	char hash[SHA256_HEX_SIZE];
	bool deleted; /* the file; so the row may go */
};

struct sweep {
	struct store *store;
	int64_t now, files;
	void (*done)(void *arg, int64_t files);
	void *arg;
	int count;
	struct garbage_row rows[ROUND_ROWS];
	char uploads[ROUND_ROWS][STORE_ID_SIZE];
	int upload_count;
};

static void sweep_round(struct sweep *sweep);

static enum store_step
sweep_row(void *arg, const char *key, const void *data, size_t len)
{
	struct sweep *sweep = arg;
	struct garbage_row *row = &sweep->rows[sweep->count];
	const char *locator;
	int64_t due;

	(void)data;
	(void)len;
	if (store_key_number(key, 2, &due) == -1 ||
	    strlen(key) < strlen("garbage/00/0123456789abcdef/")) {
		log_text(LOG_ERROR, "-", "sweep", "torn row %s", key);
		return STORE_NEXT;
	}
	if (due > sweep->now)
		return STORE_STOP;
	locator = key + strlen("garbage/00/0123456789abcdef/");
	if (strlen(locator) < GARBAGE_HASH + SHA256_HEX_LEN ||
	    strlen(locator) >= sizeof(row->locator)) {
		log_text(LOG_ERROR, "-", "sweep", "torn row %s", key);
		return STORE_NEXT;
	}
	strcpy(row->key, key);
	strcpy(row->locator, locator);
	memcpy(row->hash, locator + GARBAGE_HASH, SHA256_HEX_LEN);
	row->hash[SHA256_HEX_LEN] = '\0';
	row->deleted = false;
	return ++sweep->count < ROUND_ROWS ? STORE_NEXT : STORE_STOP;
}

static enum store_step
sweep_upload(void *arg, const char *key, const void *data, size_t len)
{
	struct sweep *sweep = arg;
	const char *id = store_key_last(key);
	cJSON *row = store_row_json(key, data, len);
	int64_t expires;

	if (row != NULL && store_id_valid(id) &&
	    json_integer(row, "expires", 0, sweep->now, &expires) == 0 &&
	    !store_upload_active(sweep->store, id))
		strcpy(sweep->uploads[sweep->upload_count++], id);
	cJSON_Delete(row);
	return sweep->upload_count < ROUND_ROWS ? STORE_NEXT : STORE_STOP;
}

static void
sweep_collect(struct sweep *sweep)
{
	struct store_view *view = store_read_begin(sweep->store);
	struct store_key key;
	unsigned shard;

	sweep->count = sweep->upload_count = 0;
	if (view == NULL)
		return;
	for (shard = 0; shard < STORE_SHARDS && sweep->count < ROUND_ROWS;
	     shard++)
		store_scan(view, store_key_garbage_all(&key, shard), NULL,
		    sweep_row, sweep);
	store_scan(view, store_key_upload(&key, NULL), NULL, sweep_upload,
	    sweep);
	store_read_end(&view);
}

/* On a disk thread. */
static void
sweep_files(void *arg)
{
	struct sweep *sweep = arg;
	struct store *store = sweep->store;
	struct store_view *view = store_read_begin(store);
	struct garbage_row *row;
	struct store_blob blob;
	struct reason why;
	int found;

	if (view == NULL)
		return;
	for (row = sweep->rows; row < sweep->rows + sweep->count; row++) {
		/* Never what a blob row names, or a torn one may name. */
		found = store_blob_get(view, row->hash, &blob);
		if (found == -1)
			continue;
		if (found == 1 && strcmp(blob.locator, row->locator) == 0) {
			log_text(LOG_ERROR, "-", "sweep",
			    "%s is garbage and in use", row->locator);
			row->deleted = true;
			continue;
		}
		if (store->blobs->ops->delete (store->blobs, row->locator,
			&why) != OUTCOME_OK) {
			log_text(LOG_WARNING, "-", "sweep", "%s", why.text);
			continue;
		}
		row->deleted = true;
		sweep->files++;
	}
	store_read_end(&view);
	store_fault(store, "garbage-deleted");
}

/* Keys collected during a scan, to delete after it. */
struct sources {
	int count;
	char keys[ROUND_SOURCES][STORE_KEY_MAX + 1];
	bool more;
};

static enum store_step
source_row(void *arg, const char *key, const void *data, size_t len)
{
	struct sources *sources = arg;

	(void)data;
	(void)len;
	if (sources->count == ROUND_SOURCES) {
		sources->more = true;
		return STORE_STOP;
	}
	strcpy(sources->keys[sources->count++], key);
	return STORE_NEXT;
}

/* Removes the garbage rows, and the source rows of blobs that are no more;
 * a garbage row whose sources are too many stays for the next round. */
static enum outcome
sweep_rows(struct store_txn *txn, void *arg)
{
	struct sweep *sweep = arg;
	struct sources sources = { 0 };
	struct garbage_row *row;
	struct store_key key;
	int i;

	for (row = sweep->rows; row < sweep->rows + sweep->count; row++) {
		if (!row->deleted)
			continue;
		if (store_get(store_txn_view(txn),
			store_key_blob(&key, row->hash), NULL) == 0)
			store_scan(store_txn_view(txn),
			    store_key_source(&key, row->hash, NULL, NULL), NULL,
			    source_row, &sources);
		if (sources.more)
			break;
		store_txn_delete(txn, row->key);
	}
	for (i = 0; i < sources.count; i++)
		store_txn_delete(txn, sources.keys[i]);
	return OUTCOME_OK;
}

static void
sweep_end(struct sweep *sweep)
{
	sweep->store->sweeping = false;
	if (sweep->done != NULL)
		sweep->done(sweep->arg, sweep->files);
	free(sweep);
}

/* No callback runs within the call that asked for it: so what is decided at
 * once takes a turn through a disk thread. */
static void
sweep_turn(void *arg)
{
	(void)arg;
}

static void
sweep_nothing(void *arg)
{
	sweep_end(arg);
}

static void
sweep_rows_done(void *arg, enum outcome outcome, const struct reason *why)
{
	struct sweep *sweep = arg;
	bool some = false;
	int i;

	if (outcome != OUTCOME_OK)
		log_text(LOG_WARNING, "-", "sweep", "%s", why->text);
	for (i = 0; i < sweep->count; i++)
		some = some || sweep->rows[i].deleted;
	/* What cannot be deleted now is tried at the next call. */
	if (outcome == OUTCOME_OK && some &&
	    !atomic_load(&sweep->store->closing))
		sweep_round(sweep);
	else
		sweep_end(sweep);
}

static void
sweep_files_done(void *arg)
{
	struct sweep *sweep = arg;

	store_submit(sweep->store, sweep_rows, sweep_rows_done, sweep);
}

static void
sweep_round(struct sweep *sweep)
{
	int i;

	sweep_collect(sweep);
	for (i = 0; i < sweep->upload_count; i++)
		store_upload_expire(sweep->store, sweep->uploads[i]);
	if (sweep->count > 0)
		store_background(sweep->store, sweep_files, sweep_files_done,
		    sweep);
	else
		store_background(sweep->store, sweep_turn, sweep_nothing,
		    sweep);
}

/* Who asked while a sweep runs. */
struct busy {
	void (*done)(void *arg, int64_t files);
	void *arg;
};

static void
busy_done(void *arg)
{
	struct busy *busy = arg;

	busy->done(busy->arg, -1);
	free(busy);
}

void
garbage_sweep(struct store *store, int64_t now,
    void (*done)(void *arg, int64_t files), void *arg)
{
	struct sweep *sweep;
	struct busy *busy;

	if (store->sweeping && done != NULL) {
		busy = x_calloc(1, sizeof(*busy));
		busy->done = done;
		busy->arg = arg;
		store_background(store, sweep_turn, busy_done, busy);
	}
	if (store->sweeping)
		return;
	store->sweeping = true;
	sweep = x_calloc(1, sizeof(*sweep));
	sweep->store = store;
	sweep->now = now;
	sweep->done = done;
	sweep->arg = arg;
	sweep_round(sweep);
}

/* ---- at an administrator's word ---- */

struct collection {
	struct store *store;
	int64_t files;
	void (*done)(void *arg, int64_t files);
	void *arg;
};

static void
collect_orphans(void *arg)
{
	struct collection *collection = arg;
	int64_t files = store_sweep_orphans(collection->store);

	if (files > 0)
		collection->files += files;
}

static void
collect_end(void *arg)
{
	struct collection *collection = arg;

	collection->done(collection->arg, collection->files);
	free(collection);
}

static void
collect_swept(void *arg, int64_t files)
{
	struct collection *collection = arg;

	collection->files = files;
	if (files == -1)
		collect_end(collection);
	else
		store_background(collection->store, collect_orphans,
		    collect_end, collection);
}

void
garbage_collect(struct store *store, int64_t now,
    void (*done)(void *arg, int64_t files), void *arg)
{
	struct collection *collection = x_calloc(1, sizeof(*collection));

	collection->store = store;
	collection->done = done;
	collection->arg = arg;
	garbage_sweep(store, now, collect_swept, collection);
}
