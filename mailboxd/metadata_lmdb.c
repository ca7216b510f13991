/* SPDX-License-Identifier: ISC
 *
 * Metadata in LMDB: one environment, one unnamed table, default flags (each
 * commit is synced). The only place that includes lmdb.h. Only this process
 * uses the environment: store.c holds a lock on it.
 *
 * Read transactions are not tied to threads (MDB_NOTLS), so that the event
 * loop may hold several views.
 */
#include "metadata.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <lmdb.h>

#include "log.h"
#include "memory.h"

struct metadata_lmdb {
	struct metadata metadata; /* first */
	MDB_env *env;
	MDB_dbi table;
};

struct metadata_txn {
	struct metadata_lmdb *lmdb;
	MDB_txn *txn;
};

static enum outcome
lmdb_failed(struct reason *why, const char *what, int error)
{
	bool full = error == MDB_MAP_FULL || error == MDB_TXN_FULL ||
	    error == ENOSPC || error == EDQUOT || error == EFBIG;

	/* The environment is unusable until it is opened again, which is a
	 * new start; whoever waits sees a temporary failure. */
	if (error == MDB_PANIC)
		log_panic("metadata: %s: %s", what, mdb_strerror(error));
	return reason_set(why, OUTCOME_TEMPFAIL,
	    full ? "no-space" : "unavailable", "metadata: %s: %s", what,
	    mdb_strerror(error));
}

static enum outcome
lmdb_begin(struct metadata *metadata, bool write, struct metadata_txn **txn_r,
    struct reason *why)
{
	struct metadata_lmdb *lmdb = (struct metadata_lmdb *)metadata;
	MDB_txn *txn;
	int error;

	*txn_r = NULL;
	error = mdb_txn_begin(lmdb->env, NULL, write ? 0 : MDB_RDONLY, &txn);
	if (error != 0)
		return lmdb_failed(why, "begin", error);
	*txn_r = x_calloc(1, sizeof(**txn_r));
	(*txn_r)->lmdb = lmdb;
	(*txn_r)->txn = txn;
	return OUTCOME_OK;
}

/* LMDB takes keys by a pointer to non-const and does not write there. */
static MDB_val
lmdb_value(const void *data, size_t len)
{
	MDB_val value = { .mv_size = len };

	memcpy(&value.mv_data, &data, sizeof(data));
	return value;
}

static enum outcome
lmdb_get(struct metadata_txn *txn, const char *key,
    struct metadata_value *value_r, struct reason *why)
{
	MDB_val name = lmdb_value(key, strlen(key)), value;
	int error;

	value_r->data = NULL;
	value_r->len = 0;
	error = mdb_get(txn->txn, txn->lmdb->table, &name, &value);
	if (error == MDB_NOTFOUND)
		return OUTCOME_OK;
	if (error != 0)
		return lmdb_failed(why, "get", error);
	value_r->data = value.mv_data;
	value_r->len = value.mv_size;
	return OUTCOME_OK;
}

static enum outcome
lmdb_put(struct metadata_txn *txn, const char *key,
    const struct metadata_value *value, struct reason *why)
{
	MDB_val name = lmdb_value(key, strlen(key));
	MDB_val data = lmdb_value(value->data, value->len);
	int error;

	error = mdb_put(txn->txn, txn->lmdb->table, &name, &data, 0);
	return error == 0 ? OUTCOME_OK : lmdb_failed(why, "put", error);
}

static enum outcome
lmdb_delete(struct metadata_txn *txn, const char *key, struct reason *why)
{
	MDB_val name = lmdb_value(key, strlen(key));
	int error;

	error = mdb_del(txn->txn, txn->lmdb->table, &name, NULL);
	if (error == 0 || error == MDB_NOTFOUND)
		return OUTCOME_OK;
	return lmdb_failed(why, "delete", error);
}

/* The row under the cursor: 1 if `prefix` still fits, with the key copied
 * out, else 0. */
static int
lmdb_row(const char *prefix, const MDB_val *name,
    char key_r[METADATA_KEY_MAX + 1])
{
	size_t len = strlen(prefix);

	if (name->mv_size < len || name->mv_size > METADATA_KEY_MAX ||
	    memcmp(name->mv_data, prefix, len) != 0)
		return 0;
	memcpy(key_r, name->mv_data, name->mv_size);
	key_r[name->mv_size] = '\0';
	return 1;
}

