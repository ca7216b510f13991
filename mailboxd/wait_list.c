/* SPDX-License-Identifier: ISC
 *
 * Visitors who wait. See wait_list.h.
 */
#include <stdlib.h>

#include "clock.h"
#include "log.h"
#include "memory.h"
#include "wait_list.h"

struct waiter {
	struct waiter *next;
	struct visit *visit; /* NULL: answered, to be taken out */
	int64_t deadline_ms;
};

struct wait_list {
	wait_list_try *try;
	struct event *event;
	struct waiter *first, **last;
	unsigned count;
};

static void
schedule(struct wait_list *list)
{
	const struct timeval second = { 1, 0 };

	if (list->first != NULL)
		event_add(list->event, &second);
}

static void
drop(struct waiter *waiter)
{
	if (waiter->visit != NULL)
		visit_release(waiter->visit);
	waiter->visit = NULL;
}

/* Those who are answered or gone are taken out. */
static void
clean(struct wait_list *list)
{
	struct waiter **link = &list->first, *waiter;

	while ((waiter = *link) != NULL) {
		if (waiter->visit != NULL) {
			link = &waiter->next;
			continue;
		}
		*link = waiter->next;
		list->count--;
		free(waiter);
	}
	list->last = link;
}

static void
on_event(evutil_socket_t fd, short events, void *arg)
{
	struct wait_list *list = arg;
	struct waiter *waiter;
	int64_t now_ms = clock_monotonic_ms();

	(void)fd;
	(void)events;
	for (waiter = list->first; waiter != NULL; waiter = waiter->next) {
		if (waiter->visit == NULL)
			continue;
		if (waiter->visit->x == NULL ||
		    list->try(waiter->visit, now_ms >= waiter->deadline_ms))
			drop(waiter);
	}
	clean(list);
	schedule(list);
}

struct wait_list *
wait_list_new(struct event_base *base, wait_list_try *try)
{
	struct wait_list *list = x_calloc(1, sizeof(*list));

	list->try = try;
	list->last = &list->first;
	list->event = event_new(base, -1, 0, on_event, list);
	if (list->event == NULL)
		log_panic("out of memory");
	return list;
}

void
wait_list_free(struct wait_list **list_p)
{
	struct wait_list *list = *list_p;
	struct waiter *waiter;

	if (list == NULL)
		return;
	for (waiter = list->first; waiter != NULL; waiter = waiter->next)
		drop(waiter);
	clean(list);
	event_free(list->event);
	x_free(list_p);
}

void
wait_list_add(struct wait_list *list, struct visit *visit, int seconds)
{
	struct waiter *waiter;

	if (list->count >= WAIT_LIST_MAX) {
		list->try(visit, true);
		return;
	}
	waiter = x_calloc(1, sizeof(*waiter));
	waiter->visit = visit_hold(visit);
	waiter->deadline_ms = clock_monotonic_ms() + seconds * 1000LL;
	*list->last = waiter;
	list->last = &waiter->next;
	list->count++;
	wait_list_poke(list);
}

struct visit *
wait_list_first(const struct wait_list *list)
{
	const struct waiter *waiter;

	for (waiter = list->first; waiter != NULL; waiter = waiter->next)
		if (waiter->visit != NULL && waiter->visit->x != NULL)
			return waiter->visit;
	return NULL;
}

void
wait_list_remove(struct wait_list *list, const struct visit *visit)
{
	struct waiter *waiter;

	for (waiter = list->first; waiter != NULL; waiter = waiter->next)
		if (waiter->visit == visit)
			drop(waiter);
	/* Taken out by the next event: a walk may be under way. */
}

void
wait_list_poke(struct wait_list *list)
{
	if (list->first != NULL)
		event_active(list->event, EV_TIMEOUT, 0);
}
