/* SPDX-License-Identifier: ISC
 *
 * The cache of verdicts: tokens that passed all checks, by a hash of token,
 * certificate and audience. Holds good verdicts only, a bounded number of
 * them; the least recently used leaves first. Whoever finds an entry checks
 * time and purpose again.
 */
#ifndef CHAIN_CACHE_H
#define CHAIN_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "grip_token.h"

#define CHAIN_KEY_LEN 32

struct chain_verdict {
	const struct grip_token *token; /* the cache's */
	bool secure; /* every DNS answer was validated */
	int64_t until; /* seconds since 1970; not used after it */
};

struct chain_cache;

/* `max` entries at most; 0: nothing is kept. */
struct chain_cache *chain_cache_new(size_t max);
void chain_cache_free(struct chain_cache **cache);

/* The verdict, good until the next call, or NULL. One that is over is
 * dropped. */
const struct chain_verdict *chain_cache_find(struct chain_cache *cache,
    const uint8_t key[CHAIN_KEY_LEN], int64_t now);

/* Takes the token over in any case; *token becomes NULL. */
void
chain_cache_add(struct chain_cache *cache, const uint8_t key[CHAIN_KEY_LEN],
    struct grip_token **token, bool secure, int64_t until);

/* Drops all; how many there were. */
size_t chain_cache_flush(struct chain_cache *cache);
size_t chain_cache_count(const struct chain_cache *cache);

#endif
