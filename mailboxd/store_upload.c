/* SPDX-License-Identifier: ISC
 *
 * Bytes on their way in: see store_upload.h. The event loop fills chunks;
 * the upload is one disk task that takes them in order, on whichever thread
 * is free, so nothing in it runs twice at a time. Hashed uploads gather in
 * a list, and a thread that comes round commits all that are there at once.
 *
 * Who owns which field stands in the struct; `lock` guards the hand-over.
 */
#include "store_upload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_strict.h"
#include "log.h"
#include "memory.h"
#include "store_private.h"

#define CHUNK ((size_t)128 << 10)
#define QUEUE_HIGH (4 * CHUNK)	      /* pause the sender here */
#define QUEUE_LOW (CHUNK)	      /* and let it go on here */
#define CHECKPOINT ((int64_t)64 << 20) /* bytes between durable offsets */
#define SYNC_ALONE ((int64_t)1 << 20) /* larger: not with the group */
#define GROUP_MAX 128
#define GROUP_FULL 64 /* no waiting for more */
#define SYNCING_MAX 2 /* one is written while the other is synced */

struct chunk {
	struct chunk *next;
	size_t len, size;
	char data[];
};

enum upload_end { UPLOAD_OPEN, UPLOAD_FINISH, UPLOAD_BREAK, UPLOAD_ABORT };

struct store_upload {
	struct disk_task task; /* first */
	struct loop_item ready, failed, ended;
	struct store *store;

	/* Fixed at the start. */
	char hash[SHA256_HEX_SIZE];
	char part[BLOB_PART_MAX + 1]; /* "" unless it can be resumed */
	char account[STORE_ID_SIZE];
	bool resumable;
	int64_t size, from, expires;

	/* Event loop. */
	struct store_upload *next, **link; /* in store->uploads */
	const struct store_upload_handler *handler;
	void *arg;
	store_upload_done_fn *done;
	struct chunk *filling;
	int64_t given;	/* bytes, with `from` */
	bool silent;	/* no callback any more */

	/* Under lock. */
	pthread_mutex_t lock;
	struct chunk *first, **last;
	size_t queued;	/* bytes handed over and not yet written */
	bool paused;	/* the sender waits */
	bool told;	/* `ready` is posted */
	bool running;	/* the task is queued or runs */
	enum upload_end end;

	/* Disk task; the event loop once `ended` is posted. */
	struct blob_writer *writer;
	EVP_MD_CTX *digest;
	int64_t written, checkpoint;
	enum outcome outcome;
	struct reason why;
	struct store_blob blob;
	struct store_upload *next_hashed;
};

#define FROM_ITEM(item, member)                                                \
	((struct store_upload *)(void *)((char *)(item)-offsetof(              \
	    struct store_upload, member)))

/* ---- the row upload/<id> ---- */

void
store_upload_id(const char *account, const char *origin, const char *hash,
    char id_r[STORE_ID_SIZE])
{
	char *text = x_asprintf("%s/%s/%s", account, hash, origin);
	char hex[SHA256_HEX_SIZE];

	sha256_hex(text, strlen(text), hex);
	free(text);
	snprintf(id_r, STORE_ID_SIZE, "%.32s", hex);
}

int64_t
store_upload_have(struct store_view *view, const char *id,
    const char *account, const char *hash, int64_t size)
{
	struct store_key key;
	const char *text;
	int64_t offset = 0, whole;
	cJSON *row;

	if (store_get_json(view, store_key_upload(&key, id), &row) != 1)
		return 0;
	if ((text = json_string(row, "account")) == NULL ||
	    strcmp(text, account) != 0 ||
	    (text = json_string(row, "hash")) == NULL ||
	    strcmp(text, hash) != 0 ||
	    json_integer(row, "size", size, size, &whole) == -1 ||
	    json_integer(row, "offset", 0, size, &offset) == -1)
		offset = 0;
	cJSON_Delete(row);
	return offset;
}

enum outcome
store_upload_forget(struct store_txn *txn, const char *id)
{
	struct store_key key;

	return store_txn_delete(txn, store_key_upload(&key, id));
}

