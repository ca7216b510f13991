/* SPDX-License-Identifier: ISC
 *
 * Who may what, against a real store.
 */
#include "access.h"
#include "account_fixture.h"
#include "json_strict.h"
#include "resource_commit.h"
#include "row_cache.h"
#include "share_store.h"

#define NOW 1000000
#define SHARE "AAAAAAAAAAAAAAAAAAAAAA"
#define OTHER "BBBBBBBBBBBBBBBBBBBBBA"
#define STRANGE \
	"2f77668a9dfbf8d5848b9eeb4a7145ca94c6ed9236e4a773f6dcafa5132b2f91"

static struct store_fixture fixture;
static struct row_cache *kept_rows; /* NULL in the first round */
static char alice[STORE_ID_SIZE], shared[SHA256_HEX_SIZE],
    kept[SHA256_HEX_SIZE];

static enum outcome
run(store_work_fn *work, void *arg)
{
	return store_run(fixture.store, work, arg, &fixture.why);
}

static void
put(const char *text, const char *share, char hash_r[SHA256_HEX_SIZE])
{
	struct resource_commit commit = { .type = "text/plain", .now = NOW };

	fixture_upload(&fixture, text, strlen(text));
	strcpy(commit.account, alice);
	commit.blob = fixture.blob;
	if (share != NULL) {
		strcpy(commit.broker, "_cb.foo.test");
		strcpy(commit.share, share);
	}
	CHECK(run(resource_commit_work, &commit) == OUTCOME_OK);
	strcpy(hash_r, fixture.blob.hash);
}

static struct share *
make_share(const char *id, const char *recipient, const char *hash,
    int64_t expires)
{
	cJSON *body = cJSON_CreateObject(), *list = cJSON_CreateArray();
	struct share *share = calloc(1, sizeof(*share));

	json_add_string(body, "message", "1@foo.test");
	json_add_integer(body, "expires", expires);
	cJSON_AddItemToArray(list, cJSON_CreateString(recipient));
	json_add_item(body, "recipients", list);
	list = cJSON_CreateArray();
	cJSON_AddItemToArray(list, cJSON_CreateString(hash));
	json_add_item(body, "resources", list);
	strcpy(share->account, alice);
	strcpy(share->id, id);
	share->now = NOW;
	CHECK(share_parse(body, share, &fixture.why) == OUTCOME_OK);
	cJSON_Delete(body);
	return share;
}

static void
set_up(void)
{
	struct share *share;

	fixture_init(&fixture);
	fixture_account(&fixture, "alice@foo.test", "_cb.foo.test", NOW, alice);
	put("shared", NULL, shared);
	put("kept", NULL, kept);
	share = make_share(SHARE, "Bob@BAR.test", shared, NOW + 1000);
	CHECK(run(share_store_put, share) == OUTCOME_OK);
	share_free(share);
}

static const char *
ask(const char *sender, const char *recipient, const char *share,
    const char *hash, int64_t now)
{
	const struct access_claim claim = { sender, recipient, share,
		kept_rows };
	struct store_view *view = store_read_begin(fixture.store);
	static struct reason why;
	struct store_blob blob;
	enum outcome outcome;

	outcome = access_shared(view, &claim, hash, now, &blob, &why);
	store_read_end(&view);
	return outcome == OUTCOME_OK ? "ok" : why.word;
}

