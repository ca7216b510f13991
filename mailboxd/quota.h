/* SPDX-License-Identifier: ISC
 *
 * Quota: pure functions over the account row. Bytes are first promised
 * (reserved, when a notification arrives), then stored (used). Never
 * negative, never overflowing; used + reserved <= quota whenever something
 * is added (the quota may be lowered later).
 */
#ifndef QUOTA_H
#define QUOTA_H

#include "store_account.h"

/* Bytes that may still be promised or stored. */
int64_t quota_left(const struct store_account *account);

/* Promises `bytes`; TEMPFAIL "quota" if they do not fit. */
enum outcome
quota_reserve(struct store_account *account, int64_t bytes, struct reason *why);

/* Promised bytes are now stored. TEMPFAIL "internal" if fewer were promised: a
 * bug of ours. */
enum outcome
quota_commit(struct store_account *account, int64_t bytes, struct reason *why);

/* A promise is off. The same failure. */
enum outcome
quota_release(struct store_account *account, int64_t bytes, struct reason *why);

/* Stores without a promise (an owner's PUT); TEMPFAIL "quota". */
enum outcome
quota_take(struct store_account *account, int64_t bytes, struct reason *why);

/* Stored bytes are let go of. TEMPFAIL "internal" if fewer were stored. */
enum outcome
quota_free(struct store_account *account, int64_t bytes, struct reason *why);

#endif