/* What a row is made of, on its way to the committer. */
struct upload_row {
	char id[BLOB_PART_MAX + 1];
	char account[STORE_ID_SIZE], hash[SHA256_HEX_SIZE];
	int64_t size, offset, expires;
	struct store_upload *upload; /* to end then, or NULL */
};

static enum outcome
row_put(struct store_txn *txn, void *arg)
{
	const struct upload_row *row = arg;
	struct store_key key;
	cJSON *value = cJSON_CreateObject();

	if (row->offset == 0) {
		cJSON_Delete(value);
		return store_upload_forget(txn, row->id);
	}
	if (json_add_string(value, "account", row->account) == -1 ||
	    json_add_string(value, "hash", row->hash) == -1 ||
	    json_add_integer(value, "size", row->size) == -1 ||
	    json_add_integer(value, "offset", row->offset) == -1 ||
	    json_add_integer(value, "expires", row->expires) == -1) {
		cJSON_Delete(value);
		value = NULL;
	}
	return store_txn_put_object(txn, store_key_upload(&key, row->id),
	    value);
}

static void
row_done(void *arg, enum outcome outcome, const struct reason *why)
{
	struct upload_row *row = arg;

	if (outcome != OUTCOME_OK)
		log_text(LOG_WARNING, "-", "upload", "%s: %s", row->id,
		    why->text);
	if (row->upload != NULL)
		row->upload->ended.run(&row->upload->ended);
	free(row);
}

/* Writes (offset > 0) or removes the row; then, with `last`, ends. */
static void
row_submit(struct store_upload *upload, int64_t offset, bool last)
{
	struct upload_row *row = x_calloc(1, sizeof(*row));

	snprintf(row->id, sizeof(row->id), "%s", upload->part);
	strcpy(row->account, upload->account);
	strcpy(row->hash, upload->hash);
	row->size = upload->size;
	/* A range of no bytes cannot be asked for, so one stays to come. */
	row->offset = offset < upload->size ? offset : upload->size - 1;
	if (row->offset < 0)
		row->offset = 0;
	row->expires = upload->expires;
	row->upload = last ? upload : NULL;
	store_submit(upload->store, row_put, row_done, row);
}

/* ---- back on the event loop ---- */

static void
upload_ready(struct loop_item *item)
{
	struct store_upload *upload = FROM_ITEM(item, ready);
	bool go_on;

	/* The sender may have written on, and be waiting again. */
	pthread_mutex_lock(&upload->lock);
	upload->told = false;
	upload->paused = upload->paused && upload->queued > QUEUE_LOW;
	go_on = !upload->paused;
	pthread_mutex_unlock(&upload->lock);
	if (go_on && !upload->silent && upload->done == NULL)
		upload->handler->ready(upload->arg);
}

static void
upload_failed(struct loop_item *item)
{
	struct store_upload *upload = FROM_ITEM(item, failed);
	struct reason why;

	if (upload->silent || upload->done != NULL ||
	    upload->handler->failed == NULL)
		return;
	/* The disk task does not touch `why` after a failure. */
	why = upload->why;
	upload->handler->failed(upload->arg, &why);
}

static void
upload_ended(struct loop_item *item)
{
	struct store_upload *upload = FROM_ITEM(item, ended);
	struct store *store = upload->store;

	*upload->link = upload->next;
	if (upload->next != NULL)
		upload->next->link = upload->link;
	if (upload->done != NULL && !upload->silent)
		upload->done(upload->arg, upload->outcome, &upload->why,
		    upload->outcome == OUTCOME_OK ? &upload->blob : NULL);
	EVP_MD_CTX_free(upload->digest);
	pthread_mutex_destroy(&upload->lock);
	free(upload);
	store_pending(store, -1);
}

/* ---- the disk task ---- */

static void
upload_fail(struct store_upload *upload, const struct reason *why)
{
	if (upload->outcome != OUTCOME_OK)
		return;
	upload->why = *why;
	upload->outcome = why->outcome;
	loop_queue_post(upload->store->loop, &upload->failed);
}

