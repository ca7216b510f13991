/* SPDX-License-Identifier: ISC
 *
 * Crashes while accounts come by themselves: a child takes notifications for
 * addresses that have none, several for each, and kills itself in a commit.
 * The parent opens the store again and demands: fsck finds nothing, whatever
 * was acknowledged has its account, no account is without a message, and what
 * counts the accounts of the hour counts just these. Then the next child goes
 * on where that one ended, as a broker that asks again.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "json_strict.h"
#include "notify_fixture.h"
#include "store_check.h"
#include "store_private.h"

#define NOW 1000000
#define ADDRESSES 30
#define EACH 3 /* messages for an address */

static char domain[] = "bar.test", *domains[] = { domain };
static const struct mailboxd_config config = {
	.create_accounts = { domains, 1 },
	.create_accounts_per_hour = 1000,
	.quota = 1 << 20,
};

struct fault {
	const char *point;
	int nth;
};

static int
fault_point(void *arg, const char *point)
{
	struct fault *fault = arg;

	if (strcmp(point, fault->point) == 0 &&
	    __atomic_sub_fetch(&fault->nth, 1, __ATOMIC_SEQ_CST) == 0)
		kill(getpid(), SIGKILL);
	return 0;
}

/* ---- the child ---- */

struct one {
	struct notify_fixture notify; /* first */
	struct store_fixture *fixture;
	char number;
	int out;
};

static enum outcome
one_work(struct store_txn *txn, void *arg)
{
	struct one *one = arg;

	return notification_store_work(txn, &one->notify.work);
}

static void
one_done(void *arg, enum outcome outcome, const struct reason *why)
{
	struct one *one = arg;

	if (outcome == OUTCOME_OK && write(one->out, &one->number, 1) != 1)
		_exit(1);
	fixture_done(one->fixture, outcome, why);
}

/* All are asked about before the first is there. */
static void
child_work(struct store_fixture *fixture, int out)
{
	static struct one all[ADDRESSES * EACH];
	char address[32];
	int i;

	fixture->base = event_base_new();
	if (fixture_open(fixture) == -1)
		_exit(2);
	fixture_upload(fixture, "placeholder", 11);
	for (i = 0; i < ADDRESSES * EACH; i++) {
		snprintf(address, sizeof(address), "u%d@bar.test",
		    i % ADDRESSES);
		notify_init(&all[i].notify, fixture, address, i, 10, NOW);
		if (strcmp(notify_ask(&all[i].notify, fixture, &config),
			"ok") != 0)
			_exit(3);
		all[i].fixture = fixture;
		all[i].number = (char)i;
		all[i].out = out;
	}
	for (i = 0; i < ADDRESSES * EACH; i++) {
		fixture->waiting++;
		store_submit(fixture->store, one_work, one_done, &all[i]);
		if (i % 7 == 6)
			fixture_wait(fixture);
	}
	fixture_wait(fixture);
	store_close(&fixture->store);
}

/* ---- the parent ---- */

static void
finding(void *arg, const char *word, const char *key, const char *text)
{
	(void)arg;
	printf("# finding: %s %s: %s\n", word, key, text);
}

static enum store_step
count_row(void *arg, const char *key, const void *data, size_t len)
{
	(void)key;
	(void)data;
	(void)len;
	++*(int64_t *)arg;
	return STORE_STOP;
}

static int64_t
counted(struct store_view *view)
{
	struct store_key key;
	int64_t count = 0;
	cJSON *row = NULL;

	if (store_get_json(view, store_key_created(&key, domain), &row) == 1)
		CHECK(json_integer(row, "count", 1, ADDRESSES, &count) == 0);
	cJSON_Delete(row);
	return count;
}

/* How many accounts there are; each has a message. */
static int64_t
check_accounts(struct store_view *view, const bool said[ADDRESSES])
{
	char address[32], id[STORE_ID_SIZE];
	int64_t accounts = 0, messages;
	struct store_key key;
	int i, found;

	for (i = 0; i < ADDRESSES; i++) {
		snprintf(address, sizeof(address), "u%d@bar.test", i);
		found = access_find_account(view, address, id);
		CHECK_FOR(found == 1 || !said[i], "%s was acknowledged",
		    address);
		if (found != 1)
			continue;
		accounts++;
		messages = 0;
		store_scan(view, store_key_message(&key, id, NULL), NULL,
		    count_row, &messages);
		CHECK_FOR(messages == 1, "%s has no message", address);
	}
	return accounts;
}

static void
check_store(const char *path, const bool said[ADDRESSES])
{
	static const struct store_check_options options = { .deep = true };
	struct store_fixture fixture = { .options.map_size = 256 << 20 };
	struct store_check_result result;
	struct store_view *view;
	int64_t accounts;

	snprintf(fixture.path, sizeof(fixture.path), "%s", path);
	fixture.base = event_base_new();
	CHECK(fixture_open(&fixture) == 0);
	CHECK(store_sweep_orphans(fixture.store) >= 0);
	CHECK(store_check(fixture.store, &options, finding, NULL, &result,
		  &fixture.why) == 0);
	CHECK(result.findings == 0);
	view = store_read_begin(fixture.store);
	accounts = check_accounts(view, said);
	CHECK(accounts == result.accounts && accounts == counted(view));
	store_read_end(&view);
	store_close(&fixture.store);
	event_base_free(fixture.base);
}

/* True if the child was killed. */
static bool
round_run(const char *path, struct fault fault)
{
	struct store_fixture fixture = { .options.map_size = 256 << 20 };
	bool said[ADDRESSES] = { false };
	int ends[2], status;
	char number;
	pid_t pid;

	if (pipe(ends) == -1)
		abort();
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		snprintf(fixture.path, sizeof(fixture.path), "%s", path);
		fixture.options.fault = fault_point;
		fixture.options.fault_arg = &fault;
		child_work(&fixture, ends[1]);
		_exit(0);
	}
	close(ends[1]);
	while (read(ends[0], &number, 1) == 1)
		said[number % ADDRESSES] = true;
	close(ends[0]);
	waitpid(pid, &status, 0);
	CHECK(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
	check_store(path, said);
	return WIFSIGNALED(status);
}

TEST(killed_while_accounts_come)
{
	static const char *const points[] = { "commit-begin", "commit",
		"committed" };
	static const int counts[] = { 1, 2, 4, 7, 11 };
	char path[64];
	size_t i, k;
	int killed;

	for (i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		fixture_directory(access("build", W_OK) == 0 ? "build" : "/tmp",
		    path);
		killed = 0;
		for (k = 0; k < sizeof(counts) / sizeof(counts[0]); k++)
			killed += round_run(path,
			    (struct fault){ points[i], counts[k] });
		/* A point that is never passed tests nothing. */
		CHECK_FOR(killed > 2, "%s", points[i]);
		CHECK(!round_run(path, (struct fault){ "none", 1 }));
		nftw(path, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
	}
}

int
main(void)
{
	RUN(killed_while_accounts_come);
	return test_done();
}
