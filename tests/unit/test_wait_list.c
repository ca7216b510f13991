/* SPDX-License-Identifier: ISC
 *
 * Who waits, and what that costs the loop.
 */
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "memory.h"
#include "test.h"
#include "wait_list.h"

static struct event_base *base;
static struct wait_list *list;
static int tried, answered;

static bool
count(struct visit *visit, bool last)
{
	(void)visit;
	tried++;
	answered += last;
	return last;
}

static struct visit *
visit_of(const char *account)
{
	static int there;
	struct visit *visit = x_calloc(1, sizeof(*visit));

	/* Only whether it is NULL counts. */
	visit->x = (struct http_exchange *)(void *)&there;
	visit->references = 1;
	strcpy(visit->caller.account, account);
	return visit;
}

static void
set_up(void)
{
	base = event_base_new();
	list = wait_list_new(base, count);
	tried = answered = 0;
}

static void
tear_down(void)
{
	wait_list_free(&list);
	event_base_free(base);
}

static void
turn(void)
{
	event_base_loop(base, EVLOOP_NONBLOCK);
}

TEST(nobody_is_asked_again_without_a_reason)
{
	struct visit *one = visit_of("a"), *two = visit_of("b");

	set_up();
	wait_list_add(list, one, 100);
	wait_list_add(list, two, 100);
	turn();
	CHECK(tried == 0);
	wait_list_poke(list);
	turn();
	CHECK(tried == 2);
	turn();
	CHECK(tried == 2);
	CHECK(wait_list_first(list) == one);
	one->x = NULL;
	CHECK(wait_list_first(list) == two);
	visit_release(one);
	visit_release(two);
	tear_down();
}

TEST(the_end_of_the_time_is_a_reason)
{
	struct visit *visit = visit_of("a");

	set_up();
	wait_list_add(list, visit, 0);
	wait_list_poke(list); /* sooner than the tick */
	turn();
	CHECK(answered == 1);
	CHECK(wait_list_first(list) == NULL);
	visit_release(visit);
	tear_down();
}

TEST(an_account_has_so_many_and_no_more)
{
	struct visit *visit = visit_of("a"), *other = visit_of("b");
	int i;

	set_up();
	for (i = 0; i < WAIT_LIST_OWN_MAX; i++)
		wait_list_add(list, visit, 100);
	CHECK(answered == 0);
	wait_list_add(list, visit, 100);
	CHECK(answered == 1);
	wait_list_add(list, other, 100);
	CHECK(answered == 1);
	visit_release(visit);
	visit_release(other);
	tear_down();
}

int
main(void)
{
	RUN(nobody_is_asked_again_without_a_reason);
	RUN(the_end_of_the_time_is_a_reason);
	RUN(an_account_has_so_many_and_no_more);
	return test_done();
}
