/* SPDX-License-Identifier: ISC
 *
 * What the store's own files (store*.c, garbage.c) share. Nobody else
 * includes this, metadata.h or blob.h.
 */
#ifndef STORE_PRIVATE_H
#define STORE_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>

#include <openssl/evp.h>

#include "blob.h"
#include "disk_worker.h"
#include "loop_queue.h"
#include "metadata.h"
#include "store.h"

#define STORE_SESSION_LEN 16

/* A closure on its way. */
struct store_job {
	struct loop_item item;
	struct store_job *next;
	struct store *store;
	store_work_fn *work;
	store_done_fn *done;
	void *arg;
	enum outcome outcome;
	struct reason why;
	bool alone; /* not with others in one transaction any more */
	bool waited; /* store_run waits for it */
	bool ended; /* under the store's lock */
};

struct store {
	struct metadata *metadata;
	struct blob_store *blobs;
	struct store_options options;
	int lock_fd;
	EVP_MD *sha256;
	/* Names of this run's files begin with it, so that the sweep of
	 * orphans never touches one that is about to be committed. */
	char session[STORE_SESSION_LEN + 1];
	atomic_uint serial;
	atomic_bool closing; /* sweeps stop where they are */

	/* From store_start on. */
	struct loop_queue *loop;
	struct disk_workers *disks;
	pthread_t committer;
	bool committing;

	pthread_mutex_t lock; /* for what follows */
	pthread_cond_t submitted, ended;
	struct store_job *jobs, **jobs_last;
	bool ending;
	int pending; /* jobs, tasks and uploads not yet back on the loop */
	struct store_figures figures;
	struct store_upload *hashed, **hashed_last; /* ready to commit */
	int finishing; /* small ones that will be there soon */
	int syncing; /* disk threads that commit them */

	/* Event loop only. */
	struct store_upload *uploads;
	bool sweeping;
};

struct store_view {
	struct store *store;
	struct metadata_txn *txn;
	struct store_txn *writer; /* NULL: a reader's */
};

struct store_txn {
	struct store_view view;
	int writes; /* keys written by the closure under way */
	struct reason why; /* its refusal */
	struct reason failure; /* outcome OK: none; sticks */
};

/* A new locator for a hash. */
void store_locator(struct store *store, const char *hash,
    char locator_r[STORE_LOCATOR_SIZE]);

/* True if a locator was made by this run of the store. */
bool store_locator_ours(const struct store *store, const char *locator);

/* The crash tests' hook; ends there, or goes on. */
void store_fault(struct store *store, const char *point);

/* Something was sent to another thread, or came back from it. */
void store_pending(struct store *store, int change);

/* store_commit.c */
int store_committer_start(struct store *store);
void store_committer_stop(struct store *store);

/* store_upload.c: ends what its callers left. */
void store_upload_end_all(struct store *store);

/* Removes the bytes and the row of an upload that is not under way. */
void store_upload_expire(struct store *store, const char *id);

/* store_sweep.c: removes what a crash left, of earlier runs only: parts
 * without upload row (before there are uploads), and blobs that no row
 * names. They block. How many went, or -1. */
int64_t store_sweep_parts(struct store *store);
int64_t store_sweep_orphans(struct store *store);

/* True while an upload of this id is under way; event loop only. */
bool store_upload_active(struct store *store, const char *id);

#endif