TEST(a_share_is_for_its_recipients_resources_and_time)
{
	const struct {
		const char *sender, *recipient, *share, *hash;
		int64_t now;
		const char *answer;
	} rows[] = {
		{ "alice@foo.test", "bob@bar.test", SHARE, shared, NOW, "ok" },
		{ "alias.alice@foo.test", "bob@bar.test", SHARE, shared, NOW,
		    "ok" },
		{ "alice@foo.test", "bob@bar.test", SHARE, shared, NOW + 999,
		    "ok" },
		{ "alice@foo.test", "bob@bar.test", SHARE, shared, NOW + 1000,
		    "expired" },
		/* The sender is no address of the sharing account. */
		{ "mallory@foo.test", "bob@bar.test", SHARE, shared, NOW,
		    "not-shared" },
		{ "alice@foo.test", "eve@bar.test", SHARE, shared, NOW,
		    "not-shared" },
		{ "alice@foo.test", "bob@bar.test", OTHER, shared, NOW,
		    "not-shared" },
		{ "alice@foo.test", "bob@bar.test", SHARE, kept, NOW,
		    "not-shared" },
		{ "alice@foo.test", "bob@bar.test", SHARE, STRANGE, NOW,
		    "not-shared" },
		/* After the end only the entitled learn that it was. */
		{ "alice@foo.test", "eve@bar.test", SHARE, shared, NOW + 1000,
		    "not-shared" },
		{ "alice@foo.test", "bob@bar.test", SHARE, kept, NOW + 1000,
		    "not-shared" },
		{ "", "", "", shared, NOW, "not-shared" },
	};
	const char *answer;
	size_t i;

	set_up();
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		answer = ask(rows[i].sender, rows[i].recipient, rows[i].share,
		    rows[i].hash, rows[i].now);
		CHECK_FOR(strcmp(answer, rows[i].answer) == 0, "row %zu: %s", i,
		    answer);
	}
	fixture_free(&fixture);
}

TEST(a_withdrawn_share_is_gone_for_the_entitled)
{
	struct share revoked = { .now = NOW }, *again;

	set_up();
	CHECK_STRING(ask("alice@foo.test", "bob@bar.test", SHARE, shared, NOW),
	    "ok");
	strcpy(revoked.account, alice);
	strcpy(revoked.id, SHARE);
	CHECK(run(share_store_revoke, &revoked) == OUTCOME_OK);
	CHECK_STRING(ask("alice@foo.test", "bob@bar.test", SHARE, shared, NOW),
	    "revoked");
	CHECK_STRING(ask("alice@foo.test", "eve@bar.test", SHARE, shared, NOW),
	    "not-shared");
	/* Said again it does not stand again, nor seem to. */
	again = make_share(SHARE, "bob@bar.test", shared, NOW + 1000);
	CHECK(run(share_store_put, again) == OUTCOME_PERMFAIL);
	CHECK_STRING(fixture.why.word, "revoked");
	share_free(again);
	fixture_free(&fixture);
}

TEST(rows_of_a_broken_attempt_entitle_nobody)
{
	struct share *wide, *narrow;

	set_up();
	/* The first batch of a share that was never completed ... */
	wide = make_share(OTHER, "eve@bar.test", shared, NOW + 1000);
	wide->recipient_count = 1;
	wide->recipients = realloc(wide->recipients, 200 * sizeof(char *));
	for (; wide->recipient_count < 200; wide->recipient_count++) {
		char text[64];

		snprintf(text, sizeof(text), "x%zu@bar.test",
		    wide->recipient_count);
		wide->recipients[wide->recipient_count] = strdup(text);
	}
	CHECK(run(share_store_put, wide) == OUTCOME_OK);
	CHECK(!wide->complete);
	CHECK_STRING(ask("alice@foo.test", "eve@bar.test", OTHER, shared, NOW),
	    "not-shared");
	/* ... and another with the same id that was. */
	narrow = make_share(OTHER, "bob@bar.test", shared, NOW + 1000);
	CHECK(run(share_store_put, narrow) == OUTCOME_OK);
	CHECK(narrow->complete);
	CHECK_STRING(ask("alice@foo.test", "bob@bar.test", OTHER, shared, NOW),
	    "ok");
	CHECK_STRING(ask("alice@foo.test", "eve@bar.test", OTHER, shared, NOW),
	    "not-shared");
	/* The same id cannot be made to say something else. */
	CHECK(run(share_store_put, wide) == OUTCOME_PERMFAIL);
	CHECK_STRING(fixture.why.word, "conflict");
	share_free(wide);
	share_free(narrow);
	fixture_free(&fixture);
}

TEST(only_what_the_account_holds_can_be_shared)
{
	struct share *share;

	set_up();
	share = make_share(OTHER, "bob@bar.test", STRANGE, NOW + 1000);
	CHECK(run(share_store_put, share) == OUTCOME_PERMFAIL);
	CHECK_STRING(fixture.why.word, "not-found");
	share_free(share);
	fixture_free(&fixture);
}

