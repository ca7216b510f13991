/* SPDX-License-Identifier: ISC
 *
 * What the DNS said of mail domains: whether they have Cargomail. A table of
 * fixed size; each domain has one slot, by a keyed hash, and who comes later
 * takes it. So whoever writes to many domains can make us ask again, and no
 * more.
 */
#ifndef DOMAIN_CACHE_H
#define DOMAIN_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DOMAIN_CACHE_SLOTS 1024
#define DOMAIN_CACHE_SECONDS 600 /* kept at most, whatever the TTL */

struct domain_entry {
	bool present;
	bool secure;
	int64_t until; /* seconds since 1970; not used after it */
};

struct domain_cache;

struct domain_cache *domain_cache_new(void);
void domain_cache_free(struct domain_cache **cache);

/* The entry, good until the next call, or NULL if there is none or it is
 * over. `domain` in lower case. */
const struct domain_entry *domain_cache_find(const struct domain_cache *cache,
    const char *domain, int64_t now);

/* Keeps the answer until `entry->until`. */
void domain_cache_add(struct domain_cache *cache, const char *domain,
    const struct domain_entry *entry);

void domain_cache_flush(struct domain_cache *cache);

#endif
