/* SPDX-License-Identifier: ISC
 *
 * The administrator's verb renotify: each notification is made in a process of
 * its own, for it blocks and reads a message; the parent waits for its
 * answer on the loop.
 */
#ifndef RENOTIFY_CHILD_H
#define RENOTIFY_CHILD_H

#include <event2/event.h>

#include "breaker.h"
#include "control.h"
#include "renotify.h"

struct renotify_children;

struct renotify_options {
	const struct broker_config *config;
	const struct destination_map *map;
	struct breaker *breaker;
	struct metrics *metrics;
};

/* What `options` points to must outlive it. */
struct renotify_children *renotify_children_new(struct event_base *base,
    const struct renotify_options *options);

/* Ends those under way. The control connections must live. */
void renotify_children_free(struct renotify_children **children);

/* Answers the request: {"message", "destination"}, or why not. TEMPFAIL
 * "busy" if too many are under way. */
void renotify_children_serve(struct renotify_children *children,
    struct control_connection *connection, const cJSON *request);

#endif