static enum outcome
lmdb_scan(struct metadata_txn *txn, const char *prefix, const char *from,
    metadata_row_fn *row, void *arg, struct reason *why)
{
	char key[METADATA_KEY_MAX + 2];
	struct metadata_value value;
	enum metadata_step step;
	MDB_cursor *cursor = NULL;
	MDB_val name, data;
	int error;

	error = mdb_cursor_open(txn->txn, txn->lmdb->table, &cursor);
	if (error != 0)
		return lmdb_failed(why, "scan", error);
	if (from == NULL || strcmp(from, prefix) < 0)
		from = prefix;
	name = lmdb_value(from, strlen(from));
	/* LMDB knows no empty key. */
	error = mdb_cursor_get(cursor, &name, &data,
	    name.mv_size == 0 ? MDB_FIRST : MDB_SET_RANGE);
	while (error == 0 && lmdb_row(prefix, &name, key)) {
		value.data = data.mv_data;
		value.len = data.mv_size;
		step = row(arg, key, &value);
		if (step == METADATA_STOP)
			break;
		if (step == METADATA_SKIP) {
			/* '0' is the byte after '/'. A row between the two,
			 * such as "a-b" after "a", would be passed over too:
			 * anchors' names are of one length. */
			strcat(key, "0");
			name = lmdb_value(key, strlen(key));
			error =
			    mdb_cursor_get(cursor, &name, &data, MDB_SET_RANGE);
			continue;
		}
		error = mdb_cursor_get(cursor, &name, &data, MDB_NEXT);
	}
	mdb_cursor_close(cursor);
	if (error == 0 || error == MDB_NOTFOUND)
		return OUTCOME_OK;
	return lmdb_failed(why, "scan", error);
}

static enum outcome
lmdb_commit(struct metadata_txn *txn, struct reason *why)
{
	int error = mdb_txn_commit(txn->txn);

	free(txn);
	return error == 0 ? OUTCOME_OK : lmdb_failed(why, "commit", error);
}

static void
lmdb_abort(struct metadata_txn *txn)
{
	mdb_txn_abort(txn->txn);
	free(txn);
}

static void
lmdb_close(struct metadata *metadata)
{
	struct metadata_lmdb *lmdb = (struct metadata_lmdb *)metadata;

	mdb_env_close(lmdb->env);
	free(lmdb);
}

static const struct metadata_ops lmdb_ops = {
	.begin = lmdb_begin,
	.get = lmdb_get,
	.put = lmdb_put,
	.delete = lmdb_delete,
	.scan = lmdb_scan,
	.commit = lmdb_commit,
	.abort = lmdb_abort,
	.close = lmdb_close,
};

static int
lmdb_table(struct metadata_lmdb *lmdb)
{
	MDB_txn *txn;
	int error;

	error = mdb_txn_begin(lmdb->env, NULL, 0, &txn);
	if (error != 0)
		return error;
	error = mdb_dbi_open(txn, NULL, MDB_CREATE, &lmdb->table);
	if (error != 0) {
		mdb_txn_abort(txn);
		return error;
	}
	return mdb_txn_commit(txn);
}

struct metadata *
metadata_lmdb_open(const char *path, int64_t map_size, struct reason *why)
{
	struct metadata_lmdb *lmdb;
	int error;

	if (mkdir(path, 0700) == -1 && errno != EEXIST) {
		lmdb_failed(why, path, errno);
		return NULL;
	}
	lmdb = x_calloc(1, sizeof(*lmdb));
	lmdb->metadata.ops = &lmdb_ops;
	error = mdb_env_create(&lmdb->env);
	if (error == 0)
		error = mdb_env_set_mapsize(lmdb->env, (size_t)map_size);
	if (error == 0)
		error = mdb_env_open(lmdb->env, path, MDB_NOTLS, 0600);
	if (error == 0)
		error = mdb_reader_check(lmdb->env, NULL);
	if (error == 0)
		error = lmdb_table(lmdb);
	if (error != 0) {
		lmdb_failed(why, path, error);
		if (lmdb->env != NULL)
			mdb_env_close(lmdb->env);
		free(lmdb);
		return NULL;
	}
	return &lmdb->metadata;
}
