/* SPDX-License-Identifier: ISC
 *
 * Reading: snapshots for the event loop, and what a writing transaction
 * sees. Rows may be torn or of another version: such a row is logged, its
 * reader answers "temporary", and it stays where it is.
 */
#include "store_private.h"

#include <stdlib.h>
#include <string.h>

#include "json_strict.h"
#include "log.h"
#include "memory.h"

struct store_view *
store_read_begin(struct store *store)
{
	struct store_view *view;
	struct metadata_txn *txn;
	struct reason why;

	if (store->metadata->ops->begin(store->metadata, false, &txn, &why) !=
	    OUTCOME_OK) {
		log_text(LOG_ERROR, "-", "store", "%s", why.text);
		return NULL;
	}
	view = x_calloc(1, sizeof(*view));
	view->store = store;
	view->txn = txn;
	return view;
}

void
store_read_end(struct store_view **view)
{
	if (*view == NULL)
		return;
	(*view)->store->metadata->ops->abort((*view)->txn);
	x_free(view);
}

/* Trouble: within a closure it becomes the closure's failure, which whoever
 * submitted it logs; a reader has only this line. */
static int
view_failed(struct store_view *view, const char *key, const char *text)
{
	if (view->writer == NULL) {
		log_text(LOG_ERROR, "-", "store", "%s: %s", key, text);
		return -1;
	}
	if (view->writer->failure.outcome == OUTCOME_OK)
		reason_set(&view->writer->failure, OUTCOME_TEMPFAIL,
		    "unavailable", "%.100s: %.90s", key, text);
	return -1;
}

static int
view_get(struct store_view *view, const char *key,
    struct metadata_value *value_r)
{
	struct reason why;

	value_r->data = NULL;
	if (*key == '\0')
		return 0;
	if (view->store->metadata->ops->get(view->txn, key, value_r, &why) !=
	    OUTCOME_OK)
		return view_failed(view, key, why.text);
	return value_r->data != NULL;
}

int
store_get(struct store_view *view, const char *key, struct buffer *value_r)
{
	struct metadata_value value;
	int found = view_get(view, key, &value);

	if (found == 1 && value_r != NULL &&
	    buffer_add(value_r, value.data, value.len) == -1)
		return view_failed(view, key, "does not fit the buffer");
	return found;
}

static cJSON *
row_parse(const void *data, size_t len, const char **error_r)
{
	cJSON *row = json_parse(data, len, error_r);

	if (row == NULL || cJSON_IsObject(row))
		return row;
	*error_r = "no object";
	cJSON_Delete(row);
	return NULL;
}

cJSON *
store_row_json(const char *key, const void *data, size_t len)
{
	const char *error = NULL;
	cJSON *row = row_parse(data, len, &error);

	if (row == NULL)
		log_text(LOG_ERROR, "-", "store", "torn row %s: %s", key,
		    error);
	return row;
}

int
store_get_json(struct store_view *view, const char *key, cJSON **value_r)
{
	struct metadata_value value;
	const char *error = NULL;
	int found = view_get(view, key, &value);

	*value_r = NULL;
	if (found != 1)
		return found;
	*value_r = row_parse(value.data, value.len, &error);
	if (*value_r == NULL)
		return view_failed(view, key, error);
	return 1;
}

struct scan {
	store_row_fn *row;
	void *arg;
};

static enum metadata_step
scan_row(void *arg, const char *key, const struct metadata_value *value)
{
	static const enum metadata_step steps[] = {
		[STORE_NEXT] = METADATA_NEXT,
		[STORE_SKIP] = METADATA_SKIP,
		[STORE_STOP] = METADATA_STOP,
	};
	struct scan *scan = arg;

	return steps[scan->row(scan->arg, key, value->data, value->len)];
}

int
store_scan(struct store_view *view, const char *prefix, const char *from,
    store_row_fn *row, void *arg)
{
	struct scan scan = { row, arg };
	struct reason why;

	if (*prefix == '\0')
		return view_failed(view, "scan", "no prefix");
	if (view->store->metadata->ops->scan(view->txn, prefix, from, scan_row,
		&scan, &why) != OUTCOME_OK)
		return view_failed(view, prefix, why.text);
	return 0;
}
