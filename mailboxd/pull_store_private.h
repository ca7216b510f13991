/* SPDX-License-Identifier: ISC
 *
 * What a work function of a pull begins with: pull_store.c (leases and
 * times) and pull_store_resources.c (what becomes of the resources).
 */
#ifndef PULL_STORE_PRIVATE_H
#define PULL_STORE_PRIVATE_H

#include "pull_store.h"
#include "store_account.h"

/* The pull, its message, its account. */
struct pull_work {
	struct store_txn *txn;
	struct store_view *view;
	struct pull_row row;
	int64_t old_due;
	cJSON *message;
	struct store_account account;
	bool has_account;
};

/* Reads the pull; refused "lease" unless its lease is `number` (-1: any).
 * Close it if OK. */
enum outcome pull_work_open_row(struct pull_work *work, struct store_txn *txn,
    const char *message, int64_t number);

/* The same with message and account. */
enum outcome pull_work_open(struct pull_work *work, struct store_txn *txn,
    const char *message, int64_t number);
void pull_work_close(struct pull_work *work);

/* The store could not be read: TEMPFAIL, said in the transaction's reason. */
enum outcome pull_work_trouble(struct store_txn *txn);

/* An origin that serves is in order again. */
void pull_origin_good(struct store_txn *txn, const char *origin);

#endif
