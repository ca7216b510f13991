/* SPDX-License-Identifier: ISC
 *
 * Opening and closing the store, and reading from it. On the disk:
 *
 *   lock        held while a process has the store open
 *   metadata/   metadata_lmdb.c
 *   blobs/      blob_directory.c
 *
 * What is read was written by us, perhaps by another version, perhaps
 * before a disk failed: values are checked, logged and left alone.
 */
#include "store_private.h"

#include <sys/file.h>
#include <sys/fsuid.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "json_strict.h"
#include "log.h"
#include "memory.h"

#define MAP_SIZE ((int64_t)1 << 40)
#define DISK_THREADS 8

/* ---- opening ---- */

/* A place that is not ours to write does not become so by waiting. */
static enum outcome
open_outcome(int error)
{
	return error == EACCES || error == ENOENT || error == ENOTDIR ||
		error == ELOOP || error == EROFS ?
	    OUTCOME_PERMFAIL :
	    OUTCOME_TEMPFAIL;
}

static enum outcome
open_lock(struct store *store, const char *path, struct reason *why)
{
	char *name = x_asprintf("%s/lock", path);
	enum outcome outcome = OUTCOME_OK;

	store->lock_fd =
	    open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (store->lock_fd == -1)
		outcome = reason_set(why, open_outcome(errno), "unavailable",
		    "%s: %s", name, strerror(errno));
	else if (flock(store->lock_fd, LOCK_EX | LOCK_NB) == -1)
		outcome = reason_set(why, OUTCOME_TEMPFAIL, "unavailable",
		    "%s: another process has this store open", path);
	free(name);
	return outcome;
}

static enum metadata_step
version_other(void *arg, const char *key, const struct metadata_value *value)
{
	(void)key;
	(void)value;
	*(bool *)arg = true;
	return METADATA_STOP;
}

/* The row store/version in a writing transaction: made in an empty store,
 * else it must be ours. */
static enum outcome
version_check(struct store *store, struct metadata_txn *txn, struct reason *why)
{
	const struct metadata_ops *ops = store->metadata->ops;
	struct metadata_value value;
	struct store_key key;
	char text[32];
	bool other = false;
	cJSON *row;
	int64_t layout;
	enum outcome outcome;

	outcome = ops->get(txn, store_key_version(&key), &value, why);
	if (outcome != OUTCOME_OK)
		return outcome;
	if (value.data != NULL) {
		row = json_parse(value.data, value.len, NULL);
		if (json_integer(row, "layout", 0, JSON_MAX_INTEGER, &layout) ==
		    -1)
			layout = -1;
		cJSON_Delete(row);
		if (layout == STORE_LAYOUT)
			return OUTCOME_OK;
		return reason_set(why, OUTCOME_PERMFAIL, "unavailable",
		    "the store has layout %lld, this program knows %d; use "
		    "the version of mailboxd that wrote it",
		    (long long)layout, STORE_LAYOUT);
	}
	outcome = ops->scan(txn, "", NULL, version_other, &other, why);
	if (outcome != OUTCOME_OK)
		return outcome;
	if (other)
		return reason_set(why, OUTCOME_PERMFAIL, "unavailable",
		    "the store has rows but no store/version: not ours, or "
		    "damaged; restore it from a backup");
	value.data = text;
	value.len = (size_t)snprintf(text, sizeof(text), "{\"layout\":%d}",
	    STORE_LAYOUT);
	return ops->put(txn, key.text, &value, why);
}

static enum outcome
open_version(struct store *store, struct reason *why)
{
	struct metadata_txn *txn;
	enum outcome outcome;

	outcome = store->metadata->ops->begin(store->metadata, true, &txn, why);
	if (outcome != OUTCOME_OK)
		return outcome;
	outcome = version_check(store, txn, why);
	if (outcome == OUTCOME_OK)
		return store->metadata->ops->commit(txn, why);
	store->metadata->ops->abort(txn);
	return outcome;
}

static enum outcome
open_parts(struct store *store, const char *path, struct reason *why)
{
	char *metadata = x_asprintf("%s/metadata", path);
	char *blobs = x_asprintf("%s/blobs", path);
	enum outcome outcome;

	outcome = open_lock(store, path, why);
	if (outcome != OUTCOME_OK)
		goto out;
	outcome = OUTCOME_TEMPFAIL;
	store->metadata =
	    metadata_lmdb_open(metadata, store->options.map_size, why);
	if (store->metadata == NULL)
		goto out;
	store->blobs = blob_directory_open(blobs, store->options.fault,
	    store->options.fault_arg, why);
	if (store->blobs == NULL)
		goto out;
	outcome = open_version(store, why);
out:
	free(metadata);
	free(blobs);
	return outcome;
}

/* What root makes here must belong to who serves later: for file access,
 * be the owner of the directory meanwhile. */
static enum outcome
open_as_owner(struct store *store, const char *path, struct reason *why)
{
	enum outcome outcome;
	struct stat st;
	bool change;

	if (stat(path, &st) == -1 || !S_ISDIR(st.st_mode))
		return reason_set(why, OUTCOME_PERMFAIL, "unavailable",
		    "%s: no such directory", path);
	change = geteuid() == 0 && st.st_uid != 0;
	if (change) {
		setfsgid(st.st_gid);
		setfsuid(st.st_uid);
	}
	outcome = open_parts(store, path, why);
	if (change) {
		setfsuid(0);
		setfsgid(getegid());
	}
	return outcome;
}

