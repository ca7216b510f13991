/* SPDX-License-Identifier: ISC
 *
 * What a broker may read back, against a real store.
 */
#include "access_release.h"
#include "account_fixture.h"
#include "json_strict.h"
#include "resource_commit.h"

#define NOW 1000000
#define ID "0123456789abcdef0123456789abcdef"
#define OTHER_ID "fedcba9876543210fedcba9876543210"
#define EVIL "_cb.evil.test"
#define BAR "_cb.bar.test"

static struct store_fixture fixture;
static struct mailboxd_config config;
static char bob[STORE_ID_SIZE], carol[STORE_ID_SIZE];
static char came[SHA256_HEX_SIZE], failed[SHA256_HEX_SIZE],
    own[SHA256_HEX_SIZE];

static enum outcome
run(store_work_fn *work, void *arg)
{
	return store_run(fixture.store, work, arg, &fixture.why);
}

static void
put(const char *account, const char *text, char hash_r[SHA256_HEX_SIZE])
{
	struct resource_commit commit = { .type = "text/plain", .now = NOW };

	fixture_upload(&fixture, text, strlen(text));
	strcpy(commit.account, account);
	commit.blob = fixture.blob;
	CHECK(run(resource_commit_work, &commit) == OUTCOME_OK);
	strcpy(hash_r, fixture.blob.hash);
}

/* A message with one resource that came, and one that the origin refused
 * though the account has it from elsewhere; `own` is not of it. */
static enum outcome
put_message(struct store_txn *txn, void *arg)
{
	cJSON *row = cJSON_CreateObject(), *list = cJSON_CreateArray(), *one;
	const char *const hashes[] = { came, failed };
	struct store_key key;

	(void)arg;
	json_add_string(row, "direction", "in");
	json_add_string(row, "broker", BAR);
	json_add_string(row, "mailbox", "bob@bar.test");
	json_add_integer(row, "expires", NOW + 1000);
	for (size_t i = 0; i < 2; i++) {
		one = cJSON_CreateObject();
		json_add_string(one, "hash", hashes[i]);
		json_add_integer(one, "size", 4);
		cJSON_AddItemToArray(list, one);
	}
	json_add_item(row, "resources", list);
	store_txn_put_object(txn, store_key_message(&key, bob, ID), row);
	row = cJSON_CreateObject();
	store_txn_put_object(txn, store_key_use(&key, bob, came, ID), row);
	row = cJSON_CreateObject();
	json_add_string(row, "problem", "not-shared");
	return store_txn_put_object(txn,
	    store_key_failure(&key, bob, ID, failed), row);
}

static void
set_up(void)
{
	fixture_init(&fixture);
	config.release = MAILBOXD_RELEASE_BROKER;
	fixture_account(&fixture, "bob@bar.test", NULL, NOW, bob);
	fixture_account(&fixture, "carol@bar.test", NULL, NOW, carol);
	put(bob, "came", came);
	put(bob, "fail", failed);
	put(bob, "own", own);
	CHECK(run(put_message, NULL) == OUTCOME_OK);
}

static const char *
ask(const char *broker, const char *mailbox, const char *id, int64_t now)
{
	const struct access_release claim = { broker, mailbox, id };
	struct store_view *view = store_read_begin(fixture.store);
	char account[STORE_ID_SIZE];
	static struct reason why;
	enum outcome outcome;

	outcome =
	    access_release_message(view, &config, &claim, now, account, &why);
	store_read_end(&view);
	if (outcome != OUTCOME_OK)
		return why.word;
	CHECK_STRING(account, bob);
	return "ok";
}

static const char *
ask_hash(const char *broker, const char *hash)
{
	const struct access_release claim = { broker, "bob@bar.test", ID };
	struct store_view *view = store_read_begin(fixture.store);
	struct store_blob blob;
	static struct reason why;
	enum outcome outcome;

	outcome = access_release_resource(view, &config, &claim, hash, NOW,
	    &blob, &why);
	store_read_end(&view);
	return outcome == OUTCOME_OK ? "ok" : why.word;
}

