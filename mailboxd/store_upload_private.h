/* SPDX-License-Identifier: ISC
 *
 * An upload, as the files of store_upload share it: store_upload.c (the
 * event loop's side), store_upload_disk.c (the disk task) and
 * store_upload_row.c (the row upload/<id>). Who owns which field stands in
 * the struct; `lock` guards the hand-over.
 */
#ifndef STORE_UPLOAD_PRIVATE_H
#define STORE_UPLOAD_PRIVATE_H

#include "store_private.h"
#include "store_upload.h"

#define UPLOAD_CHUNK ((size_t)128 << 10)
#define UPLOAD_QUEUE_LOW UPLOAD_CHUNK /* the sender may go on here */

struct upload_chunk {
	struct upload_chunk *next;
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
	struct upload_chunk *filling;
	int64_t given; /* bytes, with `from` */
	bool silent; /* no callback any more */

	/* Under lock. */
	pthread_mutex_t lock;
	struct upload_chunk *first, **last;
	size_t queued; /* bytes handed over and not yet written */
	bool paused; /* the sender waits */
	bool told; /* `ready` is posted */
	bool running; /* the task is queued or runs */
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

/* store_upload_disk.c: the disk task; takes what is handed over, in order,
 * and after the end posts `ended`. */
void store_upload_run(struct disk_task *task);

/* True if it shares its sync with others that end at the same time. */
bool store_upload_is_small(const struct store_upload *upload);

/* store_upload_row.c: writes (offset > 0) or removes the row; then, with
 * `last`, runs `ended`. From any thread. */
void
store_upload_row_submit(struct store_upload *upload, int64_t offset, bool last);

#endif
