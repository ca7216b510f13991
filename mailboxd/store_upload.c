/* SPDX-License-Identifier: ISC
 *
 * Bytes on their way in, the event loop's side: see store_upload.h. It fills
 * chunks and hands them to the disk task (store_upload_disk.c); what that
 * has to say comes back by the loop's queue.
 */
#include <stdlib.h>
#include <string.h>

#include "json_strict.h"
#include "memory.h"
#include "store_upload_private.h"

#define QUEUE_HIGH (4 * UPLOAD_CHUNK) /* pause the sender here */

#define FROM_ITEM(item, member) \
	((struct store_upload *)(void *)(( \
	    char *)(item)-offsetof(struct store_upload, member)))

/* ---- back on the event loop ---- */

static void
upload_ready(struct loop_item *item)
{
	struct store_upload *upload = FROM_ITEM(item, ready);
	bool go_on;

	/* The sender may have written on, and be waiting again. */
	pthread_mutex_lock(&upload->lock);
	upload->told = false;
	upload->paused = upload->paused && upload->queued > UPLOAD_QUEUE_LOW;
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

/* ---- the event loop's side ---- */

/* Hands over the chunk being filled and, unless open, the end. Returns
 * false if the sender should wait. */
static bool
upload_hand_over(struct store_upload *upload, enum upload_end end)
{
	struct upload_chunk *chunk = upload->filling;
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

	upload->task.run = store_upload_run;
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
    const struct store_upload_handler *handler, void *arg, struct reason *why)
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
	const struct store_upload_request request = { .hash = "",
		.id = id,
		.account = "" };
	struct store_upload *upload = upload_new(store, &request);

	store_upload_abort(&upload);
}

/* A chunk is as large as what is still to come, within UPLOAD_CHUNK. */
static struct upload_chunk *
chunk_new(int64_t left)
{
	size_t size = left > (int64_t)UPLOAD_CHUNK ? UPLOAD_CHUNK :
	    left > 0				   ? (size_t)left :
						     1;
	struct upload_chunk *chunk = x_malloc(sizeof(*chunk) + size);

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
store_upload_finish(struct store_upload **upload_p, store_upload_done_fn *done)
{
	struct store_upload *upload = *upload_p;

	*upload_p = NULL;
	upload->done = done;
	pthread_mutex_lock(&upload->store->lock);
	upload->store->finishing += store_upload_is_small(upload);
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
