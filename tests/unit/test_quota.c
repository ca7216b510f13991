/* SPDX-License-Identifier: ISC
 *
 * Quota arithmetic.
 */
#include "quota.h"

#include "test.h"

TEST(table)
{
	typedef enum outcome quota_fn(struct store_account *, int64_t,
	    struct reason *);
	static const struct {
		quota_fn *call;
		int64_t quota, used, reserved, bytes;
		int64_t used_after, reserved_after;
		const char *word; /* "": OK */
	} rows[] = {
		{ quota_reserve, 100, 0, 0, 100, 0, 100, "" },
		{ quota_reserve, 100, 0, 0, 101, 0, 0, "quota" },
		{ quota_reserve, 100, 60, 30, 10, 60, 40, "" },
		{ quota_reserve, 100, 60, 30, 11, 60, 30, "quota" },
		{ quota_reserve, 100, 200, 0, 1, 200, 0, "quota" },
		{ quota_reserve, 100, 200, 0, 0, 200, 0, "" },
		{ quota_reserve, 100, 0, 0, -1, 0, 0, "internal" },
		{ quota_reserve, 100, 0, 0, INT64_MAX, 0, 0, "quota" },
		{ quota_commit, 100, 10, 30, 30, 40, 0, "" },
		{ quota_commit, 100, 10, 30, 31, 10, 30, "internal" },
		{ quota_commit, 0, 10, 30, 30, 40, 0, "" },
		{ quota_release, 100, 10, 30, 20, 10, 10, "" },
		{ quota_release, 100, 10, 30, 31, 10, 30, "internal" },
		{ quota_take, 100, 10, 30, 60, 70, 30, "" },
		{ quota_take, 100, 10, 30, 61, 10, 30, "quota" },
		{ quota_free, 100, 10, 30, 10, 0, 30, "" },
		{ quota_free, 100, 10, 30, 11, 10, 30, "internal" },
		{ quota_free, 100, 10, 30, -1, 10, 30, "internal" },
	};
	struct store_account account = { 0 };
	struct reason why;
	enum outcome outcome;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memset(&why, 0, sizeof(why));
		account.quota = rows[i].quota;
		account.used = rows[i].used;
		account.reserved = rows[i].reserved;
		outcome = rows[i].call(&account, rows[i].bytes, &why);
		CHECK_FOR(outcome ==
			(*rows[i].word ? OUTCOME_TEMPFAIL : OUTCOME_OK),
		    "%zu", i);
		CHECK_STRING(why.word, rows[i].word);
		CHECK_FOR(account.used == rows[i].used_after, "%zu", i);
		CHECK_FOR(account.reserved == rows[i].reserved_after, "%zu", i);
	}
}

int
main(void)
{
	RUN(table);
	return test_done();
}