/* Takes the bytes of an earlier attempt into the digest again. */
static int
upload_rehash(struct store_upload *upload)
{
	const struct blob_ops *ops = upload->store->blobs->ops;
	char *data = x_malloc(CHUNK);
	int64_t at = 0;
	ssize_t n = 1;

	while (at < upload->from && n > 0) {
		n = ops->reread(upload->writer, data,
		    upload->from - at < (int64_t)CHUNK ?
			(size_t)(upload->from - at) :
			CHUNK,
		    at);
		if (n > 0)
			EVP_DigestUpdate(upload->digest, data, (size_t)n);
		at += n > 0 ? n : 0;
	}
	free(data);
	return at == upload->from ? 0 : -1;
}

static void
upload_open(struct store_upload *upload)
{
	const struct blob_ops *ops = upload->store->blobs->ops;
	struct reason why;

	upload->digest = EVP_MD_CTX_new();
	if (upload->digest == NULL ||
	    EVP_DigestInit_ex2(upload->digest, upload->store->sha256, NULL) !=
		1)
		log_panic("store_upload: no SHA-256");
	store_locator(upload->store, upload->hash, upload->blob.locator);
	if ((upload->resumable ?
		    ops->begin_part(upload->store->blobs, upload->part,
			upload->from, &upload->writer, &why) :
		    ops->begin(upload->store->blobs, upload->blob.locator,
			&upload->writer, &why)) != OUTCOME_OK) {
		upload_fail(upload, &why);
		return;
	}
	upload->written = upload->checkpoint = upload->from;
	if (upload->from > 0 && upload_rehash(upload) == -1) {
		reason_set(&why, OUTCOME_TEMPFAIL, "range",
		    "the kept part cannot be read");
		upload_fail(upload, &why);
	}
}

static void
upload_write(struct store_upload *upload, const struct chunk *chunk)
{
	const struct blob_ops *ops = upload->store->blobs->ops;
	struct reason why;

	if (upload->outcome != OUTCOME_OK)
		return;
	if (ops->write(upload->writer, chunk->data, chunk->len, &why) !=
	    OUTCOME_OK) {
		upload_fail(upload, &why);
		return;
	}
	EVP_DigestUpdate(upload->digest, chunk->data, chunk->len);
	upload->written += (int64_t)chunk->len;
	if (!upload->resumable ||
	    upload->written - upload->checkpoint < CHECKPOINT)
		return;
	upload->checkpoint = upload->written;
	if (ops->sync(upload->writer, &why) == OUTCOME_OK)
		row_submit(upload, upload->written, false);
	else
		upload_fail(upload, &why);
}

/* Removes the bytes, and the row if there may be one. */
static void
upload_remove(struct store_upload *upload)
{
	const struct blob_ops *ops = upload->store->blobs->ops;

	if (upload->writer != NULL)
		ops->abort(upload->writer);
	else if (upload->resumable)
		ops->delete_part(upload->store->blobs, upload->part, NULL);
	upload->writer = NULL;
	if (upload->resumable)
		row_submit(upload, 0, true);
	else
		loop_queue_post(upload->store->loop, &upload->ended);
}

static void
upload_keep(struct store_upload *upload)
{
	const struct blob_ops *ops = upload->store->blobs->ops;
	struct reason why;

	if (!upload->resumable || upload->outcome != OUTCOME_OK ||
	    upload->writer == NULL || upload->written == 0 ||
	    ops->sync(upload->writer, &why) != OUTCOME_OK) {
		upload_remove(upload);
		return;
	}
	ops->keep(upload->writer);
	upload->writer = NULL;
	row_submit(upload, upload->written, true);
}

