/* SPDX-License-Identifier: ISC
 *
 * Quota arithmetic: see quota.h. Sizes come from strangers; none of it
 * overflows or goes below zero.
 */
#include "quota.h"

int64_t
quota_left(const struct store_account *account)
{
	int64_t left = account->quota;

	/* Both are at most 2^53. */
	left -= account->used + account->reserved;
	return left > 0 ? left : 0;
}

static enum outcome
quota_add(struct store_account *account, int64_t *sum, int64_t bytes,
    struct reason *why)
{
	if (bytes < 0)
		return reason_set(why, OUTCOME_TEMPFAIL, "internal",
		    "quota: negative size");
	if (bytes > quota_left(account))
		return reason_set(why, OUTCOME_TEMPFAIL, "quota",
		    "%lld bytes do not fit, %lld are left", (long long)bytes,
		    (long long)quota_left(account));
	*sum += bytes;
	return OUTCOME_OK;
}

static enum outcome
quota_subtract(int64_t *sum, int64_t bytes, struct reason *why)
{
	if (bytes < 0 || bytes > *sum)
		return reason_set(why, OUTCOME_TEMPFAIL, "internal",
		    "quota: %lld bytes taken from %lld", (long long)bytes,
		    (long long)*sum);
	*sum -= bytes;
	return OUTCOME_OK;
}

enum outcome
quota_reserve(struct store_account *account, int64_t bytes, struct reason *why)
{
	return quota_add(account, &account->reserved, bytes, why);
}

enum outcome
quota_commit(struct store_account *account, int64_t bytes, struct reason *why)
{
	enum outcome outcome;

	outcome = quota_subtract(&account->reserved, bytes, why);
	if (outcome == OUTCOME_OK)
		account->used += bytes;
	return outcome;
}

enum outcome
quota_release(struct store_account *account, int64_t bytes, struct reason *why)
{
	return quota_subtract(&account->reserved, bytes, why);
}

enum outcome
quota_take(struct store_account *account, int64_t bytes, struct reason *why)
{
	return quota_add(account, &account->used, bytes, why);
}

enum outcome
quota_free(struct store_account *account, int64_t bytes, struct reason *why)
{
	return quota_subtract(&account->used, bytes, why);
}
