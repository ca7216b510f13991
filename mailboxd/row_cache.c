/* SPDX-License-Identifier: ISC
 *
 * Parsed rows in a few slots by the hash of their key. See row_cache.h.
 */
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "row_cache.h"

#define SLOTS 32
#define ROW_MAX 32768 /* bytes; larger ones are not kept */

struct slot {
	char *key; /* NULL: free */
	char *data;
	size_t len;
	cJSON *row;
};

/* Replaced while somebody may still look at it. */
struct dead {
	struct dead *next;
	cJSON *row;
};

struct row_cache {
	struct slot slots[SLOTS];
	struct buffer value;
	struct dead *dead;
};

struct row_cache *
row_cache_new(void)
{
	struct row_cache *cache = x_calloc(1, sizeof(*cache));

	buffer_init(&cache->value, STORE_VALUE_MAX);
	return cache;
}

void
row_cache_release(struct row_cache *cache)
{
	struct dead *dead;

	while ((dead = cache->dead) != NULL) {
		cache->dead = dead->next;
		cJSON_Delete(dead->row);
		free(dead);
	}
}

static void
bury(struct row_cache *cache, cJSON *row)
{
	struct dead *dead = x_malloc(sizeof(*dead));

	dead->row = row;
	dead->next = cache->dead;
	cache->dead = dead;
}

static void
slot_clear(struct row_cache *cache, struct slot *slot)
{
	if (slot->row != NULL)
		bury(cache, slot->row);
	free(slot->key);
	free(slot->data);
	memset(slot, 0, sizeof(*slot));
}

void
row_cache_free(struct row_cache **cache_p)
{
	struct row_cache *cache = *cache_p;
	unsigned i;

	if (cache == NULL)
		return;
	for (i = 0; i < SLOTS; i++)
		slot_clear(cache, &cache->slots[i]);
	row_cache_release(cache);
	buffer_free(&cache->value);
	x_free(cache_p);
}

/* FNV-1a: spreads, nothing more; a collision costs a parse. */
static struct slot *
slot_of(struct row_cache *cache, const char *key)
{
	unsigned hash = 2166136261U;

	for (; *key != '\0'; key++)
		hash = (hash ^ (unsigned char)*key) * 16777619U;
	return &cache->slots[(hash ^ (hash >> 16)) % SLOTS];
}

static bool
slot_fits(const struct slot *slot, const char *key, const struct buffer *value)
{
	return slot->key != NULL && slot->len == value->len &&
	    strcmp(slot->key, key) == 0 &&
	    memcmp(slot->data, value->data, value->len) == 0;
}

int
row_cache_get(struct row_cache *cache, struct store_view *view, const char *key,
    const cJSON **row_r)
{
	struct slot *slot = slot_of(cache, key);
	struct buffer *value = &cache->value;
	cJSON *row;
	int found;

	*row_r = NULL;
	buffer_clear(value);
	found = store_get(view, key, value);
	if (found != 1)
		return found;
	if (slot_fits(slot, key, value)) {
		*row_r = slot->row;
		return 1;
	}
	row = store_row_json(key, value->data, value->len);
	if (row == NULL)
		return -1;
	*row_r = row;
	if (value->len > ROW_MAX) {
		bury(cache, row);
		return 1;
	}
	slot_clear(cache, slot);
	slot->key = x_strdup(key);
	slot->data = x_memdup(value->data, value->len);
	slot->len = value->len;
	slot->row = row;
	return 1;
}