/* Compares; true if the file may be committed. */
static bool
upload_verify(struct store_upload *upload)
{
	uint8_t hash[EVP_MAX_MD_SIZE];
	char hex[SHA256_HEX_SIZE];
	struct reason why;

	if (upload->outcome != OUTCOME_OK)
		return false;
	if (upload->written != upload->size) {
		reason_set(&why, OUTCOME_PERMFAIL, "wrong-size",
		    "%lld bytes came, not %lld", (long long)upload->written,
		    (long long)upload->size);
		upload_fail(upload, &why);
		return false;
	}
	EVP_DigestFinal_ex(upload->digest, hash, NULL);
	hex_format(hash, SHA256_LEN, hex);
	if (strcmp(hex, upload->hash) == 0)
		return true;
	/* With bytes from before a break it may be ours: begin again. */
	if (upload->from > 0)
		reason_set(&why, OUTCOME_TEMPFAIL, "range",
		    "resumed, and the hash is %s", hex);
	else
		reason_set(&why, OUTCOME_PERMFAIL, "wrong-hash",
		    "the hash is %s", hex);
	upload_fail(upload, &why);
	return false;
}

static void
upload_committed(struct store_upload *upload,
    const struct blob_commit *commit)
{
	upload->writer = NULL;
	if (commit->outcome != OUTCOME_OK) {
		upload_fail(upload, &commit->why);
		upload_remove(upload);
		return;
	}
	strcpy(upload->blob.hash, upload->hash);
	upload->blob.size = upload->size;
	pthread_mutex_lock(&upload->store->lock);
	upload->store->figures.blobs++;
	upload->store->figures.blob_bytes += upload->size;
	pthread_mutex_unlock(&upload->store->lock);
	loop_queue_post(upload->store->loop, &upload->ended);
}

static void
commit_group(struct store *store, struct store_upload *uploads)
{
	struct blob_commit commits[GROUP_MAX];
	struct store_upload *upload;
	size_t count = 0, i;

	for (upload = uploads; upload != NULL; upload = upload->next_hashed) {
		commits[count].writer = upload->writer;
		commits[count].locator = upload->blob.locator;
		count++;
	}
	store->blobs->ops->commit(store->blobs, commits, count);
	for (i = 0; i < count; i++) {
		upload = uploads;
		uploads = upload->next_hashed;
		upload_committed(upload, &commits[i]);
	}
}

/* Takes what has gathered, or nothing while more is about to come: those
 * will come by here themselves. */
static struct store_upload *
hashed_take(struct store *store)
{
	struct store_upload *first = store->hashed, **last = &first;
	int count;

	for (count = 0; *last != NULL && count < GROUP_MAX; count++)
		last = &(*last)->next_hashed;
	if (count == 0 || (count < GROUP_FULL && store->finishing > 0))
		return NULL;
	store->hashed = *last;
	*last = NULL;
	if (store->hashed == NULL)
		store->hashed_last = &store->hashed;
	return first;
}

static bool
upload_is_small(const struct store_upload *upload)
{
	return upload->size < SYNC_ALONE;
}

/* The end of one: hashed and to be committed, or not (`good` false). Then
 * commits what may be, unless enough threads are at it. */
static void
upload_commit(struct store_upload *upload, bool good)
{
	struct store *store = upload->store;
	struct store_upload *group;

	pthread_mutex_lock(&store->lock);
	store->finishing -= upload_is_small(upload);
	if (good) {
		upload->next_hashed = NULL;
		*store->hashed_last = upload;
		store->hashed_last = &upload->next_hashed;
	}
	if (store->syncing >= SYNCING_MAX) {
		pthread_mutex_unlock(&store->lock);
		return;
	}
	store->syncing++;
	while ((group = hashed_take(store)) != NULL) {
		pthread_mutex_unlock(&store->lock);
		commit_group(store, group);
		pthread_mutex_lock(&store->lock);
	}
	store->syncing--;
	pthread_mutex_unlock(&store->lock);
}

/* True if what was finished is durable but for the group's sync. */
static bool
upload_prepare(struct store_upload *upload)
{
	const struct blob_ops *ops = upload->store->blobs->ops;
	struct reason why;

	if (!upload_verify(upload))
		return false;
	/* The group's sync should not wait for much. */
	if (upload_is_small(upload) ||
	    ops->sync(upload->writer, &why) == OUTCOME_OK)
		return true;
	upload_fail(upload, &why);
	return false;
}

