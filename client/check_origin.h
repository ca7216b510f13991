/* SPDX-License-Identifier: ISC
 *
 * The Resource Mailboxes that this host's maps name, and the peer of the
 * command line: each asked once for /.well-known/cargomail. What they answer
 * is theirs: hostile.
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
};

struct check_origins {
	struct check_origin items[CHECK_ORIGINS_MAX];
	size_t count, left; /* `left`: named, but not asked */
};

/* Collects and asks them at the first call. Owned by `check`. */
const struct check_origins *check_origins(struct check *check);
void check_origins_free(struct check_origins **origins);

#endif
