/* SPDX-License-Identifier: ISC
 *
 * Accounts that come by themselves, against a real store: for whom, with
 * what, how many, and what becomes of them.
 */
#include "account.h"
#include "account_make.h"
#include "json_strict.h"
#include "notify_fixture.h"
#include "resource_commit.h"
#include "store_check.h"

#define NOW 1000000
#define MANY 24

static struct store_fixture fixture;
static char bar[] = "bar.test", customer[] = "customer.test",
	    pair[] = "_cb.bar.test:bar.test";
static char *domains[] = { bar, customer }, *pairs[] = { pair };
static const struct mailboxd_config config = {
	.create_accounts = { domains, 2 },
	.create_accounts_per_hour = 3,
	.enrolled = { pairs, 1 },
	.quota = 10000,
};

static void
set_up(void)
{
	fixture_init(&fixture);
	fixture_upload(&fixture, "placeholder", 11);
}

static void
finding(void *arg, const char *word, const char *key, const char *text)
{
	(void)arg;
	printf("# finding: %s %s: %s\n", word, key, text);
}

static void
tear_down(void)
{
	static const struct store_check_options options = { .deep = true };
	struct store_check_result result;

	CHECK(store_check(fixture.store, &options, finding, NULL, &result,
		  &fixture.why) == 0);
	CHECK(result.findings == 0);
	fixture_free(&fixture);
}

static enum outcome
run(store_work_fn *work, void *arg)
{
	return store_run(fixture.store, work, arg, &fixture.why);
}

/* One notification: "ok" or the reason. */
static const char *
notify(const char *mailbox, int number, int64_t size, int64_t now)
{
	static struct notify_fixture one;
	const char *word;

	notify_init(&one, &fixture, mailbox, number, size, now);
	word = notify_ask(&one, &fixture, &config);
	if (strcmp(word, "ok") != 0)
		return word;
	return run(notification_store_work, &one.work) == OUTCOME_OK ?
	    "ok" :
	    fixture.why.word;
}

/* The account of an address as the administrator sees it, or NULL. */
static cJSON *
describe(const char *address)
{
	struct store_view *view = store_read_begin(fixture.store);
	char id[STORE_ID_SIZE];
	cJSON *account = NULL;

	if (access_find_account(view, address, id) == 1)
		account = account_describe(view, id);
	store_read_end(&view);
	return account;
}

static bool
is_there(const char *address)
{
	cJSON *account = describe(address);

	cJSON_Delete(account);
	return account != NULL;
}

static enum store_step
count_row(void *arg, const char *key, const void *data, size_t len)
{
	(void)key;
	(void)data;
	(void)len;
	++*(int *)arg;
	return STORE_SKIP;
}

static int
count(const char *prefix)
{
	struct store_view *view = store_read_begin(fixture.store);
	int number = 0;

	store_scan(view, prefix, NULL, count_row, &number);
	store_read_end(&view);
	return number;
}

static const char *
ask(const char *address, const char *broker, bool put)
{
	const struct access_asked asked = { address, broker };
	struct store_view *view = store_read_begin(fixture.store);
	char account[STORE_ID_SIZE];
	enum outcome outcome;

	outcome = put ?
	    access_broker_or_new(view, &config, &asked, account, &fixture.why) :
	    access_account_or_new(view, &config, &asked, account, &fixture.why);
	store_read_end(&view);
	if (outcome != OUTCOME_OK)
		return fixture.why.word;
	return account[0] == '\0' ? "new" : "ok";
}

