/* SPDX-License-Identifier: ISC
 *
 * What a broker puts, against a real store: how long it stays, for what, and
 * what the account pays meanwhile.
 */
#include "account_fixture.h"
#include "lapse.h"

#include <signal.h>
#include <sys/wait.h>

#include "due.h"
#include "json_strict.h"
#include "page_store.h"
#include "resource_commit.h"
#include "resource_keep.h"
#include "share_store.h"
#include "store_account.h"
#include "store_check.h"

#define NOW 1000000
#define EXPIRES (NOW + 3 * 86400)
#define GRACE (NOW + LAPSE_GRACE)
#define BROKER "_cb.foo.test"
#define ONE "AAAAAAAAAAAAAAAAAAAAAA"
#define TWO "BBBBBBBBBBBBBBBBBBBBBA"
#define MESSAGE "41aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static struct store_fixture fixture;
static char account[STORE_ID_SIZE];

static enum outcome
run(store_work_fn *work, void *arg)
{
	return store_run(fixture.store, work, arg, &fixture.why);
}

static void
begin(void)
{
	fixture_init(&fixture);
	fixture_account(&fixture, "alice@foo.test", NULL, NOW, account);
}

/* For a share of the broker's, or by the owner himself (NULL); ten bytes. */
static const char *
put(int n, const char *share, int64_t now)
{
	struct resource_commit commit = { .type = "text/plain", .now = now };
	static char hash[SHA256_HEX_SIZE];
	char text[24];

	snprintf(text, sizeof(text), "number %03d", n);
	fixture_upload(&fixture, text, 10);
	strcpy(commit.account, account);
	strcpy(commit.broker, share != NULL ? BROKER : "");
	strcpy(commit.share, share != NULL ? share : "");
	commit.blob = fixture.blob;
	CHECK(run(resource_commit_work, &commit) == OUTCOME_OK);
	strcpy(hash, fixture.blob.hash);
	return hash;
}

/* Of resources from..to-1. */
static struct share *
new_share(const char *id, bool broker, int from, int to)
{
	cJSON *body = cJSON_CreateObject(), *list = cJSON_CreateArray();
	struct share *share = calloc(1, sizeof(*share));
	char hash[SHA256_HEX_SIZE], text[24];

	json_add_string(body, "message", "1@foo.test");
	json_add_integer(body, "expires", EXPIRES);
	cJSON_AddItemToArray(list, cJSON_CreateString("bob@bar.test"));
	json_add_item(body, "recipients", list);
	list = cJSON_CreateArray();
	for (int i = from; i < to; i++) {
		snprintf(text, sizeof(text), "number %03d", i);
		sha256_hex(text, 10, hash);
		cJSON_AddItemToArray(list, cJSON_CreateString(hash));
	}
	json_add_item(body, "resources", list);
	strcpy(share->account, account);
	strcpy(share->id, id);
	strcpy(share->broker, broker ? BROKER : "");
	share->now = NOW;
	CHECK(share_parse(body, share, &fixture.why) == OUTCOME_OK);
	cJSON_Delete(body);
	return share;
}

static const char *
make(const char *id, bool broker, int from, int to)
{
	struct share *share = new_share(id, broker, from, to);
	enum outcome outcome;

	do {
		outcome = run(share_store_put, share);
		share_next(share);
	} while (outcome == OUTCOME_OK && !share->complete);
	share_free(share);
	return outcome == OUTCOME_OK ? "ok" : fixture.why.word;
}

static void
begin_withdrawal(const char *id, int64_t now)
{
	struct share share = { .now = now };

	strcpy(share.account, account);
	strcpy(share.id, id);
	strcpy(share.broker, BROKER);
	CHECK(run(share_store_revoke, &share) == OUTCOME_OK);
}

/* All that the route does; how many went. */
static size_t
withdraw(const char *id, int64_t now)
{
	struct lapse lapse = { .now = now };
	size_t count = 0;

	begin_withdrawal(id, now);
	strcpy(lapse.account, account);
	strcpy(lapse.share, id);
	do {
		CHECK(run(lapse_share, &lapse) == OUTCOME_OK);
		CHECK(lapse.count <= LAPSE_BATCH);
		count += lapse.count;
	} while (lapse.more);
	return count;
}

static void
sweep(int64_t sent_keep, int64_t now)
{
	due_sweep(fixture.store, sent_keep, now);
	fixture_reopen(&fixture);
}

static enum store_step
count_row(void *arg, const char *key, const void *data, size_t len)
{
	(void)key;
	(void)data;
	(void)len;
	++*(int *)arg;
	return STORE_NEXT;
}

