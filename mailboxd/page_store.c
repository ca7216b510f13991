/* SPDX-License-Identifier: ISC
 *
 * The transactions of pages. See page_store.h.
 */
#include "page_store.h"

#include <string.h>

#include "json_strict.h"
#include "record.h"
#include "store_account.h"

static enum outcome
trouble(struct store_txn *txn)
{
	return reason_set(store_txn_reason(txn), OUTCOME_TEMPFAIL,
	    "unavailable", "the store cannot be read");
}

/* ---- making -------------------------------------------------------------- */

static bool
text_is(const cJSON *row, const char *name, const char *want)
{
	const char *text = json_string(row, name);

	return text != NULL && strcmp(text, want) == 0;
}

/* 1 if this very page is there, 0 if none is; -1 with *outcome_r. */
static int
find_standing(struct store_txn *txn, const struct share *share,
    const struct share_page *page, enum outcome *outcome_r)
{
	struct store_key key;
	cJSON *row = NULL;
	int found;

	found = store_get_json(store_txn_view(txn),
	    store_key_page(&key, page->key), &row);
	if (found == -1)
		*outcome_r = trouble(txn);
	if (found == 1 &&
	    (!text_is(row, "account", share->account) ||
		!text_is(row, "share", share->id) ||
		!text_is(row, "recipient", page->recipient))) {
		*outcome_r = reason_set(store_txn_reason(txn), OUTCOME_PERMFAIL,
		    "conflict", "a page of this key is another's");
		found = -1;
	}
	cJSON_Delete(row);
	return found;
}

static enum outcome
put_page(struct store_txn *txn, const struct share *share,
    const struct share_page *page)
{
	const int64_t due = share->expires + PAGE_EXPIRED_SHOWN;
	cJSON *row = cJSON_CreateObject();
	struct store_key key;

	json_add_string(row, "account", share->account);
	json_add_string(row, "share", share->id);
	json_add_string(row, "recipient", page->recipient);
	/* Of the account's addresses the recipient knows this one. */
	if (share->user[0] != '\0')
		json_add_string(row, "sender", share->user);
	json_add_integer(row, "expires", share->expires);
	json_add_integer(row, "due", due);
	json_add_integer(row, "downloads", 0);
	store_txn_put_object(txn, store_key_page(&key, page->key), row);
	return store_txn_put_object(txn,
	    store_key_page_due(&key, due, page->key), cJSON_CreateObject());
}

/* The share's row counts its pages. */
static enum outcome
count_pages(struct store_txn *txn, const struct share *share)
{
	struct store_key key;
	enum outcome outcome;
	cJSON *row = NULL;
	int64_t pages = 0;

	if (store_get_json(store_txn_view(txn),
		store_key_share(&key, share->account, share->id), &row) != 1)
		return trouble(txn);
	if (json_integer(row, "pages", 0, JSON_MAX_INTEGER, &pages) == -1)
		pages = 0;
	pages += (int64_t)share->added;
	if (pages > CARGO_API_PAGES_SHARE_MAX) {
		cJSON_Delete(row);
		return reason_set(store_txn_reason(txn), OUTCOME_PERMFAIL,
		    "too-large", "a share has at most %d pages",
		    CARGO_API_PAGES_SHARE_MAX);
	}
	cJSON_DeleteItemFromObjectCaseSensitive(row, "pages");
	json_add_integer(row, "pages", pages);
	outcome = store_txn_put_json(txn, key.text, row);
	cJSON_Delete(row);
	return outcome;
}

static enum outcome
record_pages(struct store_txn *txn, const struct share *share, cJSON *keys,
    cJSON *recipients)
{
	cJSON *leaf = cJSON_CreateObject(), *detail = cJSON_CreateObject();
	struct store_account account;
	enum outcome outcome;

	json_add_string(leaf, "share", share->id);
	json_add_item(leaf, "pages", keys);
	json_add_item(detail, "recipients", recipients);
	if (store_account_get(store_txn_view(txn), share->account, &account) !=
	    1) {
		cJSON_Delete(leaf);
		cJSON_Delete(detail);
		return trouble(txn);
	}
	outcome =
	    record_append(txn, &account, "pages", share->now, leaf, detail);
	if (outcome == OUTCOME_OK)
		outcome = store_account_put(txn, &account);
	store_account_clear(&account);
	return outcome;
}

