/* SPDX-License-Identifier: ISC
 *
 * Every request that mailboxd answers: one table of method, path, door, who
 * may call it and the function that serves it.
 */
#ifndef ROUTES_H
#define ROUTES_H

#include "http_parse.h"
#include "mailboxd.h"
#include "outcome.h"
#include "visit.h"

#define ROUTE_SEGMENTS 4

/* What the '*' in a path must be. */
enum route_subject {
	ROUTE_NO_SUBJECT,
	ROUTE_HASH, /* 64 hex digits */
	ROUTE_ID, /* message id */
	ROUTE_SHARE, /* share id */
	ROUTE_LEASE, /* message id, '-', number */
};

struct route {
	enum http_method method;
	const char *path[ROUTE_SEGMENTS]; /* "*" is the subject */
	enum route_subject subject;
	unsigned doors; /* bits 1 << enum door */
	unsigned accept; /* enum caller_accept */
	void (*serve)(struct visit *visit);
};

/* OK with the route and its subject ("" if it has none; within the
 * request), or "not-found", "method", "malformed". */
enum outcome routes_find(const struct http_request *request, enum door door,
    const struct route **route_r, const char **subject_r, struct reason *why);

/* The whole table, for tests of the manual. */
const struct route *routes_list(size_t *count_r);

#endif