static int
rows(const char *prefix)
{
	struct store_view *view = store_read_begin(fixture.store);
	int count = 0;

	store_scan(view, prefix, NULL, count_row, &count);
	store_read_end(&view);
	return count;
}

static int64_t
used(void)
{
	struct store_view *view = store_read_begin(fixture.store);
	struct store_account row;
	int64_t bytes = -1;

	if (store_account_get(view, account, &row) == 1) {
		bytes = row.used;
		store_account_clear(&row);
	}
	store_read_end(&view);
	return bytes;
}

static void
finding(void *arg, const char *word, const char *row, const char *text)
{
	(void)arg;
	CHECK_FOR(false, "%s %s: %s", word, row, text);
}

static void
check_store(void)
{
	struct store_check_options options = { .deep = true };
	struct store_check_result result;

	CHECK(store_check(fixture.store, &options, finding, NULL, &result,
		  &fixture.why) == OUTCOME_OK);
	CHECK(result.findings == 0);
}

static void
end(void)
{
	check_store();
	fixture_free(&fixture);
}

/* ---- tests --------------------------------------------------------------- */

TEST(a_withdrawn_share_frees_at_once)
{
	begin();
	put(1, ONE, NOW);
	put(2, ONE, NOW);
	CHECK_STRING(make(ONE, true, 1, 3), "ok");
	CHECK(used() == 20);
	check_store();
	CHECK(withdraw(ONE, NOW + 5) == 2);
	CHECK(used() == 0);
	CHECK(rows("due/") == 0 && rows("blob/") == 0);
	CHECK(rows("garbage/") == 2);
	CHECK(withdraw(ONE, NOW + 6) == 0);
	/* Postfix brings it again: the name is used up, the next is not. */
	CHECK_STRING(make(ONE, true, 1, 3), "revoked");
	CHECK_STRING(make(TWO, true, 1, 3), "not-found");
	put(1, TWO, NOW + 7);
	put(2, TWO, NOW + 7);
	CHECK_STRING(make(TWO, true, 1, 3), "ok");
	CHECK(used() == 20);
	end();
}

TEST(a_large_share_goes_in_batches)
{
	struct lapse lapse = { .now = NOW };

	begin();
	for (int i = 0; i < 30; i++)
		put(i, ONE, NOW);
	CHECK_STRING(make(ONE, true, 0, 30), "ok");
	/* Died behind the first batch; the sweep goes on at once. */
	begin_withdrawal(ONE, NOW);
	check_store();
	strcpy(lapse.account, account);
	strcpy(lapse.share, ONE);
	CHECK(run(lapse_share, &lapse) == OUTCOME_OK);
	CHECK(lapse.more && lapse.count == LAPSE_BATCH);
	CHECK(used() == 300 - 10 * LAPSE_BATCH);
	check_store();
	sweep(0, NOW);
	CHECK(used() == 300 - 20 * LAPSE_BATCH);
	check_store();
	sweep(0, NOW);
	CHECK(used() == 0);
	CHECK(rows("due/") == 0);
	end();
}

TEST(what_was_never_shared_goes_after_a_day)
{
	begin();
	put(1, ONE, NOW);
	put(1, ONE, NOW + 10); /* again: the day begins anew */
	CHECK(rows("due/") == 1);
	sweep(0, GRACE + 9);
	CHECK(used() == 10);
	check_store();
	sweep(0, GRACE + 10);
	CHECK(used() == 0);
	CHECK(rows("due/") == 0);
	CHECK_STRING(make(ONE, true, 1, 2), "not-found");
	end();
}

TEST(what_a_share_does_not_name_goes_after_a_day)
{
	begin();
	put(1, ONE, NOW);
	put(2, ONE, NOW);
	CHECK_STRING(make(ONE, true, 1, 2), "ok");
	sweep(0, GRACE);
	CHECK(used() == 10);
	end();
}

TEST(an_expired_share_frees)
{
	static const int64_t keeps[] = { 0, 7 * 86400 };

	for (int i = 0; i < 2; i++) {
		begin();
		put(1, ONE, NOW);
		CHECK_STRING(make(ONE, true, 1, 2), "ok");
		sweep(keeps[i], GRACE);
		CHECK(rows("due/") == 1);
		check_store();
		sweep(keeps[i], EXPIRES + keeps[i] - 1);
		CHECK(used() == 10);
		sweep(keeps[i], EXPIRES + keeps[i]);
		CHECK(used() == 0);
		CHECK(rows("due/") == 0);
		end();
	}
	/* Longer than it was when the time was set. */
	begin();
	put(1, ONE, NOW);
	CHECK_STRING(make(ONE, true, 1, 2), "ok");
	sweep(0, GRACE);
	sweep(86400, EXPIRES);
	CHECK(used() == 10);
	check_store();
	sweep(86400, EXPIRES + 86400);
	CHECK(used() == 0);
	end();
}

