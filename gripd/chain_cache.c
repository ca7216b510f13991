/* SPDX-License-Identifier: ISC
 *
 * Verdicts in a hash table with a list of use. Keys are SHA-256, so any of
 * their bits serve as index; an attacker who grinds for one bucket only adds
 * to a chain that `max` bounds.
 */
#include "chain_cache.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "memory.h"

struct entry {
	TAILQ_ENTRY(entry) use; /* most recently used first */
	LIST_ENTRY(entry) bucket;
	uint8_t key[CHAIN_KEY_LEN];
	struct grip_token *token;
	struct chain_verdict verdict;
};

TAILQ_HEAD(uses, entry);
LIST_HEAD(bucket, entry);

struct chain_cache {
	struct uses uses;
	struct bucket *buckets;
	size_t bucket_count;
	size_t count;
	size_t max;
};

struct chain_cache *
chain_cache_new(size_t max)
{
	struct chain_cache *cache = x_calloc(1, sizeof(*cache));

	TAILQ_INIT(&cache->uses);
	cache->max = max;
	cache->bucket_count = max > 0 ? max : 1;
	cache->buckets = x_calloc(cache->bucket_count, sizeof(*cache->buckets));
	return cache;
}

static struct bucket *
find_bucket(struct chain_cache *cache, const uint8_t key[CHAIN_KEY_LEN])
{
	uint64_t index;

	memcpy(&index, key, sizeof(index));
	return &cache->buckets[index % cache->bucket_count];
}

static struct entry *
find_entry(struct chain_cache *cache, const uint8_t key[CHAIN_KEY_LEN])
{
	struct entry *entry;

	LIST_FOREACH(entry, find_bucket(cache, key), bucket)
	if (memcmp(entry->key, key, CHAIN_KEY_LEN) == 0)
		return entry;
	return NULL;
}

static void
drop(struct chain_cache *cache, struct entry *entry)
{
	TAILQ_REMOVE(&cache->uses, entry, use);
	LIST_REMOVE(entry, bucket);
	grip_token_free(&entry->token);
	free(entry);
	cache->count--;
}

const struct chain_verdict *
chain_cache_find(struct chain_cache *cache, const uint8_t key[CHAIN_KEY_LEN],
    int64_t now)
{
	struct entry *entry = find_entry(cache, key);

	if (entry == NULL)
		return NULL;
	if (entry->verdict.until < now) {
		drop(cache, entry);
		return NULL;
	}
	TAILQ_REMOVE(&cache->uses, entry, use);
	TAILQ_INSERT_HEAD(&cache->uses, entry, use);
	return &entry->verdict;
}

void
chain_cache_add(struct chain_cache *cache, const uint8_t key[CHAIN_KEY_LEN],
    struct grip_token **token, bool secure, int64_t until)
{
	struct entry *entry = find_entry(cache, key);

	if (cache->max == 0) {
		grip_token_free(token);
		return;
	}
	if (entry != NULL)
		drop(cache, entry);
	while (cache->count >= cache->max)
		drop(cache, TAILQ_LAST(&cache->uses, uses));
	entry = x_calloc(1, sizeof(*entry));
	memcpy(entry->key, key, CHAIN_KEY_LEN);
	entry->token = *token;
	*token = NULL;
	entry->verdict.token = entry->token;
	entry->verdict.secure = secure;
	entry->verdict.until = until;
	TAILQ_INSERT_HEAD(&cache->uses, entry, use);
	LIST_INSERT_HEAD(find_bucket(cache, key), entry, bucket);
	cache->count++;
}

size_t
chain_cache_flush(struct chain_cache *cache)
{
	size_t count = cache->count;

	while (!TAILQ_EMPTY(&cache->uses))
		drop(cache, TAILQ_FIRST(&cache->uses));
	return count;
}

size_t
chain_cache_count(const struct chain_cache *cache)
{
	return cache->count;
}

void
chain_cache_free(struct chain_cache **cache)
{
	if (*cache == NULL)
		return;
	chain_cache_flush(*cache);
	free((*cache)->buckets);
	x_free(cache);
}
