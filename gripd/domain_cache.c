/* SPDX-License-Identifier: ISC
 *
 * Answers about mail domains: see domain_cache.h.
 */
#include "domain_cache.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grip_name.h"
#include "memory.h"

struct slot {
	char domain[GRIP_NAME_SIZE]; /* "": free */
	struct domain_entry entry;
};

struct domain_cache {
	unsigned char key[crypto_shorthash_KEYBYTES];
	struct slot slots[DOMAIN_CACHE_SLOTS];
};

struct domain_cache *
domain_cache_new(void)
{
	struct domain_cache *cache = x_calloc(1, sizeof(*cache));

	crypto_shorthash_keygen(cache->key);
	return cache;
}

void
domain_cache_free(struct domain_cache **cache)
{
	x_free(cache);
}

static size_t
find_slot(const struct domain_cache *cache, const char *domain)
{
	unsigned char hash[crypto_shorthash_BYTES];
	uint64_t index;

	crypto_shorthash(hash, (const unsigned char *)domain, strlen(domain),
	    cache->key);
	memcpy(&index, hash, sizeof(index));
	return index % DOMAIN_CACHE_SLOTS;
}

const struct domain_entry *
domain_cache_find(const struct domain_cache *cache, const char *domain,
    int64_t now)
{
	const struct slot *slot = &cache->slots[find_slot(cache, domain)];

	if (strcmp(slot->domain, domain) != 0 || slot->entry.until < now)
		return NULL;
	return &slot->entry;
}

void
domain_cache_add(struct domain_cache *cache, const char *domain,
    const struct domain_entry *entry)
{
	struct slot *slot = &cache->slots[find_slot(cache, domain)];

	if (strlen(domain) >= sizeof(slot->domain))
		return;
	snprintf(slot->domain, sizeof(slot->domain), "%s", domain);
	slot->entry = *entry;
}

void
domain_cache_flush(struct domain_cache *cache)
{
	memset(cache->slots, 0, sizeof(cache->slots));
}
