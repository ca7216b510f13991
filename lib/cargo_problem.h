/* SPDX-License-Identifier: ISC
 *
 * Every way in which a Resource Mailbox says no: one table with name, HTTP
 * status, whether it is permanent, and a title. On the wire a problem is an
 * object of RFC 9457 whose type is "/problems/<name>". cargomail-protocol(7)
 * lists the same; a test compares. An unknown name is temporary.
 */
#ifndef CARGO_PROBLEM_H
#define CARGO_PROBLEM_H

#include <stdbool.h>
#include <stddef.h>

#include "outcome.h"

#define CARGO_PROBLEM_PREFIX "/problems/"
#define CARGO_PROBLEM_MEDIA_TYPE "application/problem+json"

struct cargo_problem {
	const char *name;
	int status; /* of HTTP */
	bool permanent; /* the same request will never do */
	/* It speaks of the whole share or token: what it says of one
	 * resource holds for all that are named with it. */
	bool whole;
	const char *title;
};

/* The table, in the order of the manual. */
const struct cargo_problem *cargo_problem_list(size_t *count_r);

/* NULL if there is no such name. */
const struct cargo_problem *cargo_problem_find(const char *name);

/* The name within a type member ("/problems/quota", also with scheme and
 * host before it); NULL if it has no such form. Points into `type`. */
const char *cargo_problem_name(const char *type);

/* The problem that answers a refusal: by its word if that is in the table,
 * else "refused" for a permanent one and "unavailable" for a temporary. */
const struct cargo_problem *cargo_problem_of(const struct reason *why);

/* The body of the answer, owned by the caller (free()). `detail` may be
 * NULL. NULL for want of memory. */
char *
cargo_problem_format(const struct cargo_problem *problem, const char *detail);

#endif
