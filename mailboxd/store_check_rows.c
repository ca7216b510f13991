/* SPDX-License-Identifier: ISC
 *
 * fsck, the rows: one pass in the order of the keys, within one snapshot;
 * each row is compared with the few others that it speaks of, by the
 * function that its kind has in the table.
 */
#include "store_check_private.h"

#include <string.h>

#include "json_strict.h"

/* Whether a row is there; trouble counts as there. */
bool
store_check_there(struct check *check, const char *key)
{
	return store_get(check->view, key, NULL) != 0;
}

int64_t
store_check_member(const cJSON *row, const char *name)
{
	int64_t value;

	return json_integer(row, name, 0, JSON_MAX_INTEGER, &value) == 0 ?
	    value :
	    -1;
}

/* A row that must be there because of the one at hand. */
void
store_check_need(struct check *check, const char *word, const char *key)
{
	if (!store_check_there(check, key))
		store_check_found(check, word, check->key, "no row %s", key);
}

/* Every kind of row: fixed parts, "*" for the others. */
static const struct row_kind {
	const char *parts[CHECK_PARTS];
	void (*check)(struct check *check);
} row_kinds[] = {
	{ { "account", "*" }, store_check_account },
	{ { "account", "*", "credential", "*" }, NULL },
	{ { "account", "*", "address", "*" }, store_check_account_address },
	{ { "account", "*", "resource", "*" }, store_check_resource },
	{ { "account", "*", "message", "*" }, store_check_message },
	{ { "account", "*", "timeline", "*", "*" }, store_check_timeline },
	{ { "account", "*", "use", "*", "*" }, store_check_use },
	{ { "account", "*", "notice", "*" }, store_check_notice },
	{ { "account", "*", "share", "*" }, NULL },
	{ { "account", "*", "share", "*", "to", "*" }, NULL },
	{ { "account", "*", "failure", "*", "*" }, store_check_failure },
	{ { "account", "*", "record", "*" }, store_check_record },
	{ { "account", "*", "detail", "*" }, store_check_detail },
	{ { "address", "*" }, store_check_address },
	{ { "blob", "*" }, store_check_blob },
	{ { "blob", "*", "holder", "*" }, store_check_holder },
	{ { "blob", "*", "source", "*", "*" }, NULL },
	{ { "created", "*" }, store_check_created },
	{ { "due", "*", "page", "*" }, store_check_page_due },
	{ { "due", "*", "share", "*", "*" }, store_check_share_due },
	{ { "due", "*", "use", "*", "*", "*" }, store_check_use_due },
	{ { "garbage", "*", "*", "*", "*" }, store_check_garbage },
	{ { "origin", "*" }, NULL },
	{ { "page", "key", "*" }, store_check_page },
	{ { "queue", "*", "pull", "*" }, store_check_pull },
	{ { "queue", "*", "due", "*", "*" }, store_check_due },
	{ { "store", "version" }, NULL },
	{ { "upload", "*" }, store_check_upload },
};

static bool
kind_fits(const struct row_kind *kind, const struct check *check)
{
	unsigned i;

	for (i = 0; i < check->count; i++) {
		if (kind->parts[i] == NULL ||
		    (strcmp(kind->parts[i], "*") != 0 &&
			strcmp(kind->parts[i], check->parts[i]) != 0))
			return false;
	}
	return i < CHECK_PARTS && kind->parts[i] == NULL;
}

static void
row_split(struct check *check, const char *key)
{
	check->key = key;
	check->count = 0;
	while (check->count < CHECK_PARTS &&
	    store_key_part(key, check->count, check->parts[check->count],
		sizeof(check->parts[0])) > 0)
		check->count++;
}

/* A row of an account must stand below that account's own row. */
static void
row_owner(struct check *check)
{
	if (strcmp(check->parts[0], "account") != 0 || check->count == 2) {
		store_check_account_end(check);
		return;
	}
	if (strcmp(check->account.id, check->parts[1]) != 0)
		store_check_found(check, "row", check->key, "no account row");
}

static enum metadata_step
check_row(void *arg, const char *key, const struct metadata_value *value)
{
	struct check *check = arg;
	const struct row_kind *kind = row_kinds, *end;

	check->result->rows++;
	check->data = value->data;
	check->len = value->len;
	row_split(check, key);
	end = kind + sizeof(row_kinds) / sizeof(row_kinds[0]);
	while (kind < end && !kind_fits(kind, check))
		kind++;
	if (kind == end) {
		store_check_found(check, "row", key, "unknown");
		return METADATA_NEXT;
	}
	row_owner(check);
	check->row = json_parse(value->data, value->len, NULL);
	if (!cJSON_IsObject(check->row))
		store_check_found(check, "row", key, "torn");
	else if (kind->check != NULL)
		kind->check(check);
	cJSON_Delete(check->row);
	check->row = NULL;
	return METADATA_NEXT;
}

int
store_check_rows(struct check *check, struct reason *why)
{
	if (check->store->metadata->ops->scan(check->view->txn, "", NULL,
		check_row, check, why) != OUTCOME_OK)
		return -1;
	store_check_account_end(check);
	store_check_reserved(check);
	return 0;
}
