/* SPDX-License-Identifier: ISC
 *
 * What a crash leaves: files that no row names. Nothing in them was ever
 * acknowledged. Only files of earlier runs are touched: their locators can
 * no more come into a row, so a look without a lock is enough.
 */
#include "store_private.h"

#include <string.h>

#include "log.h"

struct orphans {
	struct store *store;
	int64_t files;
};

static void
orphan_deleted(struct orphans *orphans, enum outcome outcome,
    const struct reason *why)
{
	if (outcome == OUTCOME_OK)
		orphans->files++;
	else
		log_text(LOG_WARNING, "-", "sweep", "%s", why->text);
}

static void
orphans_end(const struct orphans *orphans, const char *what)
{
	if (orphans->files > 0)
		log_text(LOG_INFO, "-", "sweep", "%lld %s of an earlier run",
		    (long long)orphans->files, what);
}

static bool
orphan_part(void *arg, const char *part, int64_t size)
{
	struct orphans *orphans = arg;
	struct store *store = orphans->store;
	struct store_view *view;
	struct store_key key;
	struct reason why;
	int found;

	if (size == -1) {
		log_text(LOG_WARNING, "-", "sweep", "strange file part/%s",
		    part);
		return true;
	}
	view = store_read_begin(store);
	if (view == NULL)
		return false;
	found = store_get(view, store_key_upload(&key, part), NULL);
	store_read_end(&view);
	if (found == 0)
		orphan_deleted(orphans,
		    store->blobs->ops->delete_part(store->blobs, part, &why),
		    &why);
	return true;
}

int64_t
store_sweep_parts(struct store *store)
{
	struct orphans orphans = { .store = store };
	struct reason why;

	if (store->blobs->ops->list_parts(store->blobs, orphan_part, &orphans,
		&why) != OUTCOME_OK) {
		log_text(LOG_ERROR, "-", "sweep", "%s", why.text);
		return -1;
	}
	orphans_end(&orphans, "broken uploads");
	return orphans.files;
}

static bool
orphan_blob(void *arg, const char *locator, int64_t size)
{
	struct orphans *orphans = arg;
	struct store *store = orphans->store;
	struct store_view *view;
	struct store_blob blob;
	char hash[SHA256_HEX_SIZE];
	struct reason why;
	int found;

	if (atomic_load(&store->closing))
		return false;
	if (size == -1) {
		log_text(LOG_WARNING, "-", "sweep", "strange file %s", locator);
		return true;
	}
	if (store_locator_ours(store, locator))
		return true;
	memcpy(hash, locator + 3, SHA256_HEX_LEN);
	hash[SHA256_HEX_LEN] = '\0';
	view = store_read_begin(store);
	if (view == NULL)
		return false;
	found = store_blob_get(view, hash, &blob);
	store_read_end(&view);
	/* A torn row (-1) may name it. */
	if (found == 0 || (found == 1 && strcmp(blob.locator, locator) != 0))
		orphan_deleted(orphans,
		    store->blobs->ops->delete (store->blobs, locator, &why),
		    &why);
	return true;
}

int64_t
store_sweep_orphans(struct store *store)
{
	struct orphans orphans = { .store = store };
	struct reason why;

	if (store->blobs->ops->list(store->blobs, orphan_blob, &orphans,
		&why) != OUTCOME_OK) {
		log_text(LOG_ERROR, "-", "sweep", "%s", why.text);
		return -1;
	}
	orphans_end(&orphans, "unused blobs");
	return orphans.files;
}