static void
set_release(const char *release)
{
	struct account_change change = { .quota = -1, .now = NOW };

	strcpy(change.address, "bob@bar.test");
	strcpy(change.release, release);
	CHECK(run(account_change, &change) == OUTCOME_OK);
}

TEST(a_broker_sees_what_it_notified)
{
	static const struct {
		const char *broker, *mailbox, *id;
		int64_t now;
		const char *answer;
	} rows[] = {
		{ BAR, "bob@bar.test", ID, NOW, "ok" },
		{ BAR, "Bob@BAR.test", ID, NOW + 999, "ok" },
		{ BAR, "bob@bar.test", ID, NOW + 1000, "expired" },
		/* A broker that did not notify it learns nothing at all. */
		{ EVIL, "bob@bar.test", ID, NOW, "not-found" },
		{ EVIL, "bob@bar.test", ID, NOW + 1000, "not-found" },
		/* Another account's, and an address that it was not for. */
		{ BAR, "carol@bar.test", ID, NOW, "not-found" },
		{ BAR, "alias.bob@bar.test", ID, NOW, "not-found" },
		{ BAR, "nobody@bar.test", ID, NOW, "not-found" },
		{ BAR, "", ID, NOW, "not-found" },
		{ BAR, "bob@bar.test", OTHER_ID, NOW, "not-found" },
		{ BAR, "bob@bar.test", "AbC", NOW, "not-found" },
		{ BAR, "bob@bar.test", "", NOW, "not-found" },
	};
	const char *answer;

	set_up();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		answer = ask(rows[i].broker, rows[i].mailbox, rows[i].id,
		    rows[i].now);
		CHECK_FOR(strcmp(answer, rows[i].answer) == 0, "row %zu: %s", i,
		    answer);
	}
	fixture_free(&fixture);
}

TEST(the_account_has_the_last_word)
{
	set_up();
	set_release("never");
	CHECK_STRING(ask(BAR, "bob@bar.test", ID, NOW), "not-released");
	CHECK_STRING(ask(EVIL, "bob@bar.test", ID, NOW), "not-found");
	CHECK_STRING(ask_hash(BAR, came), "not-released");
	config.release = MAILBOXD_RELEASE_NEVER;
	set_release("");
	CHECK_STRING(ask(BAR, "bob@bar.test", ID, NOW), "not-released");
	set_release("broker");
	CHECK_STRING(ask(BAR, "bob@bar.test", ID, NOW), "ok");
	CHECK_STRING(ask_hash(BAR, came), "ok");
	fixture_free(&fixture);
}

TEST(without_a_word_the_configuration_counts)
{
	set_up();
	config.release = MAILBOXD_RELEASE_NEVER;
	CHECK_STRING(ask(BAR, "bob@bar.test", ID, NOW), "not-released");
	fixture_free(&fixture);
}

TEST(a_resource_is_given_only_if_it_came_for_the_message)
{
	set_up();
	CHECK_STRING(ask_hash(BAR, came), "ok");
	CHECK_STRING(ask_hash(EVIL, came), "not-found");
	/* The account has both, but not by this message. */
	CHECK_STRING(ask_hash(BAR, failed), "not-found");
	CHECK_STRING(ask_hash(BAR, own), "not-found");
	fixture_free(&fixture);
}

TEST(a_closed_account_gives_nothing)
{
	struct account_removal removal = { .now = NOW };

	set_up();
	strcpy(removal.address, "bob@bar.test");
	CHECK(run(account_remove, &removal) == OUTCOME_OK);
	CHECK_STRING(ask(BAR, "bob@bar.test", ID, NOW), "not-found");
	fixture_free(&fixture);
}

int
main(void)
{
	RUN(a_broker_sees_what_it_notified);
	RUN(the_account_has_the_last_word);
	RUN(without_a_word_the_configuration_counts);
	RUN(a_resource_is_given_only_if_it_came_for_the_message);
	RUN(a_closed_account_gives_nothing);
	return test_done();
}
