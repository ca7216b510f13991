/* SPDX-License-Identifier: ISC
 *
 * The narrow interface for metadata: ordered key-value transactions. Only
 * store*.c sees it. LMDB is behind it now (metadata_lmdb.c); another kind
 * with the same six verbs can take its place, so nothing here may ask for
 * more than an ordered table with snapshots: keys at most 511 bytes, values
 * at most 64 KiB, at most 100 keys a closure, no I/O within a transaction.
 *
 * One writer at a time; readers see a snapshot and never wait.
 */
#ifndef METADATA_H
#define METADATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "outcome.h"

#define METADATA_KEY_MAX 511
#define METADATA_VALUE_MAX 65536

/* Bytes that live until the next write of, or the end of, a transaction. */
struct metadata_value {
	const void *data; /* NULL: there is no such key */
	size_t len;
};

/* What a scan does after a row. */
enum metadata_step {
	METADATA_NEXT, /* go on with the next key */
	METADATA_SKIP, /* pass over all keys that begin with this key + '/' */
	METADATA_STOP, /* end the scan */
};

/* Called for every row, in byte order of the keys; it must not write. `key`
 * is NUL-terminated. */
typedef enum metadata_step
metadata_row_fn(void *arg, const char *key, const struct metadata_value *value);

struct metadata;
struct metadata_txn;

/*
 * Everything returns an outcome: OK, or TEMPFAIL with word "no-space" (the
 * map or the disk is full) or "unavailable" (anything else). A transaction in
 * which a write failed can only be aborted.
 */
struct metadata_ops {
	enum outcome (*begin)(struct metadata *metadata, bool write,
	    struct metadata_txn **txn_r, struct reason *why);
	enum outcome (*get)(struct metadata_txn *txn, const char *key,
	    struct metadata_value *value_r, struct reason *why);
	enum outcome (*put)(struct metadata_txn *txn, const char *key,
	    const struct metadata_value *value, struct reason *why);
	/* A key that is not there is no error. */
	enum outcome (*delete)(struct metadata_txn *txn, const char *key,
	    struct reason *why);
	/* Rows whose key begins with `prefix`, from the first key that is not
	 * below `from` (NULL: from the first). */
	enum outcome (*scan)(struct metadata_txn *txn, const char *prefix,
	    const char *from, metadata_row_fn *row, void *arg,
	    struct reason *why);
	/* Durable when it returns OK. Ends the transaction either way. */
	enum outcome (*commit)(struct metadata_txn *txn, struct reason *why);
	/* Ends a reading transaction, or forgets a writing one. */
	void (*abort)(struct metadata_txn *txn);
	void (*close)(struct metadata *metadata);
};

/* Every backend's object begins with this. */
struct metadata {
	const struct metadata_ops *ops;
};

/* Opens (or makes) the LMDB environment in the directory `path`; `map_size`
 * in bytes is address space, not disk: the file is sparse. NULL with `why`.
 * Freed by ops->close. */
struct metadata *
metadata_lmdb_open(const char *path, int64_t map_size, struct reason *why);

#endif
