/* SPDX-License-Identifier: ISC
 *
 * Rows that were parsed a moment ago. An agent that fetches the resources of
 * one share asks for the same few rows again and again: their bytes are read
 * from the store each time and compared, and only what changed is parsed
 * anew. So nothing here can be out of date. For one thread.
 */
#ifndef ROW_CACHE_H
#define ROW_CACHE_H

#include <cjson/cJSON.h>

#include "store.h"

struct row_cache;

struct row_cache *row_cache_new(void);
void row_cache_free(struct row_cache **cache);

/* As store_get_json, but the object is the cache's and lasts until
 * row_cache_release. */
int row_cache_get(struct row_cache *cache, struct store_view *view,
    const char *key, const cJSON **row_r);

/* Nothing that was got is looked at any more. */
void row_cache_release(struct row_cache *cache);

#endif
