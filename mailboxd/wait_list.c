/* SPDX-License-Identifier: ISC
 *
 * Visitors who wait. See wait_list.h.
 */
#include <stdlib.h>
#include <string.h>

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
	bool poked; /* something changed since the last look */
};

static void
schedule(struct wait_list *list)
{
	const struct timeval second = { 1, 0 };

	if (list->first != NULL &&
	    !event_pending(list->event, EV_TIMEOUT, NULL))
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
	bool poked = list->poked, last;

	(void)fd;
	(void)events;
	list->poked = false;
	for (waiter = list->first; waiter != NULL; waiter = waiter->next) {
		if (waiter->visit == NULL)
			continue;
		last = now_ms >= waiter->deadline_ms;
		if (waiter->visit->x == NULL ||
		    ((poked || last) && list->try(waiter->visit, last)))
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

/* Each one's question costs the loop something: an account has so many. */
static bool
is_full(const struct wait_list *list, const struct visit *visit)
{
	const char *account = visit->caller.account;
	const struct waiter *waiter;
	unsigned own = 0;

	if (list->count >= WAIT_LIST_MAX)
		return true;
	if (account[0] == '\0')
		return false;
	for (waiter = list->first; waiter != NULL; waiter = waiter->next)
		own += waiter->visit != NULL &&
		    strcmp(waiter->visit->caller.account, account) == 0;
	return own >= WAIT_LIST_OWN_MAX;
}

void
wait_list_add(struct wait_list *list, struct visit *visit, int seconds)
{
	struct waiter *waiter;

	if (is_full(list, visit)) {
		list->try(visit, true);
		return;
	}
	waiter = x_calloc(1, sizeof(*waiter));
	waiter->visit = visit_hold(visit);
	waiter->deadline_ms = clock_monotonic_ms() + seconds * 1000LL;
	*list->last = waiter;
	list->last = &waiter->next;
	list->count++;
	schedule(list);
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
	if (list->first == NULL)
		return;
	list->poked = true;
	event_active(list->event, EV_TIMEOUT, 0);
}
