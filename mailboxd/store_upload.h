/* SPDX-License-Identifier: ISC
 *
 * Bytes on their way in: written, hashed and made durable by disk threads
 * while the event loop goes on. Hostile bytes pass through but nothing here
 * looks into them. All calls and callbacks on the event loop.
 *
 * A PUT is: store_upload_begin; store_upload_write until it returns false,
 * then pause the body until `ready`; store_upload_finish; in `done`
 * store_submit a closure with store_blob_add (and store_upload_forget if it
 * had an id); in its `done` reply, or store_blob_discard if it failed.
 *
 * With an id a broken upload survives, also a crash: row upload/<id> and a
 * file under that name. Its bytes up to "offset" are durable; the next
 * upload of the same id may begin there.
 */
#ifndef STORE_UPLOAD_H
#define STORE_UPLOAD_H

#include "store.h"

struct store_upload;

struct store_upload_request {
	const char *hash; /* 64 hex digits that it must have */
	int64_t size; /* bytes, all of it */
	int64_t from; /* bytes that are here already; 0 without id */
	/* To resume after a break; NULL: what is broken is gone. Use
	 * store_upload_id. The others matter only with an id. */
	const char *id;
	const char *account;
	int64_t expires; /* when the sweep may remove the rest */
};

struct store_upload_handler {
	/* There is room again after store_upload_write returned false. */
	void (*ready)(void *arg);
	/* It cannot succeed any more (disk full, ...): refuse without reading
	 * the rest; store_upload_finish would say the same. Called at most
	 * once, not after finish. May be NULL. */
	void (*failed)(void *arg, const struct reason *why);
};

/* The id of an account's upload of a hash from an origin: the same each time.
 * By origin, so that none can hold up or spoil what comes from another. */
void store_upload_id(const char *account, const char *origin, const char *hash,
    char id_r[STORE_ID_SIZE]);

/* Bytes that are durable of upload `id`, if it is for this account, hash and
 * size; 0 if none. A lease's "have". */
int64_t store_upload_have(struct store_view *view, const char *id,
    const char *account, const char *hash, int64_t size);

/* Starts one; NULL with `why`: "no-space" (the floor; TEMPFAIL), "busy" (the
 * same id is under way; TEMPFAIL), "malformed" (bad hash, size or id;
 * PERMFAIL). Handler and strings are copied or used only now; the handler
 * itself must live. Trouble of the disk is told later. A `from` that does
 * not fit what is here ends in TEMPFAIL "range". */
struct store_upload *store_upload_begin(struct store *store,
    const struct store_upload_request *request,
    const struct store_upload_handler *handler, void *arg, struct reason *why);

/* Takes a copy. True: go on; false: taken, but wait for `ready` before the
 * next. More bytes than `size` make the upload fail. */
bool
store_upload_write(struct store_upload *upload, const void *data, size_t len);

/*
 * The end of the bytes. `blob` (OK only) names what is now durable but not
 * yet anybody's; copy it. Failures, and nothing is kept: PERMFAIL
 * "wrong-hash", "wrong-size" (too few or too many bytes); TEMPFAIL
 * "no-space", "unavailable", or "range" (the hash is wrong, but bytes from
 * before a break are in it, or these are gone: begin again from 0). The
 * upload is freed after `done`.
 */
typedef void store_upload_done_fn(void *arg, enum outcome outcome,
    const struct reason *why, const struct store_blob *blob);
void
store_upload_finish(struct store_upload **upload, store_upload_done_fn *done);

/* The connection broke. With an id the bytes are made durable and kept, else
 * all is removed. No callback any more. NULL is fine. */
void store_upload_break(struct store_upload **upload);

/* Ends it and removes everything, row and bytes. No callback any more. */
void store_upload_abort(struct store_upload **upload);

/* In the work function that adds the blob: removes the row. One key. */
enum outcome store_upload_forget(struct store_txn *txn, const char *id);

#endif