TEST(another_share_holds_it)
{
	begin();
	put(1, ONE, NOW);
	put(1, TWO, NOW);
	CHECK_STRING(make(ONE, true, 1, 2), "ok");
	CHECK_STRING(make(TWO, true, 1, 2), "ok");
	CHECK(used() == 10);
	CHECK(withdraw(ONE, NOW) == 0);
	CHECK(used() == 10);
	check_store();
	CHECK(withdraw(TWO, NOW) == 1);
	CHECK(used() == 0);
	end();
}

/* Put and on its way to be shared. */
TEST(a_share_that_is_being_made_holds_it)
{
	begin();
	put(1, ONE, NOW);
	CHECK_STRING(make(ONE, true, 1, 2), "ok");
	put(1, TWO, NOW);
	CHECK(withdraw(ONE, NOW) == 0);
	CHECK_STRING(make(TWO, true, 1, 2), "ok");
	CHECK(used() == 10);
	end();
}

static enum outcome
use_by_message(struct store_txn *txn, void *arg)
{
	struct store_key key;

	store_txn_put(txn, store_key_message(&key, account, MESSAGE),
	    "{\"time\":1,\"resources\":[]}", 25);
	store_txn_put(txn, store_key_timeline(&key, account, 1, MESSAGE), "{}",
	    2);
	return store_txn_put(txn, store_key_use(&key, account, arg, MESSAGE),
	    "{}", 2);
}

TEST(a_message_holds_it)
{
	char hash[SHA256_HEX_SIZE];

	begin();
	strcpy(hash, put(1, ONE, NOW));
	CHECK(run(use_by_message, hash) == OUTCOME_OK);
	CHECK_STRING(make(ONE, true, 1, 2), "ok");
	CHECK(withdraw(ONE, NOW) == 0);
	CHECK(used() == 10);
	CHECK(rows("due/") == 0);
	end();
}

/* 1 if only what a broker may end holds it. */
static int
threatened(const char *hash)
{
	struct store_view *view = store_read_begin(fixture.store);
	int result = lapse_threatens(view, account, hash);

	store_read_end(&view);
	return result;
}

TEST(what_the_owner_wants_stays)
{
	struct resource_keep keep = { .now = NOW };
	char hash[SHA256_HEX_SIZE];

	begin();
	put(1, NULL, NOW); /* before the broker */
	put(1, ONE, NOW);
	put(2, ONE, NOW); /* and behind it */
	put(2, NULL, NOW);
	put(3, ONE, NOW); /* by fetching */
	strcpy(keep.account, account);
	strcpy(keep.hash, fixture.blob.hash);
	CHECK(threatened(keep.hash) == 1);
	CHECK(run(resource_keep_work, &keep) == OUTCOME_OK);
	CHECK(run(resource_keep_work, &keep) == OUTCOME_OK);
	CHECK(threatened(keep.hash) == 0);
	strcpy(hash, put(4, ONE, NOW)); /* by sharing */
	CHECK(threatened(hash) == 1);
	CHECK_STRING(make(TWO, false, 4, 5), "ok");
	CHECK(threatened(hash) == 0);
	CHECK_STRING(make(ONE, true, 1, 5), "ok");
	CHECK(withdraw(ONE, NOW) == 0);
	CHECK(withdraw(ONE, NOW) == 0);
	CHECK(used() == 40);
	CHECK(rows("due/") == 0);
	end();
}

TEST(an_owner_shares_many_that_were_put)
{
	begin();
	for (int i = 0; i < 90; i++)
		put(i, ONE, NOW);
	CHECK_STRING(make(TWO, false, 0, 90), "ok");
	sweep(0, GRACE);
	CHECK(used() == 900);
	CHECK(rows("due/") == 0);
	end();
}

static enum outcome
tear(struct store_txn *txn, void *arg)
{
	struct store_key key;

	(void)arg;
	return store_txn_put(txn, store_key_share(&key, account, ONE), "1", 1);
}

static enum outcome
mend(struct store_txn *txn, void *arg)
{
	struct store_key key;

	(void)arg;
	return store_txn_delete(txn, store_key_share(&key, account, ONE));
}

