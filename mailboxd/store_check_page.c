/* SPDX-License-Identifier: ISC
 *
 * fsck, the rows of pages: each has a share, and a time when it goes.
 */
#include "store_check_private.h"

#include "json_strict.h"

void
store_check_page(struct check *check)
{
	const char *account = json_string(check->row, "account");
	const char *share = json_string(check->row, "share");
	const int64_t due = store_check_member(check->row, "due");
	struct store_key key;

	if (account == NULL || share == NULL || due == -1 ||
	    json_string(check->row, "recipient") == NULL ||
	    store_check_member(check->row, "expires") == -1) {
		store_check_found(check, "row", check->key,
		    "no account, share, recipient, expires or due");
		return;
	}
	store_check_need(check, "page", store_key_share(&key, account, share));
	store_check_need(check, "page",
	    store_key_page_due(&key, due, check->parts[2]));
}

void
store_check_page_due(struct check *check)
{
	struct store_key key;
	int64_t when;

	if (store_key_number(check->key, 1, &when) == -1)
		store_check_found(check, "row", check->key,
		    "no time in the key");
	else
		store_check_need(check, "page",
		    store_key_page(&key, check->parts[3]));
}