TEST(only_the_domains_own_broker_and_a_listed_domain)
{
	static const struct {
		const char *address, *broker, *notify, *put;
	} rows[] = {
		{ "new@bar.test", "_cb.bar.test", "new", "new" },
		{ "New@BAR.test", "_cb.bar.test", "new", "new" },
		{ "old@bar.test", "_cb.bar.test", "ok", "ok" },
		/* Not enrolled by the configuration. */
		{ "new@customer.test", "_cb.customer.test", "new",
		    "not-enrolled" },
		{ "new@customer.test", "_cb.bar.test", "no-account",
		    "not-enrolled" },
		{ "new@bar.test", "_cb.customer.test", "no-account",
		    "not-enrolled" },
		{ "new@bar.test", "_cb.evil.test", "no-account",
		    "not-enrolled" },
		{ "new@bar.test", "_rra.bar.test", "no-account",
		    "not-enrolled" },
		{ "new@bar.test", "bar.test", "no-account", "not-enrolled" },
		{ "new@bar.test", "", "no-account", "not-enrolled" },
		{ "new@sub.bar.test", "_cb.bar.test", "no-account",
		    "not-enrolled" },
		{ "new@sub.bar.test", "_cb.sub.bar.test", "no-account",
		    "not-enrolled" },
		{ "new@evil.test", "_cb.evil.test", "no-account",
		    "not-enrolled" },
		/* Any number of these is one mailbox to who writes. */
		{ "new+1@bar.test", "_cb.bar.test", "no-account",
		    "not-enrolled" },
		{ "@bar.test", "_cb.bar.test", "no-account", "not-enrolled" },
		{ "closed@bar.test", "_cb.bar.test", "no-account",
		    "not-enrolled" },
	};
	struct account_change change = { .quota = -1, .now = NOW };
	size_t i;

	set_up();
	CHECK_STRING(notify("old@bar.test", 1, 10, NOW), "ok");
	CHECK_STRING(notify("closed@bar.test", 2, 10, NOW), "ok");
	strcpy(change.address, "closed@bar.test");
	strcpy(change.state, "closed");
	CHECK(run(account_change, &change) == OUTCOME_OK);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK_STRING(ask(rows[i].address, rows[i].broker, false),
		    rows[i].notify);
		CHECK_STRING(ask(rows[i].address, rows[i].broker, true),
		    rows[i].put);
	}
	tear_down();
}

TEST(it_comes_with_its_first_message)
{
	int64_t reserved = 0, quota = 0;
	cJSON *account;

	set_up();
	CHECK(!is_there("bob@bar.test"));
	CHECK_STRING(notify("Bob@bar.test", 1, 600, NOW), "ok");
	account = describe("bob@bar.test");
	CHECK_STRING(json_string(account, "address"), "bob@bar.test");
	CHECK_STRING(json_string(account, "state"), "active");
	CHECK(json_boolean(account, "password") == 0);
	CHECK(json_integer(account, "quota", 0, 1 << 20, &quota) == 0 &&
	    quota == config.quota);
	CHECK(json_integer(account, "reserved", 0, 1 << 20, &reserved) == 0 &&
	    reserved == 600);
	cJSON_Delete(account);
	/* The same again, and another. */
	CHECK_STRING(notify("bob@bar.test", 1, 600, NOW + 1), "ok");
	CHECK_STRING(notify("bob@bar.test", 2, 600, NOW + 2), "ok");
	CHECK(count("account/") == 1);
	tear_down();
}

TEST(nothing_comes_of_a_message_that_is_refused)
{
	set_up();
	CHECK_STRING(notify("bob@bar.test", 1, config.quota + 1, NOW), "quota");
	CHECK(!is_there("bob@bar.test"));
	CHECK(count("account/") == 0 && count("created/") == 0);
	tear_down();
}

static enum outcome
work_of_one(struct store_txn *txn, void *arg)
{
	struct notify_fixture *one = arg;

	return notification_store_work(txn, &one->work);
}

static void
one_done(void *arg, enum outcome outcome, const struct reason *why)
{
	(void)arg;
	CHECK(outcome == OUTCOME_OK);
	fixture_done(&fixture, outcome, why);
}