TEST(what_cannot_be_read_comes_again)
{
	begin();
	put(1, ONE, NOW);
	put(2, TWO, NOW);
	CHECK(run(tear, NULL) == OUTCOME_OK);
	sweep(0, GRACE);
	CHECK(used() == 10);
	sweep(0, GRACE);
	CHECK(rows("due/") == 1);
	CHECK(run(mend, NULL) == OUTCOME_OK);
	check_store();
	sweep(0, GRACE + DUE_AGAIN - 1);
	CHECK(used() == 10);
	sweep(0, GRACE + DUE_AGAIN);
	CHECK(used() == 0);
	end();
}

/* ---- crashes ------------------------------------------------------------- */

struct fault {
	const char *point;
	int nth;
};

static int
kill_at(void *arg, const char *point)
{
	struct fault *fault = arg;

	if (strcmp(point, fault->point) == 0 && --fault->nth == 0)
		kill(getpid(), SIGKILL);
	return 0;
}

/* What the route, and then the sweep, do with a share of thirty resources
 * and one that was never shared; killed at a commit. True if it came to the
 * end. */
static bool
let_go_and_die(struct fault *fault)
{
	pid_t child;
	int status;

	store_close(&fixture.store);
	child = fork();
	if (child == 0) {
		event_base_free(fixture.base);
		fixture.base = event_base_new();
		fixture.options.fault = kill_at;
		fixture.options.fault_arg = fault;
		if (fixture_open(&fixture) == -1)
			_exit(2);
		withdraw(ONE, NOW);
		sweep(0, GRACE);
		store_close(&fixture.store);
		_exit(0);
	}
	if (waitpid(child, &status, 0) != child || fixture_open(&fixture) == -1)
		abort();
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return false;
	CHECK_FOR(WIFEXITED(status) && WEXITSTATUS(status) == 0,
	    "the child ended with %#x", (unsigned)status);
	return true;
}

static bool
is_revoked(void)
{
	struct store_view *view = store_read_begin(fixture.store);
	struct store_key key;
	cJSON *row = NULL;
	bool revoked;

	store_get_json(view, store_key_share(&key, account, ONE), &row);
	revoked = cJSON_GetObjectItemCaseSensitive(row, "revoked") != NULL;
	cJSON_Delete(row);
	store_read_end(&view);
	return revoked;
}

TEST(a_crash_repeats_harmlessly)
{
	static const char *const points[] = { "commit", "committed" };
	bool ended;
	int nth;

	for (size_t i = 0; i < 2; i++) {
		nth = 0;
		do {
			struct fault fault = { points[i], ++nth };

			begin();
			for (int n = 0; n < 31; n++)
				put(n, ONE, NOW);
			CHECK_STRING(make(ONE, true, 0, 30), "ok");
			ended = let_go_and_die(&fault);
			check_store();
			if (!is_revoked())
				withdraw(ONE, NOW + 1);
			for (int n = 0; n < 4; n++)
				sweep(0, GRACE - 1);
			CHECK(used() <= 10);
			sweep(0, GRACE);
			CHECK_FOR(used() == 0 && rows("due/") == 0,
			    "%s %d: %lld bytes", points[i], nth,
			    (long long)used());
			end();
		} while (!ended);
		CHECK_FOR(nth >= 5, "%s: %d times", points[i], nth);
	}
}

TEST(an_account_goes_with_all_of_it)
{
	struct account_removal removal = { .now = NOW };

	begin();
	put(1, ONE, NOW);
	put(2, TWO, NOW);
	CHECK_STRING(make(ONE, true, 1, 2), "ok");
	strcpy(removal.address, "alice@foo.test");
	do
		CHECK(run(account_remove, &removal) == OUTCOME_OK);
	while (!removal.complete);
	CHECK(rows("due/") == 0 && rows("account/") == 0);
	end();
}

int
main(void)
{
	RUN(a_withdrawn_share_frees_at_once);
	RUN(a_large_share_goes_in_batches);
	RUN(what_was_never_shared_goes_after_a_day);
	RUN(what_a_share_does_not_name_goes_after_a_day);
	RUN(an_expired_share_frees);
	RUN(another_share_holds_it);
	RUN(a_share_that_is_being_made_holds_it);
	RUN(a_message_holds_it);
	RUN(what_the_owner_wants_stays);
	RUN(an_owner_shares_many_that_were_put);
	RUN(what_cannot_be_read_comes_again);
	RUN(a_crash_repeats_harmlessly);
	RUN(an_account_goes_with_all_of_it);
	return test_done();
}