struct store *
store_open(const char *path, const struct store_options *options,
    struct reason *why)
{
	struct store *store = x_calloc(1, sizeof(*store));
	uint8_t random[STORE_SESSION_LEN / 2];

	if (options != NULL)
		store->options = *options;
	if (store->options.map_size == 0)
		store->options.map_size = MAP_SIZE;
	if (store->options.disk_threads == 0)
		store->options.disk_threads = DISK_THREADS;
	store->lock_fd = -1;
	store->jobs_last = &store->jobs;
	store->hashed_last = &store->hashed;
	pthread_mutex_init(&store->lock, NULL);
	pthread_cond_init(&store->submitted, NULL);
	pthread_cond_init(&store->ended, NULL);
	randombytes_buf(random, sizeof(random));
	hex_format(random, sizeof(random), store->session);
	store->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (store->sha256 == NULL)
		reason_set(why, OUTCOME_TEMPFAIL, "unavailable",
		    "OpenSSL has no SHA-256");
	else if (open_as_owner(store, path, why) == OUTCOME_OK)
		return store;
	store_close(&store);
	return NULL;
}

static void
start_sweep(void *arg)
{
	store_sweep_orphans(arg);
}

int
store_start(struct store *store, struct event_base *base)
{
	store->loop = loop_queue_new(base);
	if (store->loop == NULL)
		return -1;
	store->disks = disk_workers_new(store->options.disk_threads);
	if (store->disks == NULL)
		return -1;
	if (store_committer_start(store) == -1)
		return -1;
	store_sweep_parts(store);
	store_background(store, start_sweep, NULL, store);
	return 0;
}

void
store_close(struct store **store_p)
{
	struct store *store = *store_p;

	if (store == NULL)
		return;
	atomic_store(&store->closing, true);
	if (store->disks != NULL) {
		store_upload_end_all(store);
		loop_queue_drain(store->loop, &store->lock, &store->pending);
	}
	disk_workers_free(&store->disks);
	store_committer_stop(store);
	loop_queue_free(&store->loop);
	if (store->blobs != NULL)
		store->blobs->ops->close(store->blobs);
	if (store->metadata != NULL)
		store->metadata->ops->close(store->metadata);
	if (store->lock_fd != -1)
		close(store->lock_fd);
	EVP_MD_free(store->sha256);
	pthread_cond_destroy(&store->ended);
	pthread_cond_destroy(&store->submitted);
	pthread_mutex_destroy(&store->lock);
	x_free(store_p);
}

/* ---- names and small things ---- */

void
store_locator(struct store *store, const char *hash,
    char locator_r[STORE_LOCATOR_SIZE])
{
	snprintf(locator_r, STORE_LOCATOR_SIZE, "%.2s/%s.%s%08x", hash, hash,
	    store->session, atomic_fetch_add(&store->serial, 1));
}

bool
store_locator_ours(const struct store *store, const char *locator)
{
	const char *dot = strchr(locator, '.');

	return dot != NULL &&
	    strncmp(dot + 1, store->session, STORE_SESSION_LEN) == 0;
}

void
store_fault(struct store *store, const char *point)
{
	if (store->options.fault != NULL)
		store->options.fault(store->options.fault_arg, point);
}

void
store_pending(struct store *store, int change)
{
	pthread_mutex_lock(&store->lock);
	store->pending += change;
	pthread_mutex_unlock(&store->lock);
}

bool
store_space_ok(struct store *store, int64_t bytes)
{
	int64_t space = store->blobs->ops->space(store->blobs);

	return space == -1 ||
	    (bytes >= 0 && space >= store->options.free_floor &&
		space - store->options.free_floor >= bytes);
}

void
store_figures(struct store *store, struct store_figures *figures_r)
{
	pthread_mutex_lock(&store->lock);
	*figures_r = store->figures;
	pthread_mutex_unlock(&store->lock);
	figures_r->space = store->blobs->ops->space(store->blobs);
}

struct background {
	struct disk_task task; /* first */
	struct loop_item item;
	struct store *store;
	void (*run)(void *arg);
	void (*done)(void *arg);
	void *arg;
};

static void
background_done(struct loop_item *item)
{
	struct background *background =
	    (struct background *)(void *)((char *)item -
		offsetof(struct background, item));

	if (background->done != NULL)
		background->done(background->arg);
	store_pending(background->store, -1);
	free(background);
}

static void
background_run(struct disk_task *task)
{
	struct background *background = (struct background *)task;

	background->run(background->arg);
	loop_queue_post(background->store->loop, &background->item);
}

void
store_background(struct store *store, void (*run)(void *arg),
    void (*done)(void *arg), void *arg)
{
	struct background *background = x_calloc(1, sizeof(*background));

	background->task.run = background_run;
	background->item.run = background_done;
	background->store = store;
	background->run = run;
	background->done = done;
	background->arg = arg;
	store_pending(store, 1);
	disk_workers_add(store->disks, &background->task);
}
