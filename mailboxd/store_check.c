/* SPDX-License-Identifier: ISC
 *
 * fsck: see store_check.h. First the rows (store_check_rows.c), then the
 * files. The daemon may be serving: what is said of a file is looked up in
 * a fresh snapshot.
 */
#include "store_check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "store_check_private.h"

void
store_check_found(struct check *check, const char *word, const char *key,
    const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	check->result->findings++;
	check->finding(check->arg, word, key, text);
}

/* ---- the pass over the files ---- */

struct garbage_search {
	const char *locator;
	bool found;
};

static enum store_step
garbage_row(void *arg, const char *key, const void *data, size_t len)
{
	struct garbage_search *search = arg;
	size_t tail = strlen(search->locator), whole = strlen(key);

	(void)data;
	(void)len;
	search->found =
	    whole > tail && strcmp(key + whole - tail, search->locator) == 0;
	return search->found ? STORE_STOP : STORE_NEXT;
}

static bool
check_file(void *arg, const char *locator, int64_t size)
{
	struct check *check = arg;
	struct store_view *view;
	struct store_blob blob;
	char hash[SHA256_HEX_SIZE];
	struct store_key prefix;
	bool named;

	if (size == -1) {
		store_check_found(check, "blob-orphan", locator,
		    "a strange name");
		return true;
	}
	/* One of this run may not be committed yet, or be garbage by now. */
	if (store_locator_ours(check->store, locator))
		return true;
	snprintf(hash, sizeof(hash), "%.64s", locator + 3);
	view = store_read_begin(check->store);
	if (view == NULL)
		return false;
	named = store_blob_get(view, hash, &blob) == 1 &&
	    strcmp(blob.locator, locator) == 0;
	if (!named) {
		struct garbage_search search = { locator, false };

		store_scan(view,
		    store_key_garbage_all(&prefix, store_shard(locator)), NULL,
		    garbage_row, &search);
		named = search.found;
	}
	store_read_end(&view);
	if (!named)
		store_check_found(check, "blob-orphan", locator,
		    "no row names it");
	return true;
}

static bool
check_part(void *arg, const char *part, int64_t size)
{
	struct check *check = arg;
	struct store_view *view;
	struct store_key key;
	int there_now;

	if (size == -1) {
		store_check_found(check, "part-orphan", part, "a strange name");
		return true;
	}
	/* Uploads under way have no row yet. */
	if (check->store->loop != NULL)
		return true;
	view = store_read_begin(check->store);
	if (view == NULL)
		return false;
	there_now = store_get(view, store_key_upload(&key, part), NULL);
	store_read_end(&view);
	if (there_now == 0)
		store_check_found(check, "part-orphan", part, "no upload row");
	return true;
}

int
store_check(struct store *store, const struct store_check_options *options,
    store_finding_fn *finding, void *arg, struct store_check_result *result_r,
    struct reason *why)
{
	struct check *check = x_calloc(1, sizeof(*check));
	const struct blob_ops *blobs = store->blobs->ops;
	int result = -1;

	memset(result_r, 0, sizeof(*result_r));
	check->store = store;
	check->options = options;
	check->finding = finding;
	check->arg = arg;
	check->result = result_r;
	check->view = store_read_begin(store);
	if (check->view == NULL) {
		reason_set(why, OUTCOME_TEMPFAIL, "unavailable",
		    "the store cannot be read");
		goto out;
	}
	if (store_check_rows(check, why) == -1)
		goto out;
	store_read_end(&check->view);
	if (blobs->list(store->blobs, check_file, check, why) == OUTCOME_OK &&
	    blobs->list_parts(store->blobs, check_part, check, why) ==
		OUTCOME_OK)
		result = 0;
out:
	store_account_clear(&check->account);
	store_read_end(&check->view);
	free(check->reserved);
	free(check);
	return result;
}
