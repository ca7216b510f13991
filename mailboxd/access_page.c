/* SPDX-License-Identifier: ISC
 *
 * The part of access.h for pages. The bearer's secret is 256 random bits, so
 * nobody has one whom it was not sent to; it was bound to one recipient of
 * one share when it was made, and is worth what that share is worth now.
 */
#include <string.h>

#include "access.h"
#include "json_strict.h"
#include "store_account.h"

/* Looked up in place of what a row does not say. */
#define NO_ACCOUNT "00000000000000000000000000000000"
#define NO_SHARE "AAAAAAAAAAAAAAAAAAAAAA"

static enum outcome
trouble(struct reason *why)
{
	return reason_set(why, OUTCOME_TEMPFAIL, "unavailable",
	    "the store cannot be read");
}

static enum outcome
not_there(struct reason *why)
{
	return reason_set(why, OUTCOME_PERMFAIL, "not-found",
	    "there is no such page");
}

static void
copy(const cJSON *row, const char *name, char *text_r, size_t size)
{
	const char *text = json_string(row, name);

	if (text != NULL && strlen(text) < size)
		strcpy(text_r, text);
}

/* The row of the page: 1, 0, -1. What is not in it is "" or 0. */
static int
look_up(struct store_view *view, const char *key, struct access_page *page)
{
	struct store_key name;
	cJSON *row = NULL;
	int found;

	found = store_get_json(view, store_key_page(&name, key), &row);
	copy(row, "account", page->account, sizeof(page->account));
	copy(row, "share", page->share, sizeof(page->share));
	copy(row, "recipient", page->recipient, sizeof(page->recipient));
	copy(row, "sender", page->sender, sizeof(page->sender));
	if (json_integer(row, "downloads", 0, JSON_MAX_INTEGER,
		&page->downloads) == -1)
		page->downloads = 0;
	cJSON_Delete(row);
	return found;
}

enum outcome
access_page(struct store_view *view, const char *key, int64_t now,
    struct access_page *page, struct reason *why)
{
	int found, active, shared;
	struct store_key name;
	int64_t revoked;

	memset(page, 0, sizeof(*page));
	strcpy(page->account, NO_ACCOUNT);
	strcpy(page->share, NO_SHARE);
	found = look_up(view, key, page);
	active = access_account_active(view, page->account);
	shared = store_get_json(view,
	    store_key_share(&name, page->account, page->share), &page->row);
	if (found == -1 || active == -1 || shared == -1)
		return trouble(why);
	if (found == 0 || active == 0 || shared == 0)
		return not_there(why);
	if (json_integer(page->row, "revoked", 0, JSON_MAX_INTEGER, &revoked) ==
	    0)
		return reason_set(why, OUTCOME_PERMFAIL, "revoked",
		    "the sender has withdrawn the share");
	if (json_integer(page->row, "expires", 0, JSON_MAX_INTEGER,
		&page->expires) == -1 ||
	    now >= page->expires)
		return reason_set(why, OUTCOME_PERMFAIL, "expired",
		    "the share has expired");
	return OUTCOME_OK;
}

enum outcome
access_page_resource(struct store_view *view, const struct access_page *page,
    const char *hash, struct store_blob *blob_r, struct reason *why)
{
	const cJSON *item;
	bool named = false;
	int held, stored;
	struct store_key key;

	cJSON_ArrayForEach(item, json_array(page->row, "resources")) named =
	    named ||
	    (cJSON_IsString(item) && strcmp(item->valuestring, hash) == 0);
	held = store_get(view, store_key_resource(&key, page->account, hash),
	    NULL);
	stored = store_blob_get(view, hash, blob_r);
	if (held == -1 || stored == -1)
		return trouble(why);
	if (!named || held == 0 || stored == 0)
		return not_there(why);
	return OUTCOME_OK;
}

void
access_page_clear(struct access_page *page)
{
	cJSON_Delete(page->row);
	memset(page, 0, sizeof(*page));
}