enum outcome
page_store_put(struct store_txn *txn, struct share *share)
{
	cJSON *keys = cJSON_CreateArray(), *recipients = cJSON_CreateArray();
	enum outcome outcome = OUTCOME_OK;
	size_t i, end = share->next_page + SHARE_PAGE_BATCH;

	if (end > share->page_count)
		end = share->page_count;
	for (i = share->next_page; i < end && outcome == OUTCOME_OK; i++) {
		const struct share_page *page = &share->pages[i];

		if (find_standing(txn, share, page, &outcome) != 0)
			continue;
		outcome = put_page(txn, share, page);
		cJSON_AddItemToArray(keys, cJSON_CreateString(page->key));
		cJSON_AddItemToArray(recipients,
		    cJSON_CreateString(page->recipient));
		share->added++;
	}
	share->complete = end == share->page_count;
	if (outcome == OUTCOME_OK && share->added > 0)
		outcome = count_pages(txn, share);
	if (outcome == OUTCOME_OK && share->added > 0)
		return record_pages(txn, share, keys, recipients);
	cJSON_Delete(keys);
	cJSON_Delete(recipients);
	return outcome;
}

/* ---- downloads ----------------------------------------------------------- */

static enum outcome
count_download(struct store_txn *txn, const struct page_download *download,
    const struct access_page *page)
{
	struct store_key key;
	enum outcome outcome;
	cJSON *row = NULL;

	if (page->downloads >= PAGE_DOWNLOADS_MAX)
		return reason_set(store_txn_reason(txn), OUTCOME_PERMFAIL,
		    "not-allowed", "%d downloads were made by this page",
		    PAGE_DOWNLOADS_MAX);
	if (store_get_json(store_txn_view(txn),
		store_key_page(&key, download->key), &row) != 1)
		return trouble(txn);
	cJSON_DeleteItemFromObjectCaseSensitive(row, "downloads");
	json_add_integer(row, "downloads", page->downloads + 1);
	outcome = store_txn_put_json(txn, key.text, row);
	cJSON_Delete(row);
	return outcome;
}

static enum outcome
record_download(struct store_txn *txn, const struct page_download *download,
    const struct access_page *page)
{
	cJSON *leaf = cJSON_CreateObject(), *detail = cJSON_CreateObject();
	struct store_account account;
	enum outcome outcome;

	json_add_string(leaf, "share", page->share);
	json_add_string(leaf, "page", download->key);
	json_add_string(leaf, "hash", download->hash);
	json_add_string(detail, "recipient", page->recipient);
	json_add_string(detail, "client", download->client);
	if (store_account_get(store_txn_view(txn), page->account, &account) !=
	    1) {
		cJSON_Delete(leaf);
		cJSON_Delete(detail);
		return trouble(txn);
	}
	outcome = record_append(txn, &account, "downloaded", download->now,
	    leaf, detail);
	if (outcome == OUTCOME_OK)
		outcome = store_account_put(txn, &account);
	store_account_clear(&account);
	return outcome;
}

enum outcome
page_store_download(struct store_txn *txn, void *arg)
{
	struct page_download *download = arg;
	struct store_view *view = store_txn_view(txn);
	struct access_page page;
	enum outcome outcome;

	outcome = access_page(view, download->key, download->now, &page,
	    store_txn_reason(txn));
	if (outcome == OUTCOME_OK)
		outcome = access_page_resource(view, &page, download->hash,
		    &download->blob, store_txn_reason(txn));
	if (outcome == OUTCOME_OK)
		outcome = count_download(txn, download, &page);
	if (outcome == OUTCOME_OK)
		outcome = record_download(txn, download, &page);
	access_page_clear(&page);
	return outcome;
}

/* ---- the end ------------------------------------------------------------- */

enum outcome
page_store_end(struct store_txn *txn, const char *key)
{
	struct store_key name;

	return store_txn_delete(txn, store_key_page(&name, key));
}
