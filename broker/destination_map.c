/* SPDX-License-Identifier: ISC
 *
 * The destination map: see destination_map.h. A line is an address or
 * "@domain", a category or "*", and a URL or "-". Sorted, searched by
 * bisection.
 */
#include "destination_map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buffer.h"
#include "cargo_placeholder.h"
#include "memory.h"

#define MAP_SIZE_MAX ((size_t)256 << 20)

struct entry {
	char *key; /* "bob@bar.test" or "@bar.test" */
	char *category; /* or "*" */
	char *url; /* NULL: none */
	int line;
};

struct destination_map {
	struct entry *entries;
	size_t count;
	struct service_ports ports;
};

static int
compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order = strcmp(x->key, y->key);

	return order != 0 ? order : strcmp(x->category, y->category);
}

static int
read_key(const char *word, char key_r[MAIL_ADDRESS_SIZE])
{
	char domain[256];

	if (word[0] != '@')
		return mail_address_normalise(word, key_r);
	if (mail_address_normalise_domain(word + 1, strlen(word + 1), domain) <
	    0)
		return -1;
	snprintf(key_r, MAIL_ADDRESS_SIZE, "@%s", domain);
	return 0;
}

/* NULL, or what is wrong with the line. */
static const char *
add_line(struct destination_map *map, char *line, int number)
{
	char key[MAIL_ADDRESS_SIZE];
	char *words[4] = { NULL }, *word;
	struct service_url url;
	struct entry *entry;
	int count = 0;

	line[strcspn(line, "#\r\n")] = '\0';
	while (count < 4 && (word = strsep(&line, " \t")) != NULL)
		if (word[0] != '\0')
			words[count++] = word;
	if (count == 0)
		return NULL;
	if (count != 3)
		return "an address, a category and a destination, please";
	if (read_key(words[0], key) < 0)
		return "bad address";
	if (strcmp(words[1], "*") != 0 && !cargo_category_valid(words[1]))
		return "bad category";
	if (strcmp(words[2], "-") != 0 &&
	    service_url_parse(words[2], &map->ports, &url) < 0)
		return "bad destination (https://host, host in lower case)";
	map->entries =
	    x_realloc(map->entries, (map->count + 1) * sizeof(*map->entries));
	entry = &map->entries[map->count++];
	entry->key = x_strdup(key);
	entry->category = x_strdup(words[1]);
	entry->url = strcmp(words[2], "-") != 0 ? x_strdup(url.text) : NULL;
	entry->line = number;
	return NULL;
}

/* 0, or -1 with an error if an address has two for one category. */
static int
sort(struct destination_map *map, const char *name, char **error_r)
{
	if (map->count > 0)
		qsort(map->entries, map->count, sizeof(*map->entries), compare);
	for (size_t i = 1; i < map->count; i++)
		if (compare(&map->entries[i - 1], &map->entries[i]) == 0) {
			*error_r =
			    x_asprintf("%s: lines %d and %d: %s has "
				       "two destinations for one category",
				name, map->entries[i - 1].line,
				map->entries[i].line, map->entries[i].key);
			return -1;
		}
	return 0;
}

struct destination_map *
destination_map_parse(const char *name, const char *text,
    const struct service_ports *ports, char **error_r)
{
	struct destination_map *map = x_calloc(1, sizeof(*map));
	char *copy = x_strdup(text), *rest = copy, *line;
	const char *error = NULL;
	int number = 0;

	map->ports = *ports;
	while (error == NULL && (line = strsep(&rest, "\n")) != NULL)
		error = add_line(map, line, ++number);
	free(copy);
	if (error != NULL)
		*error_r = x_asprintf("%s:%d: %s", name, number, error);
	if (error != NULL || sort(map, name, error_r) < 0)
		destination_map_free(&map);
	return map;
}

struct destination_map *
destination_map_read(const char *path, const struct service_ports *ports,
    char **error_r)
{
	struct destination_map *map = NULL;
	struct buffer text;
	ssize_t got = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *room;

	buffer_init(&text, MAP_SIZE_MAX);
	while (fd >= 0 && (room = buffer_reserve(&text, 65536)) != NULL &&
	    (got = read(fd, room, 65536)) > 0)
		text.len += (size_t)got;
	if (fd < 0 || got != 0) {
		*error_r = x_asprintf("%s: %s", path,
		    text.failed ? "too large" : strerror(errno));
		goto out;
	}
	buffer_add(&text, "", 0); /* ends it as a string */
	if (strlen(buffer_string(&text)) != text.len) {
		*error_r = x_asprintf("%s: not a text", path);
		goto out;
	}
	map = destination_map_parse(path, buffer_string(&text), ports, error_r);
out:
	if (fd >= 0)
		close(fd);
	buffer_free(&text);
	return map;
}

void
destination_map_free(struct destination_map **map)
{
	struct destination_map *old = *map;

	if (old == NULL)
		return;
	for (size_t i = 0; i < old->count; i++) {
		free(old->entries[i].key);
		free(old->entries[i].category);
		free(old->entries[i].url);
	}
	free(old->entries);
	x_free(map);
}

static const struct entry *
find_exact(const struct destination_map *map, const char *key,
    const char *category)
{
	/* bsearch() does not write; the casts are for its prototype. */
	struct entry wanted = { .key = (char *)(uintptr_t)key,
		.category = (char *)(uintptr_t)category };

	return map->count == 0 ? NULL :
				 bsearch(&wanted, map->entries, map->count,
				     sizeof(*map->entries), compare);
}

static const struct entry *
find_key(const struct destination_map *map, const char *key,
    const char *category)
{
	const struct entry *entry = NULL;

	if (category != NULL)
		entry = find_exact(map, key, category);
	return entry != NULL ? entry : find_exact(map, key, "*");
}

int
destination_map_find(const struct destination_map *map, const char *address,
    const char *delimiters, const char *category,
    struct destination *destination_r)
{
	char base[MAIL_ADDRESS_SIZE];
	int extended = mail_address_strip(address, delimiters, base);
	const struct entry *entry = find_key(map, address, category);

	snprintf(destination_r->mailbox, sizeof(destination_r->mailbox), "%s",
	    entry == NULL && extended ? base : address);
	if (entry == NULL && extended)
		entry = find_key(map, base, category);
	if (entry == NULL && strrchr(address, '@') != NULL)
		entry = find_key(map, strrchr(address, '@'), category);
	if (entry == NULL || entry->url == NULL)
		return 0;
	return service_url_parse(entry->url, &map->ports,
		   &destination_r->url) == 0;
}

/* True if the key has a destination, for whatever category. */
static bool
has_some(const struct destination_map *map, const char *key)
{
	size_t low = 0, high = map->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(map->entries[middle].key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < map->count && strcmp(map->entries[low].key, key) == 0;
	     low++)
		if (map->entries[low].url != NULL)
			return true;
	return false;
}

int
destination_map_has(const struct destination_map *map, const char *address,
    const char *delimiters)
{
	char base[MAIL_ADDRESS_SIZE];

	return has_some(map, address) ||
	    (mail_address_strip(address, delimiters, base) &&
		has_some(map, base));
}

int
destination_map_has_domain(const struct destination_map *map,
    const char *domain)
{
	for (size_t i = 0; i < map->count; i++) {
		const char *at = strrchr(map->entries[i].key, '@');

		if (at != NULL && strcmp(at + 1, domain) == 0)
			return 1;
	}
	return 0;
}

size_t
destination_map_count(const struct destination_map *map)
{
	return map->count;
}
