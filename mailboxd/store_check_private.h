/* SPDX-License-Identifier: ISC
 *
 * What the files of fsck share: store_check.c (the pass over the files),
 * store_check_rows.c (the pass over the rows) and, for what each kind of row
 * is compared with, store_check_account.c, _blob.c, _lapse.c, _page.c
 * and _queue.c.
 */
#ifndef STORE_CHECK_PRIVATE_H
#define STORE_CHECK_PRIVATE_H

#include "store_account.h"
#include "store_check.h"
#include "store_private.h"

#define CHECK_PARTS 7

/* An account and what its row says is reserved; pulls are taken off. */
struct reserved {
	char account[STORE_ID_SIZE];
	int64_t bytes;
};

struct check {
	struct store *store;
	struct store_view *view;
	const struct store_check_options *options;
	store_finding_fn *finding;
	void *arg;
	struct store_check_result *result;

	/* The row at hand. */
	const char *key;
	const void *data;
	size_t len;
	cJSON *row;
	char parts[CHECK_PARTS][STORE_KEY_MAX + 1];
	unsigned count;

	/* The account that the pass is in; "" none. */
	struct store_account account;
	int64_t used, records;
	uint8_t head[SHA256_LEN];

	struct reserved *reserved;
	size_t reserved_count, reserved_size;
};

/* Reports a finding. */
void store_check_found(struct check *check, const char *word, const char *key,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Compares all rows; -1 with `why`. */
int store_check_rows(struct check *check, struct reason *why);

/* Whether a row is there; trouble counts as there. */
bool store_check_there(struct check *check, const char *key);

/* A row that must be there because of the one at hand. */
void store_check_need(struct check *check, const char *word, const char *key);

/* A number that is not negative; -1 without. */
int64_t store_check_member(const cJSON *row, const char *name);

/* The rows of the account before are over: compares its sums. */
void store_check_account_end(struct check *check);

/* Notes what an account has reserved; once all pulls have been taken off,
 * store_check_reserved finds what is too much. */
void
store_check_reserve(struct check *check, const struct store_account *account);
void store_check_reserved(struct check *check);

/* One kind of row each: the row at hand. store_check_account.c */
void store_check_account(struct check *check);
void store_check_account_address(struct check *check);
void store_check_resource(struct check *check);
void store_check_message(struct check *check);
void store_check_timeline(struct check *check);
void store_check_use(struct check *check);
void store_check_notice(struct check *check);
void store_check_failure(struct check *check);
void store_check_record(struct check *check);
void store_check_detail(struct check *check);
void store_check_address(struct check *check);
void store_check_created(struct check *check);

/* store_check_blob.c */
void store_check_blob(struct check *check);
void store_check_holder(struct check *check);
void store_check_garbage(struct check *check);
void store_check_upload(struct check *check);

/* store_check_page.c */
void store_check_page(struct check *check);
void store_check_page_due(struct check *check);

/* store_check_lapse.c */
void store_check_share_use(struct check *check);
void store_check_share_due(struct check *check);
void store_check_use_due(struct check *check);
void store_check_unused(struct check *check);

/* store_check_queue.c */
void store_check_pull(struct check *check);
void store_check_due(struct check *check);

#endif
