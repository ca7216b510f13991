/* SPDX-License-Identifier: ISC
 *
 * The cache of verdicts: bounded, with time, least recently used out first.
 */
#include "chain_cache.h"

#include <stdlib.h>

#include "test.h"

static void
add(struct chain_cache *cache, uint8_t name, int64_t until)
{
	struct grip_token *token = calloc(1, sizeof(*token));
	uint8_t key[CHAIN_KEY_LEN] = { 0 };

	key[31] = name;
	chain_cache_add(cache, key, &token, name % 2, until);
	CHECK(token == NULL);
}

static const struct chain_verdict *
find(struct chain_cache *cache, uint8_t name, int64_t now)
{
	uint8_t key[CHAIN_KEY_LEN] = { 0 };

	key[31] = name;
	return chain_cache_find(cache, key, now);
}

TEST(finds_what_was_added)
{
	struct chain_cache *cache = chain_cache_new(10);

	CHECK(find(cache, 1, 0) == NULL);
	add(cache, 1, 100);
	add(cache, 2, 200);
	CHECK(find(cache, 1, 50) != NULL);
	CHECK(find(cache, 1, 50)->until == 100);
	CHECK(find(cache, 1, 50)->secure && !find(cache, 2, 50)->secure);
	CHECK(chain_cache_count(cache) == 2);
	/* The same once more takes the place of the first. */
	add(cache, 1, 300);
	CHECK(chain_cache_count(cache) == 2);
	CHECK(find(cache, 1, 50)->until == 300);
	chain_cache_free(&cache);
	CHECK(cache == NULL);
}

TEST(forgets_in_time)
{
	struct chain_cache *cache = chain_cache_new(10);

	add(cache, 1, 100);
	CHECK(find(cache, 1, 100) != NULL);
	CHECK(find(cache, 1, 101) == NULL);
	CHECK(chain_cache_count(cache) == 0);
	chain_cache_free(&cache);
}

TEST(drops_the_least_recently_used)
{
	struct chain_cache *cache = chain_cache_new(3);

	add(cache, 1, 100);
	add(cache, 2, 100);
	add(cache, 3, 100);
	CHECK(find(cache, 1, 0) != NULL);
	add(cache, 4, 100);
	CHECK(chain_cache_count(cache) == 3);
	CHECK(find(cache, 2, 0) == NULL);
	CHECK(find(cache, 1, 0) != NULL && find(cache, 3, 0) != NULL &&
	    find(cache, 4, 0) != NULL);
	chain_cache_free(&cache);
}

TEST(stays_bounded)
{
	struct chain_cache *cache = chain_cache_new(16), *none;

	for (int i = 0; i < 200; i++)
		add(cache, (uint8_t)i, 100);
	CHECK(chain_cache_count(cache) == 16);
	CHECK(chain_cache_flush(cache) == 16);
	CHECK(chain_cache_count(cache) == 0);
	CHECK(find(cache, 199, 0) == NULL);
	chain_cache_free(&cache);
	none = chain_cache_new(0);
	add(none, 1, 100);
	CHECK(find(none, 1, 0) == NULL);
	chain_cache_free(&none);
}

int
main(void)
{
	RUN(finds_what_was_added);
	RUN(forgets_in_time);
	RUN(drops_the_least_recently_used);
	RUN(stays_bounded);
	return test_done();
}
