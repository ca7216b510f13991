/* SPDX-License-Identifier: ISC
 *
 * What the rows of shares say to the administrator. See share_describe.h.
 */
#include <stdio.h>
#include <string.h>

#include "access.h"
#include "json_strict.h"
#include "share_describe.h"
#include "store_account.h"

/* A walk over rows of one share, or of an account's shares. */
struct walk {
	struct store_view *view;
	const char *account, *share;
	int64_t now;
	cJSON *list; /* NULL: only count */
	const char *content; /* of the share */
	int64_t count;
};

static enum store_step
take_page(void *arg, const char *key, const void *data, size_t len)
{
	struct walk *walk = arg;
	cJSON *row = store_row_json(key, data, len), *page;
	const char *account = json_string(row, "account");
	const char *share = json_string(row, "share");
	const char *recipient = json_string(row, "recipient");
	int64_t downloads = 0;

	if (account != NULL && share != NULL &&
	    strcmp(account, walk->account) == 0 &&
	    strcmp(share, walk->share) == 0) {
		(void)json_integer(row, "downloads", 0, JSON_MAX_INTEGER,
		    &downloads);
		page = cJSON_CreateObject();
		json_add_string(page, "recipient",
		    recipient != NULL ? recipient : "");
		json_add_boolean(page, "page", true);
		json_add_integer(page, "downloads", downloads);
		cJSON_AddItemToArray(walk->list, page);
	}
	cJSON_Delete(row);
	return STORE_NEXT;
}

static enum store_step
take_recipient(void *arg, const char *key, const void *data, size_t len)
{
	struct walk *walk = arg;
	cJSON *row = store_row_json(key, data, len), *recipient;
	const char *address = json_string(row, "address");
	const char *content = json_string(row, "content");

	/* What a broken attempt left behind entitles nobody. */
	if (address != NULL && content != NULL && walk->content != NULL &&
	    strcmp(content, walk->content) == 0) {
		walk->count++;
		recipient = cJSON_CreateObject();
		json_add_string(recipient, "recipient", address);
		if (walk->list != NULL)
			cJSON_AddItemToArray(walk->list, recipient);
		else
			cJSON_Delete(recipient);
	}
	cJSON_Delete(row);
	return STORE_NEXT;
}

/* The owner's main address. */
static void
add_owner(struct store_view *view, const char *id, cJSON *object)
{
	struct store_account account;
	const char *name;

	if (store_account_get(view, id, &account) != 1)
		return;
	name = json_string(account.object, "name");
	json_add_string(object, "owner", name != NULL ? name : "");
	store_account_clear(&account);
}

static const char *
state_of(const cJSON *row, int64_t now)
{
	int64_t expires = 0;

	if (cJSON_GetObjectItemCaseSensitive(row, "revoked") != NULL)
		return "revoked";
	(void)json_integer(row, "expires", 0, JSON_MAX_INTEGER, &expires);
	return now >= expires ? "expired" : "shared";
}

cJSON *
share_describe(struct store_view *view, const char *account, const char *share,
    int64_t now)
{
	struct walk walk = { view, account, share, now, NULL, NULL, 0 };
	struct store_key key;
	cJSON *row = NULL;

	if (store_get_json(view, store_key_share(&key, account, share), &row) !=
	    1)
		return NULL;
	walk.content = json_string(row, "content");
	if (store_scan(view, store_key_share_to(&key, account, share, NULL),
		NULL, take_recipient, &walk) == -1) {
		cJSON_Delete(row);
		return NULL;
	}
	json_add_string(row, "share", share);
	json_add_string(row, "account", account);
	add_owner(view, account, row);
	json_add_string(row, "state", state_of(row, now));
	json_add_integer(row, "recipients", walk.count);
	cJSON_ReplaceItemInObjectCaseSensitive(row, "resources",
	    cJSON_CreateNumber(
		cJSON_GetArraySize(json_array(row, "resources"))));
	cJSON_DeleteItemFromObjectCaseSensitive(row, "content");
	cJSON_DeleteItemFromObjectCaseSensitive(row, "out");
	return row;
}

