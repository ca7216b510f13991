/* SPDX-License-Identifier: ISC
 *
 * Circuit breakers, with the time passed in, shared between processes.
 */
#include "breaker.h"
#include "test.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

TEST(it_opens_after_failures_in_a_row_and_tries_again)
{
	static const struct {
		int64_t now;
		int report; /* 1 success, 0 failure, -1 only look */
		bool allowed;
	} steps[] = {
		{ 100, 0, true },
		{ 101, 0, true },
		{ 102, 1, true },
		{ 103, 0, true },
		{ 104, 0, true },
		{ 105, 0, true },
		{ 106, -1, false },
		{ 164, -1, false },
		{ 165, 0, true },
		{ 166, -1, false },
		{ 224, -1, false },
		{ 225, 1, true },
		{ 226, 0, true },
		{ 227, -1, true },
	};
	struct breaker *breaker = breaker_new(3, 60);

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		CHECK_FOR(breaker_allows(breaker, "a.test", steps[i].now) ==
			steps[i].allowed,
		    "%zu", i);
		CHECK(breaker_allows(breaker, "b.test", steps[i].now));
		if (steps[i].report >= 0)
			breaker_report(breaker, "a.test", steps[i].report,
			    steps[i].now);
	}
	breaker_free(&breaker);
}

TEST(more_hosts_than_slots_do_no_harm)
{
	struct breaker *breaker = breaker_new(1, 60);
	char host[32];

	for (int i = 0; i < 1000; i++) {
		snprintf(host, sizeof(host), "h%d.test", i);
		breaker_report(breaker, host, false, 100 + i);
		CHECK(!breaker_allows(breaker, host, 100 + i));
		CHECK(breaker_open(breaker, 100 + i) >= 1);
	}
	breaker_free(&breaker);
}

TEST(children_share_it)
{
	struct breaker *breaker = breaker_new(1, 60);
	pid_t child = fork();

	if (child == 0) {
		breaker_report(breaker, "a.test", false, 100);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	CHECK(!breaker_allows(breaker, "a.test", 101));
	CHECK(breaker_open(breaker, 101) == 1);
	CHECK(breaker_open(breaker, 160) == 0);
	breaker_free(&breaker);
}

TEST(places_are_few_and_those_of_the_dead_are_free)
{
	struct breaker *breaker = breaker_new(1, 60);
	pid_t children[BREAKER_PLACES];
	int ends[2];
	char byte;

	CHECK(pipe(ends) == 0);
	for (int i = 0; i < BREAKER_PLACES; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			byte = breaker_hold(breaker) ? 'y' : 'n';
			_exit(write(ends[1], &byte, 1) == 1 ? pause() : 1);
		}
		CHECK(read(ends[0], &byte, 1) == 1 && byte == 'y');
	}
	CHECK(!breaker_hold(breaker));
	kill(children[2], SIGKILL);
	waitpid(children[2], NULL, 0);
	CHECK(breaker_hold(breaker));
	CHECK(!breaker_hold(breaker));
	breaker_let_go(breaker);
	CHECK(breaker_hold(breaker));
	for (int i = 0; i < BREAKER_PLACES; i++)
		if (i != 2) {
			kill(children[i], SIGKILL);
			waitpid(children[i], NULL, 0);
		}
	close(ends[0]);
	close(ends[1]);
	breaker_free(&breaker);
}

int
main(void)
{
	RUN(it_opens_after_failures_in_a_row_and_tries_again);
	RUN(more_hosts_than_slots_do_no_harm);
	RUN(children_share_it);
	RUN(places_are_few_and_those_of_the_dead_are_free);
	return test_done();
}
