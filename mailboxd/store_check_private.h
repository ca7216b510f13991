/* SPDX-License-Identifier: ISC
 *
 * What the files of fsck share: store_check.c (the pass over the files) and
 * store_check_rows.c (the pass over the rows).
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

#endif
