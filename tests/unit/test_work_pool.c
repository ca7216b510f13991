/* SPDX-License-Identifier: ISC
 *
 * The processes that hash passwords and read MIME, with their children.
 */
#include <stdlib.h>
#include <unistd.h>

#include <sodium.h>

#include "json_strict.h"
#include "password_worker.h"
#include "test.h"
#include "work_pool.h"

static struct event_base *base;
static int answers, deaths, good;
static char made[160];

/* Echoes a number, or dies. */
static void
work(const cJSON *request, int fd, cJSON *answer)
{
	int64_t number = 0;
	char byte = 0;

	if (json_integer(request, "number", 0, 1000, &number) == -1)
		abort();
	if (fd != -1 && read(fd, &byte, 1) == 1)
		number += byte;
	json_add_integer(answer, "number", number);
}

static void
on_answer(void *arg, const cJSON *answer)
{
	int64_t number = -1;

	(void)json_integer(answer, "number", 0, 2000, &number);
	if (answer == NULL)
		deaths++;
	else if (number == *(int *)arg)
		answers++;
}

static void
wait_for(int *counter, int count)
{
	while (*counter < count)
		event_base_loop(base, EVLOOP_ONCE);
}

static cJSON *
request(int number)
{
	cJSON *object = cJSON_CreateObject();

	if (number >= 0)
		json_add_integer(object, "number", number);
	return object;
}

TEST(many_requests_are_answered_by_children)
{
	int numbers[20], i, pipes[2];
	struct work_pool *pool;

	base = event_base_new();
	pool = work_pool_new(base, work_pool_fork(work, 3, 5));
	for (i = 0; i < 20; i++) {
		numbers[i] = i;
		CHECK(work_pool_ask(pool, request(i), -1, on_answer,
			  &numbers[i]) == 0);
	}
	wait_for(&answers, 20);
	CHECK(answers == 20);
	/* A descriptor arrives. */
	answers = 0;
	CHECK(pipe(pipes) == 0);
	CHECK(write(pipes[1], "\x05", 1) == 1);
	numbers[0] = 105;
	CHECK(work_pool_ask(pool, request(100), pipes[0], on_answer,
		  &numbers[0]) == 0);
	wait_for(&answers, 1);
	close(pipes[1]);
	/* A child that dies costs its own request only. */
	answers = 0;
	numbers[0] = 7;
	CHECK(work_pool_ask(pool, request(-1), -1, on_answer, NULL) == 0);
	CHECK(work_pool_ask(pool, request(7), -1, on_answer, numbers) == 0);
	wait_for(&deaths, 1);
	wait_for(&answers, 1);
	CHECK(deaths == 1 && answers == 1);
	/* Too many, and one whose asker is gone. */
	for (i = 0; i < WORK_POOL_WAITING; i++)
		CHECK(work_pool_ask(pool, request(8), -1, on_answer,
			  &numbers[1]) == 0);
	CHECK(work_pool_ask(pool, request(8), -1, on_answer, numbers) == -1);
	work_pool_cancel(pool, &numbers[1]);
	answers = 0;
	work_pool_free(&pool);
	event_base_free(base);
	CHECK(answers == 0);
}

static void
on_hash(void *arg, const cJSON *answer)
{
	(void)arg;
	if (password_worker_made(answer) != NULL)
		snprintf(made, sizeof(made), "%s",
		    password_worker_made(answer));
	good += password_worker_good(answer);
	answers++;
}

TEST(passwords_are_hashed_and_compared)
{
	char text[PASSWORD_WORKER_MAX + 2];
	struct work_pool *pool;

	base = event_base_new();
	pool = work_pool_new(base, work_pool_fork(password_worker_work, 1, 20));
	answers = 0;
	CHECK(
	    password_worker_hash(pool, "secret \xc3\xa9", on_hash, NULL) == 0);
	wait_for(&answers, 1);
	CHECK(strncmp(made, "$argon2id$", 10) == 0);
	CHECK(password_worker_check(pool, "secret \xc3\xa9", made, on_hash,
		  NULL) == 0);
	CHECK(password_worker_check(pool, "secret", made, on_hash, NULL) == 0);
	/* An unknown name: the same work, never good. */
	CHECK(password_worker_check(pool, "", NULL, on_hash, NULL) == 0);
	wait_for(&answers, 4);
	CHECK(good == 1);
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	CHECK(password_worker_hash(pool, text, on_hash, NULL) == -1);
	work_pool_free(&pool);
	event_base_free(base);
}

/* Saying no to an unknown name must take as long as to a known one. */
TEST(the_hash_of_nobody_costs_the_same)
{
	static const char dummy[crypto_pwhash_STRBYTES] =
	    "$argon2id$v=19$m=65536,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

	/* 0: the parameters of a new hash are those of this one. */
	CHECK(crypto_pwhash_str_needs_rehash(dummy,
		  crypto_pwhash_OPSLIMIT_INTERACTIVE,
		  crypto_pwhash_MEMLIMIT_INTERACTIVE) == 0);
}

int
main(void)
{
	if (sodium_init() == -1)
		return 1;
	RUN(many_requests_are_answered_by_children);
	RUN(passwords_are_hashed_and_compared);
	RUN(the_hash_of_nobody_costs_the_same);
	return test_done();
}
