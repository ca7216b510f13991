/* SPDX-License-Identifier: ISC
 *
 * The maps of this host, the Resource Mailboxes that they name, and the peer
 * of the command line: each asked once for /.well-known/cargomail. What they
 * answer is theirs: hostile.
 */
#ifndef CHECK_ORIGIN_H
#define CHECK_ORIGIN_H

#include "check.h"

#define CHECK_ORIGINS_MAX 20

struct check_origin {
	char *url;
	const char *named_by; /* a map, "local_mailboxes" or "--peer" */
	bool own; /* served by this host: the same clock */
	enum outcome outcome;
	struct reason why;
	struct check_reply reply;
	int64_t now; /* of our clock as it answered: others may take long */
};

struct check_origins {
	struct check_origin items[CHECK_ORIGINS_MAX];
	size_t count, left; /* `left`: named, but not asked */
};

/* Collects and asks those of the maps at the first call. Owned by `check`. */
const struct check_origins *check_origins(struct check *check);

/* That of --peer, asked at the first call; NULL if it is none. Owned by
 * `check`. It is asked without the others, which may be many or dead. */
const struct check_origin *check_origin_peer(struct check *check);

/* Frees all of them. */
void check_origins_free(struct check *check);

/* Each line of a map with its key and its URL or "-"; none if the map cannot
 * be read. */
void check_map_each(const struct check *check, const char *path,
    void (*each)(const char *key, const char *url, void *context),
    void *context);

#endif
