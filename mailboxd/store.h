/* SPDX-License-Identifier: ISC
 *
 * The durable state of mailboxd: metadata (ordered rows, JSON values) and
 * blobs (files), behind one interface. Everything that is stored passes
 * here. It reads what it wrote itself, and takes nothing of that on trust:
 * a torn or unknown row is logged and left alone.
 *
 * Threads: the event loop calls everything but the work functions; one
 * committer runs these; a few disk threads write, hash, sync and rename.
 * Callbacks named `done` or `ready` run on the event loop, never from
 * within the call that asked for them.
 *
 * The commit rule: blob durable -> one transaction that makes resource,
 * pull and record true together -> acknowledgement. So: store_upload_finish,
 * in its callback store_submit, in that callback the reply.
 *
 * Time is passed in, except where the disk is concerned.
 */
#ifndef STORE_H
#define STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <event2/event.h>

#include <cjson/cJSON.h>

#include "buffer.h"
#include "outcome.h"
#include "store_keys.h"

#define STORE_LAYOUT 1 /* store/version */
#define STORE_VALUE_MAX 65536 /* bytes of a value */
#define STORE_CLOSURE_KEYS 100 /* keys that one work function may write */

struct store;
struct store_view;
struct store_txn;

struct store_options {
	int64_t map_size; /* of the metadata, address space; 0: 1 TiB */
	int64_t free_floor; /* bytes that stay free on the disk */
	int disk_threads; /* 0: 8 */
	/* Told the duration of each commit, on the committer's thread; may
	 * be NULL. */
	void (*observe)(void *arg, int64_t milliseconds);
	void *observe_arg;
	/* Crash tests only: see blob.h; NULL in the daemon. */
	int (*fault)(void *arg, const char *point);
	void *fault_arg;
};

/*
 * Opens the store in the directory `path` (which must exist; what is inside
 * is made when missing). NULL with `why`: one clear line for a person, also
 * for an unknown store/version. Works before and after a chroot; opened as
 * root, what it makes belongs to the owner of `path`. No thread is started.
 */
struct store *store_open(const char *path, const struct store_options *options,
    struct reason *why);

/* Starts the threads and delivers callbacks on `base`. Call it after
 * privileges are dropped (threads would keep them). Removes in the
 * background what a crash left behind. 0, or -1 with errno. */
int store_start(struct store *store, struct event_base *base);

/* Finishes what was submitted, delivers the callbacks, joins the threads,
 * frees all. Uploads must have ended. NULL is fine. */
void store_close(struct store **store);

/* ---- reading ---- */

/* A snapshot for the calling thread. Keep it for one callback only: old
 * pages cannot be used again while it lives. Several at a time are fine.
 * NULL on trouble (logged): answer temporary. */
struct store_view *store_read_begin(struct store *store);
void store_read_end(struct store_view **view);

/* 1 and the bytes (added to *value_r), 0 there is no such row, -1 trouble
 * (logged): answer temporary. `value_r` may be NULL to ask only whether it
 * is there. An overlong key ("" by store_keys.h) is never there. */
int store_get(struct store_view *view, const char *key, struct buffer *value_r);

/* The same for a JSON object; the caller frees it. A torn value is -1: it is
 * logged, and stays. */
int store_get_json(struct store_view *view, const char *key, cJSON **value_r);

/* What a scan does after a row. */
enum store_step {
	STORE_NEXT,
	STORE_SKIP, /* pass over the rows below this one (key + '/') */
	STORE_STOP,
};

/* `key` and `data` live during the call only. It must not write; collect
 * the keys and write after the scan. */
typedef enum store_step
store_row_fn(void *arg, const char *key, const void *data, size_t len);

/* Rows whose key begins with `prefix`, in byte order, from the first key
 * not below `from` (NULL: all). 0, or -1 on trouble (logged). */
int store_scan(struct store_view *view, const char *prefix, const char *from,
    store_row_fn *row, void *arg);

/* The value handed to a store_row_fn as an object (caller frees), or NULL
 * for a torn one, which is logged. */
cJSON *store_row_json(const char *key, const void *data, size_t len);

/* ---- writing ---- */

