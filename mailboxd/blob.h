/* SPDX-License-Identifier: ISC
 *
 * The narrow interface for blobs: runs of bytes that never change, named by
 * a locator that is never used again. Only store*.c sees it. A directory is
 * behind it now (blob_directory.c); an object store can take its place.
 *
 * All calls block and are made on disk threads (get, delete and list from
 * anywhere); one writer belongs to one thread at a time. A blob is durable,
 * name and bytes, when commit has returned OK; until a metadata row names
 * the locator nothing believes in it.
 */
#ifndef BLOB_H
#define BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "outcome.h"

/* `ab/<64 hex>.<24 hex>`: the hash and 96 bits that no other blob has. */
#define BLOB_LOCATOR_SIZE 96
/* The longest name of a broken upload that is kept, without NUL. */
#define BLOB_PART_MAX 64

/* What a commit gets, and how it ended. */
struct blob_commit {
	struct blob_writer *writer; /* taken over, whatever the outcome */
	const char *locator; /* for `begin`, the one given there */
	enum outcome outcome;
	struct reason why;
};

struct blob_store;
struct blob_writer;

/* Outcomes are OK or TEMPFAIL, with word "no-space" or "unavailable". */
struct blob_ops {
	/* Starts a blob that its commit will give this locator. */
	enum outcome (*begin)(struct blob_store *blobs, const char *locator,
	    struct blob_writer **writer_r, struct reason *why);
	/* Starts a blob that survives blob_ops.keep and a crash under the name
	 * `part` (hex), or goes on with one: its first `offset` bytes are
	 * kept, later ones dropped; if fewer are there it is TEMPFAIL
	 * "range". */
	enum outcome (*begin_part)(struct blob_store *blobs, const char *part,
	    int64_t offset, struct blob_writer **writer_r, struct reason *why);
	enum outcome (*write)(struct blob_writer *writer, const void *data,
	    size_t len, struct reason *why);
	/* Reads back what a writer has so far; bytes read, 0 at the end, -1
	 * with errno. */
	ssize_t (*reread)(struct blob_writer *writer, void *data_r, size_t len,
	    int64_t offset);
	/* Makes what was written so far durable under its part name. */
	enum outcome (*sync)(struct blob_writer *writer, struct reason *why);
	/* Makes all of them durable under their locators, together where that
	 * is cheaper. */
	void (*commit)(struct blob_store *blobs, struct blob_commit *commits,
	    size_t count);
	/* Ends a writer: keeps the part (of begin_part), or removes every
	 * trace. */
	void (*keep)(struct blob_writer *writer);
	void (*abort)(struct blob_writer *writer);
	/* A descriptor to read from (the caller closes it), or -1 with
	 * errno; ENOENT: no such blob. */
	int (*get)(struct blob_store *blobs, const char *locator);
	/* Removes a blob, or a part; none there is OK. */
	enum outcome (*delete)(struct blob_store *blobs, const char *locator,
	    struct reason *why);
	enum outcome (*delete_part)(struct blob_store *blobs, const char *part,
	    struct reason *why);
	/* Every blob, in no order; `row` returns false to stop. Names that
	 * are no locators are given too, with size -1. */
	enum outcome (*list)(struct blob_store *blobs,
	    bool (*row)(void *arg, const char *locator, int64_t size),
	    void *arg, struct reason *why);
	enum outcome (*list_parts)(struct blob_store *blobs,
	    bool (*row)(void *arg, const char *part, int64_t size), void *arg,
	    struct reason *why);
	/* Bytes that may still be written; -1 unknown. */
	int64_t (*space)(struct blob_store *blobs);
	void (*close)(struct blob_store *blobs);
};

/* Every backend's object begins with this. */
struct blob_store {
	const struct blob_ops *ops;
};

/* A hook of the crash tests: called with the name of each point where
 * bytes change state; it may kill the process, or return an errno that the
 * step then fails with. NULL in the daemon. */
typedef int blob_fault_fn(void *arg, const char *point);

/* Opens (or makes) the directory `path`. NULL with `why`. */
struct blob_store *blob_directory_open(const char *path, blob_fault_fn *fault,
    void *fault_arg, struct reason *why);

#endif