TEST(a_broker_shares_and_withdraws_only_its_own)
{
	char put_by_broker[SHA256_HEX_SIZE];
	struct share *share;
	struct share revoked = { .now = NOW, .broker = "_cb.foo.test" };

	set_up();
	/* Not what the owner put, though the account holds it. */
	share = make_share(OTHER, "bob@bar.test", kept, NOW + 1000);
	strcpy(share->broker, "_cb.foo.test");
	CHECK(run(share_store_put, share) == OUTCOME_PERMFAIL);
	CHECK_STRING(fixture.why.word, "not-found");
	share_free(share);
	/* Not what it put for another share. */
	put("by broker", SHARE, put_by_broker);
	share = make_share(OTHER, "bob@bar.test", put_by_broker, NOW + 1000);
	strcpy(share->broker, "_cb.foo.test");
	CHECK(run(share_store_put, share) == OUTCOME_PERMFAIL);
	share_free(share);
	put("by broker", OTHER, put_by_broker);
	share = make_share(OTHER, "bob@bar.test", put_by_broker, NOW + 1000);
	strcpy(share->broker, "_cb.foo.test");
	CHECK(run(share_store_put, share) == OUTCOME_OK);
	share_free(share);
	strcpy(revoked.account, alice);
	strcpy(revoked.id, SHARE);
	CHECK(run(share_store_revoke, &revoked) == OUTCOME_PERMFAIL);
	strcpy(revoked.id, OTHER);
	CHECK(run(share_store_revoke, &revoked) == OUTCOME_OK);
	fixture_free(&fixture);
}

static int
knows(const char *broker, const char *share, const char *hash)
{
	const struct access_put by = { broker, share };
	struct store_view *view = store_read_begin(fixture.store);
	int answer;

	answer = access_knows(view, alice, broker != NULL ? &by : NULL, hash);
	store_read_end(&view);
	return answer;
}

TEST(a_broker_does_not_learn_what_its_user_or_another_has)
{
	struct resource_commit commit = { .type = "text/plain",
		.now = NOW,
		.broker = "_cb.foo.test",
		.share = OTHER };
	char put_by_broker[SHA256_HEX_SIZE];
	struct share *share;

	set_up();
	put("by broker", OTHER, put_by_broker);
	CHECK(knows(NULL, NULL, kept) == 1);
	CHECK(knows(NULL, NULL, STRANGE) == 0);
	CHECK(knows("_cb.foo.test", OTHER, kept) == 0);
	CHECK(knows("_cb.foo.test", OTHER, STRANGE) == 0);
	CHECK(knows("_cb.foo.test", OTHER, put_by_broker) == 1);
	CHECK(knows("_cb.foo.test", SHARE, put_by_broker) == 0);
	CHECK(knows("_cb.evil.test", OTHER, put_by_broker) == 0);
	/* Nor may it share what another broker put. */
	share = make_share(OTHER, "bob@bar.test", put_by_broker, NOW + 1000);
	strcpy(share->broker, "_cb.evil.test");
	CHECK(run(share_store_put, share) == OUTCOME_PERMFAIL);
	CHECK_STRING(fixture.why.word, "not-found");
	share_free(share);
	/* Bytes that the user has already are new to it. */
	fixture_upload(&fixture, "kept", 4);
	strcpy(commit.account, alice);
	commit.blob = fixture.blob;
	CHECK(run(resource_commit_work, &commit) == OUTCOME_OK);
	CHECK(!commit.existed);
	fixture_free(&fixture);
}

static const char *
ask_broker(const struct mailboxd_config *config, const char *user,
    const char *broker)
{
	struct store_view *view = store_read_begin(fixture.store);
	char account[STORE_ID_SIZE];
	static struct reason why;
	enum outcome outcome;

	outcome = access_broker(view, config, user, broker, account, &why);
	store_read_end(&view);
	return outcome == OUTCOME_OK ? "ok" : why.word;
}