TEST(of_many_at_once_one_makes_it)
{
	static struct notify_fixture all[MANY];
	int i, made = 0;

	set_up();
	for (i = 0; i < MANY; i++) {
		notify_init(&all[i], &fixture, "bob@bar.test", i / 2, 10, NOW);
		CHECK_STRING(notify_ask(&all[i], &fixture, &config), "ok");
		CHECK(all[i].work.make.address[0] != '\0');
	}
	fixture.waiting = MANY;
	for (i = 0; i < MANY; i++)
		store_submit(fixture.store, work_of_one, one_done, &all[i]);
	fixture_wait(&fixture);
	for (i = 0; i < MANY; i++) {
		CHECK_STRING(all[i].work.placeholder.account,
		    all[0].work.placeholder.account);
		CHECK(all[i].work.existed == (i % 2 == 1));
		made += all[i].work.make.made;
	}
	CHECK(made == 1);
	CHECK(count("account/") == 1);
	tear_down();
}

TEST(so_many_in_an_hour_and_not_more)
{
	set_up();
	CHECK_STRING(notify("b1@bar.test", 1, 10, NOW), "ok");
	CHECK_STRING(notify("b2@bar.test", 1, 10, NOW + 10), "ok");
	CHECK_STRING(notify("b3@bar.test", 1, 10, NOW + 3599), "ok");
	CHECK_STRING(notify("b4@bar.test", 1, 10, NOW + 3599), "account-limit");
	CHECK(fixture.why.outcome == OUTCOME_TEMPFAIL);
	CHECK(!is_there("b4@bar.test"));
	/* Nobody else has to do with it: neither who is there, */
	CHECK_STRING(notify("b1@bar.test", 2, 10, NOW + 3599), "ok");
	/* nor after a restart; */
	fixture_reopen(&fixture);
	CHECK_STRING(notify("b4@bar.test", 1, 10, NOW + 3599), "account-limit");
	/* the next hour has as many. */
	CHECK_STRING(notify("b4@bar.test", 1, 10, NOW + 3600), "ok");
	CHECK_STRING(notify("b5@bar.test", 1, 10, NOW + 3600), "ok");
	CHECK_STRING(notify("b6@bar.test", 1, 10, NOW + 3600), "ok");
	CHECK_STRING(notify("b7@bar.test", 1, 10, NOW + 3600), "account-limit");
	/* A clock that was put back does not lock it for long. */
	CHECK_STRING(notify("b7@bar.test", 1, 10, NOW - 9999), "ok");
	CHECK(count("account/") == 7 && count("created/") == 1);
	tear_down();
}

TEST(each_domain_has_its_own_limit)
{
	struct notify_fixture one;

	set_up();
	CHECK_STRING(notify("b1@bar.test", 1, 10, NOW), "ok");
	CHECK_STRING(notify("b2@bar.test", 1, 10, NOW), "ok");
	CHECK_STRING(notify("b3@bar.test", 1, 10, NOW), "ok");
	CHECK_STRING(notify("b4@bar.test", 1, 10, NOW), "account-limit");
	notify_init(&one, &fixture, "dora@customer.test", 1, 10, NOW);
	one.work.claims.iss = "_cb.customer.test";
	CHECK_STRING(notify_ask(&one, &fixture, &config), "ok");
	CHECK(run(notification_store_work, &one.work) == OUTCOME_OK);
	CHECK(is_there("dora@customer.test"));
	tear_down();
}

/* An account that the administrator made meanwhile is taken. */
TEST(it_may_have_been_made_meanwhile)
{
	struct notify_fixture one;
	struct account_new new = { .address_count = 1,
		.quota = 5000,
		.now = NOW };

	set_up();
	notify_init(&one, &fixture, "bob@bar.test", 1, 10, NOW);
	CHECK_STRING(notify_ask(&one, &fixture, &config), "ok");
	store_id_new(new.id);
	strcpy(new.addresses[0], "bob@bar.test");
	strcpy(new.hash, "hash");
	CHECK(run(account_add, &new) == OUTCOME_OK);
	CHECK(run(notification_store_work, &one.work) == OUTCOME_OK);
	CHECK(!one.work.make.made);
	CHECK_STRING(one.work.placeholder.account, new.id);
	CHECK(count("account/") == 1 && count("created/") == 0);
	tear_down();
}

