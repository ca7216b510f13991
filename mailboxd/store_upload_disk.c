/* SPDX-License-Identifier: ISC
 *
 * The disk's side of an upload: see store_upload.h. One task takes the
 * chunks in order, on whichever thread is free, so nothing in it runs twice
 * at a time. Hashed uploads gather in a list, and a thread that comes round
 * commits all that are there at once.
 */
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "memory.h"
#include "store_upload_private.h"

#define CHECKPOINT ((int64_t)64 << 20) /* bytes between durable offsets */
#define SYNC_ALONE ((int64_t)1 << 20) /* larger: not with the group */
#define GROUP_MAX 128
#define GROUP_FULL 64 /* no waiting for more */
#define SYNCING_MAX 2 /* one is written while the other is synced */

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
	char *data = x_malloc(UPLOAD_CHUNK);
	int64_t at = 0;
	ssize_t n = 1;

	while (at < upload->from && n > 0) {
		n = ops->reread(upload->writer, data,
		    upload->from - at < (int64_t)UPLOAD_CHUNK ?
			(size_t)(upload->from - at) :
			UPLOAD_CHUNK,
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
upload_write(struct store_upload *upload, const struct upload_chunk *chunk)
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
		store_upload_row_submit(upload, upload->written, false);
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
		store_upload_row_submit(upload, 0, true);
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
	store_upload_row_submit(upload, upload->written, true);
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
upload_committed(struct store_upload *upload, const struct blob_commit *commit)
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

bool
store_upload_is_small(const struct store_upload *upload)
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
	store->finishing -= store_upload_is_small(upload);
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
	if (store_upload_is_small(upload) ||
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
static struct upload_chunk *
upload_next(struct store_upload *upload, size_t done, enum upload_end *end_r)
{
	struct upload_chunk *chunk;

	pthread_mutex_lock(&upload->lock);
	upload->queued -= done;
	if (upload->paused && upload->queued <= UPLOAD_QUEUE_LOW &&
	    !upload->told) {
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

void
store_upload_run(struct disk_task *task)
{
	struct store_upload *upload = (struct store_upload *)task;
	enum upload_end end = UPLOAD_OPEN;
	struct upload_chunk *chunk;
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