static void
upload_end(struct store_upload *upload, enum upload_end end)
{
	bool good;

	if (end == UPLOAD_BREAK) {
		upload_keep(upload);
	} else if (end == UPLOAD_ABORT) {
		upload_remove(upload);
	} else {
		good = upload_prepare(upload);
		upload_commit(upload, good);
		if (!good)
			upload_remove(upload);
	}
}

/* The next chunk, or NULL when there is none; then the task has ended, and
 * must not touch the upload any more unless *end_r says what to do. */
static struct chunk *
upload_next(struct store_upload *upload, size_t done, enum upload_end *end_r)
{
	struct chunk *chunk;

	pthread_mutex_lock(&upload->lock);
	upload->queued -= done;
	if (upload->paused && upload->queued <= QUEUE_LOW && !upload->told) {
		upload->paused = false;
		upload->told = true;
		loop_queue_post(upload->store->loop, &upload->ready);
	}
	chunk = upload->first;
	if (chunk != NULL) {
		upload->first = chunk->next;
		if (upload->first == NULL)
			upload->last = &upload->first;
	} else {
		*end_r = upload->end;
		upload->running = upload->end != UPLOAD_OPEN;
	}
	pthread_mutex_unlock(&upload->lock);
	return chunk;
}

static void
upload_run(struct disk_task *task)
{
	struct store_upload *upload = (struct store_upload *)task;
	enum upload_end end = UPLOAD_OPEN;
	struct chunk *chunk;
	size_t done = 0;

	if (upload->digest == NULL)
		upload_open(upload);
	while ((chunk = upload_next(upload, done, &end)) != NULL) {
		upload_write(upload, chunk);
		done = chunk->len;
		free(chunk);
	}
	if (end != UPLOAD_OPEN)
		upload_end(upload, end);
}

/* ---- the event loop's side ---- */

/* Hands over the chunk being filled and, unless open, the end. Returns
 * false if the sender should wait. */
static bool
upload_hand_over(struct store_upload *upload, enum upload_end end)
{
	struct chunk *chunk = upload->filling;
	bool go_on, start;

	upload->filling = NULL;
	pthread_mutex_lock(&upload->lock);
	if (chunk != NULL) {
		*upload->last = chunk;
		upload->last = &chunk->next;
		upload->queued += chunk->len;
	}
	upload->end = end;
	start = !upload->running;
	upload->running = true;
	go_on = upload->queued < QUEUE_HIGH;
	if (!go_on && end == UPLOAD_OPEN)
		upload->paused = true;
	go_on = !upload->paused;
	pthread_mutex_unlock(&upload->lock);
	if (start)
		disk_workers_add(upload->store->disks, &upload->task);
	return go_on;
}

static enum outcome
request_check(struct store *store, const struct store_upload_request *request,
    struct reason *why)
{
	if (!hex_is_sha256(request->hash) || request->size < 0 ||
	    request->size > JSON_MAX_INTEGER || request->from < 0 ||
	    request->from > request->size ||
	    (request->id == NULL && request->from != 0) ||
	    (request->id != NULL &&
		(!store_id_valid(request->id) ||
		    !store_id_valid(request->account))))
		return reason_set(why, OUTCOME_PERMFAIL, "malformed",
		    "bad hash, size or id of an upload");
	if (request->id != NULL && store_upload_active(store, request->id))
		return reason_set(why, OUTCOME_TEMPFAIL, "busy",
		    "upload %s is under way", request->id);
	if (!store_space_ok(store, request->size - request->from))
		return reason_set(why, OUTCOME_TEMPFAIL, "no-space",
		    "%lld bytes would leave too little on the disk",
		    (long long)(request->size - request->from));
	return OUTCOME_OK;
}

static struct store_upload *
upload_new(struct store *store, const struct store_upload_request *request)
{
	struct store_upload *upload = x_calloc(1, sizeof(*upload));

	upload->task.run = upload_run;
	upload->ready.run = upload_ready;
	upload->failed.run = upload_failed;
	upload->ended.run = upload_ended;
	upload->store = store;
	strcpy(upload->hash, request->hash);
	upload->size = request->size;
	upload->from = upload->given = request->from;
	upload->resumable = request->id != NULL;
	if (upload->resumable) {
		strcpy(upload->part, request->id);
		strcpy(upload->account, request->account);
		upload->expires = request->expires;
	}
	pthread_mutex_init(&upload->lock, NULL);
	upload->last = &upload->first;
	upload->next = store->uploads;
	upload->link = &store->uploads;
	if (upload->next != NULL)
		upload->next->link = &upload->next;
	store->uploads = upload;
	store_pending(store, 1);
	return upload;
}