/*
 * Runs in the committer thread within a transaction, together with others
 * (one after the other, never at the same time). It sees what those before
 * it wrote. It returns OK, or refuses with reason_set(store_txn_reason(txn),
 * ...): then nothing that it wrote counts. It may be run several times
 * before it counts, so it sets its results in `arg` anew each time, does no
 * I/O and takes no long time. At most STORE_CLOSURE_KEYS keys.
 */
typedef enum outcome store_work_fn(struct store_txn *txn, void *arg);

/* Runs on the event loop once it is durable (or refused, or failed). `why`
 * lives during the call. */
typedef void
store_done_fn(void *arg, enum outcome outcome, const struct reason *why);

/* `done` may be NULL. `arg` must live until `done`. */
void store_submit(struct store *store, store_work_fn *work, store_done_fn *done,
    void *arg);

/* The same, waiting for the end. For tools, tests and start-up: from any
 * thread but the committer, also before store_start. */
enum outcome store_run(struct store *store, store_work_fn *work, void *arg,
    struct reason *why);

/* What the transaction sees, its own writes included: for store_get and
 * store_scan. Valid during the work function. */
struct store_view *store_txn_view(struct store_txn *txn);

/* Where a refusal goes. */
struct reason *store_txn_reason(struct store_txn *txn);

/* OK or TEMPFAIL. A failure sticks: whatever the work function returns, it
 * ends in that failure, so it need not look at each. */
enum outcome store_txn_put(struct store_txn *txn, const char *key,
    const void *data, size_t len);
/* `value` stays the caller's; NULL (no memory) is a failure. */
enum outcome
store_txn_put_json(struct store_txn *txn, const char *key, const cJSON *value);
/* The same, taking `value` over. */
enum outcome
store_txn_put_object(struct store_txn *txn, const char *key, cJSON *value);
/* A row that is not there is no error. */
enum outcome store_txn_delete(struct store_txn *txn, const char *key);

/* ---- blobs (uploads: store_upload.h) ---- */

/* The blob of a hash: 1, 0 none, -1 trouble. */
struct store_blob {
	char hash[SHA256_HEX_SIZE];
	char locator[STORE_LOCATOR_SIZE];
	int64_t size;
};
int store_blob_get(struct store_view *view, const char *hash,
    struct store_blob *blob_r);

/* 1 if this account is a holder, 0, -1 trouble. */
int
store_blob_held(struct store_view *view, const char *hash, const char *account);

/*
 * In a work function, after store_upload_finish: makes the account a holder
 * of the blob, which from now on exists. If a blob of this hash is there
 * already, the new file becomes garbage (due at `now`), and the account
 * holds the old one. Two or three keys.
 */
enum outcome store_blob_add(struct store_txn *txn,
    const struct store_blob *blob, const char *account, int64_t now);

/* Makes the account a holder of a blob that is already here (after the full
 * check of the share: a hash grants nothing). PERMFAIL "not-shared" if there
 * is none. One key. */
enum outcome
store_blob_link(struct store_txn *txn, const char *hash, const char *account);

/* A descriptor to read the blob from; the caller closes it. -1 with errno;
 * ENOENT if it was let go of since `locator` was read: look once more. */
int store_blob_open(struct store *store, const char *locator);

/* Removes a file that finish made and no transaction took; in the
 * background. Not needed after a crash: the sweep at start finds it. */
void store_blob_discard(struct store *store, const char *locator);

/* False if `bytes` more would go below the free-space floor: refuse with
 * 507 no-space. */
bool store_space_ok(struct store *store, int64_t bytes);

/* Runs `run` on a disk thread and then `done` (NULL: none) on the loop; for
 * long things such as fsck. */
void store_background(struct store *store, void (*run)(void *arg),
    void (*done)(void *arg), void *arg);

/* Figures for status and metrics; loop thread. */
struct store_figures {
	int64_t commits; /* transactions made durable */
	int64_t closures; /* work functions in them */
	int64_t blobs; /* blobs made durable */
	int64_t blob_bytes; /* and their bytes */
	int64_t waiting; /* closures not yet run */
	int64_t space; /* bytes free on the disk */
};
void store_figures(struct store *store, struct store_figures *figures_r);

#endif
