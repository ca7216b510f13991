/* SPDX-License-Identifier: ISC
 *
 * What the owner himself puts, fetches or shares is "kept": it stays until he
 * deletes it. The rest of what an account holds stays as long as something
 * uses it (lapse.h).
 */
#ifndef RESOURCE_KEEP_H
#define RESOURCE_KEEP_H

#include <stdbool.h>

#include "store.h"
#include "store_account.h"

struct resource_keep {
	char account[STORE_ID_SIZE];
	char hash[SHA256_HEX_SIZE];
	int64_t now;
};

/* A work function; `arg` is a struct resource_keep. PERMFAIL "not-found". */
enum outcome resource_keep_work(struct store_txn *txn, void *arg);

/* The part for callers within other work functions, who put the account if
 * *news_r says that it was not kept before (then it is recorded). Two keys. */
enum outcome resource_keep(struct store_txn *txn, struct store_account *account,
    const char *hash, int64_t now, bool *news_r);

/* 1 if the account holds it and its owner has not asked for it, 0, -1 trouble.
 * `size_r` may be NULL. */
int resource_unkept(struct store_view *view, const char *account,
    const char *hash, int64_t *size_r);

#endif