TEST(a_broker_is_enrolled_by_account_or_configuration)
{
	char pair[] = "_cb.hoster.test:foo.test", *pairs[] = { pair };
	const struct mailboxd_config none = { 0 };
	const struct mailboxd_config some = { .enrolled = { pairs, 1 } };

	set_up();
	CHECK_STRING(ask_broker(&none, "alice@foo.test", "_cb.foo.test"), "ok");
	CHECK_STRING(ask_broker(&none, "alice@foo.test", "_cb.evil.test"),
	    "not-enrolled");
	CHECK_STRING(ask_broker(&none, "nobody@foo.test", "_cb.foo.test"),
	    "not-enrolled");
	CHECK_STRING(ask_broker(&none, "alice@foo.test", "_cb.hoster.test"),
	    "not-enrolled");
	CHECK_STRING(ask_broker(&some, "alice@foo.test", "_cb.hoster.test"),
	    "ok");
	CHECK_STRING(ask_broker(&some, "nobody@foo.test", "_cb.hoster.test"),
	    "not-enrolled");
	fixture_free(&fixture);
}

static int
has_credential(const char *name)
{
	struct store_view *view = store_read_begin(fixture.store);
	struct store_key key;
	int found;

	found = store_get(view, store_key_credential(&key, alice, name), NULL);
	store_read_end(&view);
	return found;
}

static enum outcome
put_session(struct store_txn *txn, void *arg)
{
	cJSON *row = cJSON_CreateObject();
	struct store_key key;

	json_add_string(row, "kind", "session");
	return store_txn_put_object(txn, store_key_credential(&key, alice, arg),
	    row);
}

TEST(a_new_password_ends_all_sessions)
{
	struct account_change change = { .quota = 5, .now = NOW };
	char one[] = "session-1", two[] = "session-2";

	set_up();
	CHECK(run(put_session, one) == OUTCOME_OK);
	CHECK(run(put_session, two) == OUTCOME_OK);
	strcpy(change.address, "alice@foo.test");
	CHECK(run(account_change, &change) == OUTCOME_OK);
	CHECK(has_credential(one) == 1);
	strcpy(change.hash, "another");
	CHECK(run(account_change, &change) == OUTCOME_OK);
	CHECK(has_credential(one) == 0);
	CHECK(has_credential(two) == 0);
	CHECK(has_credential("password") == 1);
	fixture_free(&fixture);
}

TEST(an_account_is_removed_with_all_it_had)
{
	struct account_removal removal = { .now = NOW };
	struct store_view *view;
	struct store_blob blob;
	int i;

	set_up();
	strcpy(removal.address, "alice@foo.test");
	for (i = 0; i < 20 && !removal.complete; i++)
		CHECK(run(account_remove, &removal) == OUTCOME_OK);
	CHECK(removal.complete);
	view = store_read_begin(fixture.store);
	CHECK(store_blob_get(view, shared, &blob) == 0);
	store_read_end(&view);
	CHECK_STRING(ask("alice@foo.test", "bob@bar.test", SHARE, shared, NOW),
	    "not-shared");
	CHECK(run(account_remove, &removal) == OUTCOME_PERMFAIL);
	CHECK_STRING(fixture.why.word, "no-account");
	fixture_free(&fixture);
}

/* Everything about shares once more with rows that are kept. */
TEST(kept_rows_say_the_same)
{
	kept_rows = row_cache_new();
	test_a_share_is_for_its_recipients_resources_and_time();
	test_a_withdrawn_share_is_gone_for_the_entitled();
	test_rows_of_a_broken_attempt_entitle_nobody();
	row_cache_free(&kept_rows);
}

int
main(void)
{
	RUN(a_share_is_for_its_recipients_resources_and_time);
	RUN(a_withdrawn_share_is_gone_for_the_entitled);
	RUN(rows_of_a_broken_attempt_entitle_nobody);
	RUN(only_what_the_account_holds_can_be_shared);
	RUN(a_broker_shares_and_withdraws_only_its_own);
	RUN(a_broker_does_not_learn_what_its_user_or_another_has);
	RUN(a_broker_is_enrolled_by_account_or_configuration);
	RUN(a_new_password_ends_all_sessions);
	RUN(an_account_is_removed_with_all_it_had);
	RUN(kept_rows_say_the_same);
	return test_done();
}
