/* SPDX-License-Identifier: ISC
 *
 * cargomail-destinations(5): which Resource Mailbox an address has for a
 * category. Read once, before the chroot; written by the administrator.
 */
#ifndef DESTINATION_MAP_H
#define DESTINATION_MAP_H

#include <stddef.h>

#include "mail_address.h"
#include "service_url.h"

struct destination_map;

/* Reads the file. NULL with *error_r (one line, free()). */
struct destination_map *destination_map_read(const char *path,
    const struct service_ports *ports, char **error_r);

/* The same from memory; `name` stands for the path in errors. */
struct destination_map *destination_map_parse(const char *name,
    const char *text, const struct service_ports *ports, char **error_r);

void destination_map_free(struct destination_map **map);

struct destination {
	struct service_url url;
	char mailbox[MAIL_ADDRESS_SIZE]; /* whose account it is */
};

/*
 * Looks for the full address, then the address without extension, then its
 * @domain; of each first with this category (may be NULL), then with "*".
 * The first entry found decides. 1 and the destination, or 0 if there is
 * none or the entry is "-". The mailbox is the address itself if it was
 * found as it is, else the address without extension.
 */
int destination_map_find(const struct destination_map *map, const char *address,
    const char *delimiters, const char *category,
    struct destination *destination_r);

/* 1 if the address, or without its extension, has a destination of its own
 * for any category (its @domain does not count). */
int destination_map_has(const struct destination_map *map, const char *address,
    const char *delimiters);

/* 1 if a line names an address of this domain, or the domain itself. */
int destination_map_has_domain(const struct destination_map *map,
    const char *domain);

size_t destination_map_count(const struct destination_map *map);

#endif