struct store_upload *
store_upload_begin(struct store *store,
    const struct store_upload_request *request,
    const struct store_upload_handler *handler, void *arg,
    struct reason *why)
{
	struct store_upload *upload;

	if (request_check(store, request, why) != OUTCOME_OK)
		return NULL;
	upload = upload_new(store, request);
	upload->handler = handler;
	upload->arg = arg;
	return upload;
}

void
store_upload_expire(struct store *store, const char *id)
{
	const struct store_upload_request request = {
		.hash = "", .id = id, .account = ""
	};
	struct store_upload *upload = upload_new(store, &request);

	store_upload_abort(&upload);
}

/* A chunk is as large as what is still to come, within CHUNK. */
static struct chunk *
chunk_new(int64_t left)
{
	size_t size = left > (int64_t)CHUNK ? CHUNK :
	    left > 0			    ? (size_t)left :
					      1;
	struct chunk *chunk = x_malloc(sizeof(*chunk) + size);

	chunk->next = NULL;
	chunk->len = 0;
	chunk->size = size;
	return chunk;
}

bool
store_upload_write(struct store_upload *upload, const void *data, size_t len)
{
	const char *at = data;
	bool go_on = true;
	size_t n;

	/* One byte too many is enough to fail; the rest is not stored. */
	if ((int64_t)len > upload->size + 1 - upload->given)
		len = (size_t)(upload->size + 1 - upload->given);
	while (len > 0) {
		if (upload->filling != NULL &&
		    upload->filling->len == upload->filling->size)
			upload_hand_over(upload, UPLOAD_OPEN);
		if (upload->filling == NULL)
			upload->filling =
			    chunk_new(upload->size - upload->given);
		n = upload->filling->size - upload->filling->len;
		n = n < len ? n : len;
		memcpy(upload->filling->data + upload->filling->len, at, n);
		upload->filling->len += n;
		upload->given += (int64_t)n;
		at += n;
		len -= n;
		/* The last one goes with the end. */
		if (upload->filling->len == upload->filling->size &&
		    upload->given != upload->size)
			go_on = upload_hand_over(upload, UPLOAD_OPEN);
	}
	return go_on;
}

void
store_upload_finish(struct store_upload **upload_p,
    store_upload_done_fn *done)
{
	struct store_upload *upload = *upload_p;

	*upload_p = NULL;
	upload->done = done;
	pthread_mutex_lock(&upload->store->lock);
	upload->store->finishing += upload_is_small(upload);
	pthread_mutex_unlock(&upload->store->lock);
	upload_hand_over(upload, UPLOAD_FINISH);
}

void
store_upload_break(struct store_upload **upload_p)
{
	struct store_upload *upload = *upload_p;

	if (upload == NULL)
		return;
	*upload_p = NULL;
	upload->silent = true;
	upload_hand_over(upload, UPLOAD_BREAK);
}

void
store_upload_abort(struct store_upload **upload_p)
{
	struct store_upload *upload = *upload_p;

	if (upload == NULL)
		return;
	*upload_p = NULL;
	upload->silent = true;
	upload_hand_over(upload, UPLOAD_ABORT);
}

bool
store_upload_active(struct store *store, const char *id)
{
	struct store_upload *upload;

	for (upload = store->uploads; upload != NULL; upload = upload->next) {
		if (strcmp(upload->part, id) == 0)
			return true;
	}
	return false;
}

void
store_upload_end_all(struct store *store)
{
	struct store_upload *upload, *next, *copy;

	for (upload = store->uploads; upload != NULL; upload = next) {
		next = upload->next;
		copy = upload;
		if (upload->done == NULL && !upload->silent)
			store_upload_break(&copy);
	}
}
