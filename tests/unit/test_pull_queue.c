/* SPDX-License-Identifier: ISC
 *
 * The rules of pulling, with a virtual clock.
 */
#include <string.h>

#include "pull_queue.h"
#include "test.h"

#define ZEROS "00000000000000000000000000000000000000000000000000000000000000"
#define A_HASH ZEROS "aa"
#define B_HASH ZEROS "bb"
#define ORIGIN "https://mailbox.hospital.test"

static const struct pull_policy policy = { 120, 2, 60, 14400 };

static struct pull_lease *
add_lease(struct pull_queue *queue, char digit, const char *share, int64_t now)
{
	struct pull_lease *lease = pull_lease_new(ORIGIN, share, 1);

	memset(lease->message, digit, STORE_ID_LEN);
	lease->number = 10;
	lease->count = 1;
	strcpy(lease->items[0].hash, A_HASH);
	lease->items[0].size = 5;
	pull_queue_add(queue, lease, now);
	return lease;
}

TEST(lease_lives_until_its_time_and_bytes_renew_it)
{
	struct pull_queue *queue = pull_queue_new(&policy);
	struct pull_lease *lease = add_lease(queue, 'a', "s", 1000);
	char name[PULL_LEASE_NAME_SIZE];

	pull_lease_name(lease, name);
	CHECK_STRING(name, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-a");
	CHECK(pull_queue_find(queue, name, 1119) == lease);
	CHECK(pull_queue_find(queue, name, 1120) == NULL);
	CHECK(pull_queue_find(queue, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-b",
		  1000) == NULL);
	pull_queue_renew(queue, lease, 1100);
	CHECK(pull_queue_find(queue, name, 1219) == lease);
	lease->uploads = 1;
	CHECK(pull_queue_reap(queue, 5000) == 0);
	lease->uploads = 0;
	CHECK(pull_queue_reap(queue, 1219) == 0);
	CHECK(pull_queue_reap(queue, 1220) == 1);
	CHECK(pull_queue_live(queue) == 0);
	pull_queue_free(&queue);
}

TEST(an_origin_has_so_many_leases_and_no_more)
{
	struct pull_queue *queue = pull_queue_new(&policy);

	CHECK(!pull_queue_full(queue, ORIGIN, 0));
	add_lease(queue, 'a', "s", 0);
	CHECK(!pull_queue_full(queue, ORIGIN, 0));
	add_lease(queue, 'b', "t", 0);
	CHECK(pull_queue_full(queue, ORIGIN, 0));
	CHECK(!pull_queue_full(queue, "https://mailbox.bar.test", 0));
	CHECK(!pull_queue_full(queue, ORIGIN, 120));
	pull_queue_free(&queue);
}

TEST(what_is_in_flight_is_known_by_origin_and_share)
{
	struct pull_queue *queue = pull_queue_new(&policy);
	struct pull_lease *lease = add_lease(queue, 'a', "s", 0);

	CHECK(pull_queue_in_flight(queue, ORIGIN, "s", A_HASH, 0));
	CHECK(!pull_queue_in_flight(queue, ORIGIN, "t", A_HASH, 0));
	CHECK(!pull_queue_in_flight(queue, ORIGIN, "s", B_HASH, 0));
	CHECK(
	    !pull_queue_in_flight(queue, "https://evil.test", "s", A_HASH, 0));
	CHECK(!pull_queue_in_flight(queue, ORIGIN, "s", A_HASH, 120));
	lease->items[0].stored = true;
	CHECK(!pull_queue_in_flight(queue, ORIGIN, "s", A_HASH, 0));
	lease->items[0].stored = false;
	lease->items[0].head = true;
	CHECK(!pull_queue_in_flight(queue, ORIGIN, "s", A_HASH, 0));
	pull_queue_free(&queue);
}

TEST(attempts_double_up_to_the_most_with_jitter)
{
	static const struct {
		int64_t attempt, middle;
	} rows[] = { { 1, 60 }, { 2, 120 }, { 3, 240 }, { 8, 7680 },
		{ 9, 14400 }, { 1000, 14400 } };
	uint32_t random;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (random = 0; random < 100000; random += 777) {
			int64_t delay =
			    pull_policy_delay(&policy, rows[i].attempt, random);

			CHECK_FOR(delay >= rows[i].middle * 3 / 4 &&
				delay <= rows[i].middle * 5 / 4,
			    "attempt %lld", (long long)rows[i].attempt);
		}
}

TEST(permanent_only_from_an_authenticated_origin_that_says_so)
{
	static const struct {
		struct pull_report report;
		enum outcome outcome;
		const char *problem;
		bool whole, fault;
	} rows[] = {
		{ { 404, "not-shared", true, false }, OUTCOME_PERMFAIL,
		    "not-shared", false, false },
		{ { 404, "not-shared", false, false }, OUTCOME_TEMPFAIL,
		    "not-shared", false, true },
		{ { 410, "revoked", true, false }, OUTCOME_PERMFAIL, "revoked",
		    true, false },
		{ { 404, "", true, false }, OUTCOME_TEMPFAIL, "unavailable",
		    false, false },
		{ { 404, "made-up", true, false }, OUTCOME_TEMPFAIL,
		    "unavailable", false, false },
		{ { 401, "time", true, false }, OUTCOME_TEMPFAIL, "time", false,
		    false },
		{ { 401, "published", true, false }, OUTCOME_TEMPFAIL,
		    "published", false, false },
		{ { 0, "", false, false }, OUTCOME_TEMPFAIL, "unavailable",
		    false, true },
		/* Our own trouble. */
		{ { 0, "no-space", false, false }, OUTCOME_TEMPFAIL, "no-space",
		    false, false },
		{ { 0, "unavailable", false, false }, OUTCOME_TEMPFAIL,
		    "unavailable", false, false },
		{ { 503, "busy", true, false }, OUTCOME_TEMPFAIL, "busy", false,
		    true },
		{ { 200, "", true, false }, OUTCOME_TEMPFAIL, "unavailable",
		    false, false },
		{ { 200, "", true, true }, OUTCOME_PERMFAIL, "wrong-hash",
		    false, false },
	};
	struct pull_judgement told;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		pull_queue_judge(&rows[i].report, &told);
		CHECK_FOR(told.outcome == rows[i].outcome, "row %zu", i);
		CHECK_STRING(told.problem, rows[i].problem);
		CHECK_FOR(told.whole == rows[i].whole, "row %zu", i);
		CHECK_FOR(told.origin_fault == rows[i].fault, "row %zu", i);
	}
}

int
main(void)
{
	RUN(lease_lives_until_its_time_and_bytes_renew_it);
	RUN(an_origin_has_so_many_leases_and_no_more);
	RUN(what_is_in_flight_is_known_by_origin_and_share);
	RUN(attempts_double_up_to_the_most_with_jitter);
	RUN(permanent_only_from_an_authenticated_origin_that_says_so);
	return test_done();
}
