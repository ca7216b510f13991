/* SPDX-License-Identifier: ISC
 *
 * The row upload/<id>: what is known of an upload that can be resumed. See
 * store_upload.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_strict.h"
#include "log.h"
#include "memory.h"
#include "store_upload_private.h"

void
store_upload_id(const char *account, const char *origin, const char *hash,
    char id_r[STORE_ID_SIZE])
{
	char *text = x_asprintf("%s/%s/%s", account, hash, origin);
	char hex[SHA256_HEX_SIZE];

	sha256_hex(text, strlen(text), hex);
	free(text);
	snprintf(id_r, STORE_ID_SIZE, "%.32s", hex);
}

int64_t
store_upload_have(struct store_view *view, const char *id, const char *account,
    const char *hash, int64_t size)
{
	struct store_key key;
	const char *text;
	int64_t offset = 0, whole;
	cJSON *row;

	if (store_get_json(view, store_key_upload(&key, id), &row) != 1)
		return 0;
	if ((text = json_string(row, "account")) == NULL ||
	    strcmp(text, account) != 0 ||
	    (text = json_string(row, "hash")) == NULL ||
	    strcmp(text, hash) != 0 ||
	    json_integer(row, "size", size, size, &whole) == -1 ||
	    json_integer(row, "offset", 0, size, &offset) == -1)
		offset = 0;
	cJSON_Delete(row);
	return offset;
}

enum outcome
store_upload_forget(struct store_txn *txn, const char *id)
{
	struct store_key key;

	return store_txn_delete(txn, store_key_upload(&key, id));
}

/* What a row is made of, on its way to the committer. */
struct upload_row {
	char id[BLOB_PART_MAX + 1];
	char account[STORE_ID_SIZE], hash[SHA256_HEX_SIZE];
	int64_t size, offset, expires;
	struct store_upload *upload; /* to end then, or NULL */
};

static enum outcome
row_put(struct store_txn *txn, void *arg)
{
	const struct upload_row *row = arg;
	struct store_key key;
	cJSON *value = cJSON_CreateObject();

	if (row->offset == 0) {
		cJSON_Delete(value);
		return store_upload_forget(txn, row->id);
	}
	if (json_add_string(value, "account", row->account) == -1 ||
	    json_add_string(value, "hash", row->hash) == -1 ||
	    json_add_integer(value, "size", row->size) == -1 ||
	    json_add_integer(value, "offset", row->offset) == -1 ||
	    json_add_integer(value, "expires", row->expires) == -1) {
		cJSON_Delete(value);
		value = NULL;
	}
	return store_txn_put_object(txn, store_key_upload(&key, row->id),
	    value);
}

static void
row_done(void *arg, enum outcome outcome, const struct reason *why)
{
	struct upload_row *row = arg;

	if (outcome != OUTCOME_OK)
		log_text(LOG_WARNING, "-", "upload", "%s: %s", row->id,
		    why->text);
	if (row->upload != NULL)
		row->upload->ended.run(&row->upload->ended);
	free(row);
}

void
store_upload_row_submit(struct store_upload *upload, int64_t offset, bool last)
{
	struct upload_row *row = x_calloc(1, sizeof(*row));

	snprintf(row->id, sizeof(row->id), "%s", upload->part);
	strcpy(row->account, upload->account);
	strcpy(row->hash, upload->hash);
	row->size = upload->size;
	/* A range of no bytes cannot be asked for, so one stays to come. */
	row->offset = offset < upload->size ? offset : upload->size - 1;
	if (row->offset < 0)
		row->offset = 0;
	row->expires = upload->expires;
	row->upload = last ? upload : NULL;
	store_submit(upload->store, row_put, row_done, row);
}
