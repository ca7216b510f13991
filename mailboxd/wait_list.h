/* SPDX-License-Identifier: ISC
 *
 * Visitors who wait for something to happen (?wait=N). Whoever changes
 * something pokes the list; then, and at the end of its time, each is tried
 * again.
 */
#ifndef WAIT_LIST_H
#define WAIT_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include <event2/event.h>

#include "visit.h"

#define WAIT_LIST_MAX 10000 /* visitors */
#define WAIT_LIST_OWN_MAX 32 /* of one account */

struct wait_list;

/*
 * `try` answers the visitor and returns true, or returns false: wait on.
 * `last` is set at the end of the time: then it must answer. Not called for
 * who is gone.
 */
typedef bool wait_list_try(struct visit *visit, bool last);

struct wait_list *wait_list_new(struct event_base *base, wait_list_try *try);
void wait_list_free(struct wait_list **list);

/* Waits for `seconds`; holds the visit. With too many on the list it is
 * tried for the last time at once. */
void wait_list_add(struct wait_list *list, struct visit *visit, int seconds);

/* The one who waits longest and is still there; NULL if nobody waits. */
struct visit *wait_list_first(const struct wait_list *list);

/* The visitor was answered by other means. */
void wait_list_remove(struct wait_list *list, const struct visit *visit);

/* Something happened: all are tried soon, from the loop. */
void wait_list_poke(struct wait_list *list);

#endif
