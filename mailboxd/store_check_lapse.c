/* SPDX-License-Identifier: ISC
 *
 * fsck, what ends by itself: nothing that a broker put stays for ever, because
 * each such use row has its time, and each resource something that wants it.
 */
#include "store_check_private.h"

#include "json_strict.h"

/* A share that may yet be made, so its row may be missing. */
void
store_check_share_use(struct check *check)
{
	const int64_t due = store_check_member(check->row, "due");
	struct store_key key;

	if (due == -1 || json_string(check->row, "broker") == NULL)
		store_check_found(check, "row", check->key, "no broker or due");
	else
		store_check_need(check, "lapse",
		    store_key_use_due(&key, due, check->parts[1],
			check->parts[3], check->parts[4]));
}

void
store_check_use_due(struct check *check)
{
	struct store_key key;
	cJSON *row = NULL;
	int64_t when;

	if (store_key_number(check->key, 1, &when) == -1)
		store_check_found(check, "row", check->key,
		    "no time in the key");
	else if (store_get_json(check->view,
		     store_key_use(&key, check->parts[3], check->parts[4],
			 check->parts[5]),
		     &row) != 1)
		store_check_found(check, "lapse", check->key, "no row %s",
		    key.text);
	else if (store_check_member(row, "due") != when)
		store_check_found(check, "lapse", check->key,
		    "%s has another time", key.text);
	cJSON_Delete(row);
}

void
store_check_share_due(struct check *check)
{
	struct store_key key;
	cJSON *row = NULL;
	int64_t when;

	if (store_key_number(check->key, 1, &when) == -1)
		store_check_found(check, "row", check->key,
		    "no time in the key");
	else if (store_get_json(check->view,
		     store_key_share(&key, check->parts[3], check->parts[4]),
		     &row) != 1)
		store_check_found(check, "lapse", check->key, "no row %s",
		    key.text);
	else if (store_check_member(row, "revoked") == -1)
		store_check_found(check, "lapse", check->key,
		    "%s was not withdrawn", key.text);
	cJSON_Delete(row);
}

static enum store_step
any_row(void *arg, const char *key, const void *data, size_t len)
{
	(void)key;
	(void)data;
	(void)len;
	*(bool *)arg = true;
	return STORE_STOP;
}

/* A resource that its owner did not ask for is there for something. */
void
store_check_unused(struct check *check)
{
	struct store_key key;
	bool any = false;

	if (json_boolean(check->row, "kept") != 0)
		return;
	store_scan(check->view,
	    store_key_use(&key, check->parts[1], check->parts[3], NULL), NULL,
	    any_row, &any);
	if (!any)
		store_check_found(check, "lapse", check->key,
		    "nothing uses it, and its owner did not put it");
}