TEST(a_password_opens_it)
{
	struct account_change change = { .quota = -1, .now = NOW };
	cJSON *account;

	set_up();
	CHECK_STRING(notify("bob@bar.test", 1, 10, NOW), "ok");
	strcpy(change.address, "bob@bar.test");
	strcpy(change.hash, "hash");
	CHECK(run(account_change, &change) == OUTCOME_OK);
	account = describe("bob@bar.test");
	CHECK(json_boolean(account, "password") == 1);
	cJSON_Delete(account);
	tear_down();
}

TEST(a_removed_one_comes_again_and_a_closed_one_does_not)
{
	struct account_removal removal = { .now = NOW };
	struct account_change change = { .quota = -1, .now = NOW };
	int i;

	set_up();
	CHECK_STRING(notify("bob@bar.test", 1, 10, NOW), "ok");
	strcpy(removal.address, "bob@bar.test");
	CHECK(run(account_remove, &removal) == OUTCOME_OK);
	CHECK(!removal.complete);
	/* In the middle of it nothing comes in, nor is it opened. */
	CHECK_STRING(notify("bob@bar.test", 2, 10, NOW), "no-account");
	strcpy(change.address, "bob@bar.test");
	strcpy(change.state, "active");
	CHECK(run(account_change, &change) == OUTCOME_PERMFAIL);
	CHECK_STRING(fixture.why.word, "conflict");
	for (i = 0; i < 20 && !removal.complete; i++)
		CHECK(run(account_remove, &removal) == OUTCOME_OK);
	CHECK(!is_there("bob@bar.test"));
	fixture_upload(&fixture, "placeholder", 11);
	CHECK_STRING(notify("bob@bar.test", 3, 10, NOW), "ok");
	strcpy(change.state, "closed");
	CHECK(run(account_change, &change) == OUTCOME_OK);
	CHECK_STRING(notify("bob@bar.test", 4, 10, NOW), "no-account");
	strcpy(change.state, "active");
	CHECK(run(account_change, &change) == OUTCOME_OK);
	CHECK_STRING(notify("bob@bar.test", 4, 10, NOW), "ok");
	tear_down();
}

TEST(what_a_broker_puts_makes_the_senders)
{
	const struct access_asked asked = { "alice@bar.test", "_cb.bar.test" };
	struct resource_commit put = { .type = "text/plain",
		.share = "AAAAAAAAAAAAAAAAAAAAAA",
		.broker = "_cb.bar.test",
		.now = NOW };
	struct account_make make;
	struct account_change change = { .quota = 5, .now = NOW };

	set_up();
	CHECK_STRING(ask(asked.address, asked.broker, true), "new");
	account_make_init(&make, &config, asked.address, asked.broker);
	put.make = &make;
	put.blob = fixture.blob;
	CHECK(run(resource_commit_work, &put) == OUTCOME_OK);
	CHECK(make.made && is_there("alice@bar.test"));
	CHECK_STRING(put.account, make.id);
	CHECK_STRING(ask(asked.address, asked.broker, true), "ok");
	/* The same by who asked before it was there. */
	fixture_upload(&fixture, "another", 7);
	put.blob = fixture.blob;
	account_make_init(&make, &config, asked.address, asked.broker);
	strcpy(change.address, "alice@bar.test");
	CHECK(run(account_change, &change) == OUTCOME_OK);
	CHECK(run(resource_commit_work, &put) == OUTCOME_TEMPFAIL);
	CHECK_STRING(fixture.why.word, "quota");
	CHECK(!make.made && count("account/") == 1);
	store_blob_discard(fixture.store, fixture.blob.locator);
	tear_down();
}

int
main(void)
{
	RUN(only_the_domains_own_broker_and_a_listed_domain);
	RUN(it_comes_with_its_first_message);
	RUN(nothing_comes_of_a_message_that_is_refused);
	RUN(of_many_at_once_one_makes_it);
	RUN(so_many_in_an_hour_and_not_more);
	RUN(each_domain_has_its_own_limit);
	RUN(it_may_have_been_made_meanwhile);
	RUN(a_password_opens_it);
	RUN(a_removed_one_comes_again_and_a_closed_one_does_not);
	RUN(what_a_broker_puts_makes_the_senders);
	return test_done();
}