static enum store_step
take_share(void *arg, const char *key, const void *data, size_t len)
{
	struct walk *walk = arg;
	cJSON *share;

	(void)data;
	(void)len;
	share = share_describe(walk->view, walk->account, store_key_last(key),
	    walk->now);
	if (share != NULL)
		cJSON_AddItemToArray(walk->list, share);
	return STORE_SKIP;
}

int
share_describe_all(struct store_view *view, const char *account, int64_t now,
    cJSON *list)
{
	struct walk walk = { view, account, NULL, now, list, NULL, 0 };
	struct store_key key;

	return store_scan(view, store_key_share(&key, account, NULL), NULL,
	    take_share, &walk);
}

/* ---- what is in it ------------------------------------------------------- */

/* The owner's row of the resource says more than the share's. */
static void
add_resource(const struct walk *walk, const char *hash)
{
	cJSON *row = NULL, *resource = cJSON_CreateObject();
	const char *type, *name;
	struct store_key key;
	int64_t size;

	(void)store_get_json(walk->view,
	    store_key_resource(&key, walk->account, hash), &row);
	type = json_string(row, "type");
	name = json_string(row, "name");
	json_add_string(resource, "hash", hash);
	if (json_integer(row, "size", 0, JSON_MAX_INTEGER, &size) == 0)
		json_add_integer(resource, "size", size);
	if (type != NULL)
		json_add_string(resource, "type", type);
	if (name != NULL)
		json_add_string(resource, "name", name);
	cJSON_AddItemToArray(walk->list, resource);
	cJSON_Delete(row);
}

int
share_describe_content(struct store_view *view, const char *account,
    const char *share, cJSON *list)
{
	struct walk walk = { view, account, share, 0, list, NULL, 0 };
	struct store_key key;
	cJSON *row = NULL;
	const cJSON *item;
	int result;

	if (store_get_json(view, store_key_share(&key, account, share), &row) !=
	    1)
		return -1;
	cJSON_ArrayForEach(item, json_array(row, "resources"))
	{
		if (cJSON_IsString(item))
			add_resource(&walk, item->valuestring);
	}
	walk.content = json_string(row, "content");
	result =
	    store_scan(view, store_key_share_to(&key, account, share, NULL),
		NULL, take_recipient, &walk);
	if (result == 0)
		result = store_scan(view, store_key_page(&key, NULL), NULL,
		    take_page, &walk);
	cJSON_Delete(row);
	return result;
}

/* ---- whose it is --------------------------------------------------------- */

struct search {
	struct store_view *view;
	const char *share;
	char *account_r;
	int found;
};

static enum store_step
look_in_account(void *arg, const char *key, const void *data, size_t len)
{
	struct search *search = arg;
	const char *account = store_key_last(key);
	struct store_key name;
	int there;

	(void)data;
	(void)len;
	if (!store_id_valid(account))
		return STORE_SKIP;
	there = store_get(search->view,
	    store_key_share(&name, account, search->share), NULL);
	if (there == 1) {
		search->found++;
		strcpy(search->account_r, account);
	}
	if (there == -1)
		search->found = -1;
	return search->found == -1 || search->found == 2 ? STORE_STOP :
							   STORE_SKIP;
}

int
share_describe_find(struct store_view *view, const char *share,
    const char *address, char account_r[STORE_ID_SIZE])
{
	struct search search = { view, share, account_r, 0 };
	struct store_key key;
	struct reason why;

	if (address[0] == '\0')
		return store_scan(view, "account/", NULL, look_in_account,
			   &search) == -1 ?
		    -1 :
		    search.found;
	switch (access_account(view, address, account_r, &why)) {
	case OUTCOME_OK:
		return store_get(view, store_key_share(&key, account_r, share),
		    NULL);
	case OUTCOME_PERMFAIL:
		return 0;
	default:
		return -1;
	}
}
