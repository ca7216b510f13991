/* SPDX-License-Identifier: ISC
 *
 * What the administrator does to pulls and shares, against a real store:
 * found by the beginning of an id, shown, hastened, dropped; quota and
 * records stay right, whatever he does.
 */
#include "account_fixture.h"
#include "json_strict.h"
#include "lapse.h"
#include "notification_store.h"
#include "pull_describe.h"
#include "pull_store.h"
#include "resource_commit.h"
#include "share_describe.h"
#include "share_store.h"
#include "store_check.h"

#define NOW 1000000
#define EXPIRES (NOW + 86400)
#define ORIGIN "https://mailbox.hospital.test"
#define SHARE "AAAAAAAAAAAAAAAAAAAAAA"
#define FIRST "41aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SECOND "41ab0000000000000000000000000000"
#define THIRD "02000000000000000000000000000000"
#define MANY 30 /* resources: three batches */

static const struct pull_policy policy = { 120, 2, 60, 14400 };
static struct store_fixture fixture;
static char account[STORE_ID_SIZE];
static const char *known = ""; /* what a notification must be */

static enum outcome
run(store_work_fn *work, void *arg)
{
	return store_run(fixture.store, work, arg, &fixture.why);
}

/* A message of `count` resources of ten bytes; its id. */
static enum outcome
notify(const char *id, const char *token, int count, int64_t now)
{
	struct cargo_notified resources[MANY] = { 0 };
	struct cargo_notification notification = { (char *)"healthcare",
		resources, (size_t)count, NULL, 0 };
	struct notification_work work = {
		.claims = { "_cb.bar.test", "alice@foo.test", "bob@bar.test",
		    "bob@bar.test", ORIGIN, SHARE, id, "_rra.insurance.test",
		    token, EXPIRES },
		.notification = &notification,
	};
	enum outcome outcome;
	char text[32];

	for (int i = 0; i < count; i++) {
		snprintf(text, sizeof(text), "number %03d", i);
		sha256_hex(text, 10, resources[i].hash);
		resources[i].size = 10;
		resources[i].type = (char *)"text/plain";
	}
	notification_work_init(&work);
	strcpy(work.id, id);
	strcpy(work.known, known);
	strcpy(work.placeholder.account, account);
	work.placeholder.now = now;
	fixture_upload(&fixture, "placeholder", 11);
	work.placeholder.blob = fixture.blob;
	outcome = run(notification_store_work, &work);
	if (work.existed || outcome != OUTCOME_OK)
		store_blob_discard(fixture.store, fixture.blob.locator);
	return outcome;
}

static void
begin(void)
{
	fixture_init(&fixture);
	fixture_account(&fixture, "bob@bar.test", NULL, NOW, account);
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

static int64_t
reserved(int64_t *records_r)
{
	struct store_view *view = store_read_begin(fixture.store);
	struct store_account row;
	int64_t bytes = -1;

	if (store_account_get(view, account, &row) == 1) {
		bytes = row.reserved;
		*records_r = row.records;
		store_account_clear(&row);
	}
	store_read_end(&view);
	return bytes;
}

static void
fail(const char *id, const char *problem, int64_t status, bool fault)
{
	struct pull_retry retry = { .number = -1,
		.now = NOW + 5,
		.origin_fault = fault,
		.status = status,
		.policy = &policy };

	strcpy(retry.message, id);
	strcpy(retry.problem, problem);
	CHECK(run(pull_store_retry, &retry) == OUTCOME_OK);
}

static struct pull_row
row_of(const char *id)
{
	struct store_view *view = store_read_begin(fixture.store);
	struct pull_row row;

	if (pull_row_get(view, id, &row) != 1)
		memset(&row, 0, sizeof(row));
	store_read_end(&view);
	return row;
}

static int
find(const char *text, char id_r[STORE_ID_SIZE])
{
	struct store_view *view = store_read_begin(fixture.store);
	int found = pull_row_find(view, text, id_r);

	store_read_end(&view);
	return found;
}

/* ---- pulls --------------------------------------------------------------- */

TEST(a_pull_is_found_by_the_beginning_of_its_id)
{
	static const struct {
		const char *text;
		int found;
		const char *id;
	} rows[] = {
		{ FIRST, 1, FIRST },
		{ "41aaa", 1, FIRST },
		{ "41ab", 1, SECOND },
		{ "41a", 0, "" }, /* too short to be asked for */
		{ "41ac", 0, "" },
		{ "0200", 1, THIRD },
		{ "", 0, "" },
		{ "../41aa", 0, "" },
		{ "41AA", 0, "" },
		{ "41aa\n", 0, "" },
		{ FIRST "0", 0, "" },
	};
	char id[STORE_ID_SIZE];

	begin();
	notify(FIRST, "b", 1, NOW);
	notify(SECOND, "b", 1, NOW);
	notify(THIRD, "b", 1, NOW);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		strcpy(id, "");
		CHECK_FOR(find(rows[i].text, id) == rows[i].found, "%s",
		    rows[i].text);
		CHECK_STRING(id, rows[i].id);
	}
	notify("41aa1000000000000000000000000000", "b", 1, NOW);
	CHECK(find("41aa", id) == 2);
	CHECK(find("41aaa", id) == 1);
	end();
}

TEST(the_last_failure_is_kept_and_shown)
{
	struct store_view *view;
	cJSON *pull, *resources;
	struct pull_row row;
	int64_t number;

	begin();
	notify(FIRST, "b", 2, NOW);
	row = row_of(FIRST);
	CHECK(row.failed == 0 && row.problem[0] == '\0');
	pull_row_clear(&row);
	fail(FIRST, "published", 401, false);
	view = store_read_begin(fixture.store);
	pull = pull_describe(view, FIRST, &resources);
	CHECK_STRING(json_string(pull, "problem"), "published");
	CHECK(json_integer(pull, "status", 401, 401, &number) == 0);
	CHECK(json_integer(pull, "failed", NOW + 5, NOW + 5, &number) == 0);
	CHECK(json_integer(pull, "attempt", 1, 1, &number) == 0);
	CHECK_STRING(json_string(pull, "category"), "healthcare");
	CHECK_STRING(json_string(pull, "message_id"), FIRST);
	CHECK_STRING(json_string(pull, "mailbox"), "bob@bar.test");
	CHECK(json_string(pull, "token") == NULL);
	CHECK(cJSON_GetArraySize(resources) == 2);
	CHECK_STRING(json_string(resources->child, "state"), "pending");
	cJSON_Delete(pull);
	cJSON_Delete(resources);
	CHECK(pull_describe(view, THIRD, &resources) == NULL);
	store_read_end(&view);
	/* A lease that broke off is none. */
	fail(FIRST, "", 0, false);
	row = row_of(FIRST);
	CHECK_STRING(row.problem, "published");
	pull_row_clear(&row);
	end();
}

/* Refused is what is leased; how many were made due. */
static unsigned
hasten(const char *id, unsigned leased)
{
	struct pull_hasten hasten = { .count = 2, .now = NOW + 10 };

	strcpy(hasten.messages[0], id);
	strcpy(hasten.messages[1], "77777777777777777777777777777777");
	CHECK(run(pull_store_hasten, &hasten) == OUTCOME_OK);
	CHECK(hasten.leased == leased);
	return hasten.due;
}

TEST(what_is_hastened_is_due_and_so_is_its_origin)
{
	struct store_view *view;
	struct pull_row row;
	struct store_key key;

	begin();
	notify(FIRST, "b", 1, NOW);
	for (int i = 0; i < 5; i++)
		fail(FIRST, "unavailable", 0, true);
	row = row_of(FIRST);
	CHECK(row.due > NOW + 10 && row.attempt == 5);
	pull_row_clear(&row);
	check_store();
	CHECK(hasten(FIRST, 0) == 1);
	row = row_of(FIRST);
	CHECK(row.due == NOW + 10 && row.attempt == 0);
	CHECK_STRING(row.problem, "unavailable");
	pull_row_clear(&row);
	view = store_read_begin(fixture.store);
	CHECK(pull_origin_not_before(view, ORIGIN) == 0);
	CHECK(store_get(view, store_key_due(&key, NOW + 10, FIRST), NULL) == 1);
	store_read_end(&view);
	end();
}

TEST(what_is_leased_is_left_alone)
{
	struct pull_take take = { .expected = 0, .until = NOW + 120 };
	struct pull_row row;

	begin();
	notify(FIRST, "b", 1, NOW);
	strcpy(take.message, FIRST);
	CHECK(run(pull_store_take, &take) == OUTCOME_OK);
	pull_row_clear(&take.row);
	CHECK(hasten(FIRST, 1) == 0);
	row = row_of(FIRST);
	CHECK(row.leased && row.due == NOW + 120 && row.lease == 1);
	pull_row_clear(&row);
	end();
}

/* As pull_server_drop; how many transactions it took. */
static int
drop(const char *id)
{
	struct pull_fail work = { .number = -1, .now = NOW + 20 };
	int count = 0;

	strcpy(work.message, id);
	strcpy(work.problem, "dropped");
	do {
		CHECK(run(pull_store_fail, &work) == OUTCOME_OK);
		count++;
	} while (work.more);
	CHECK(work.ended);
	return count;
}

TEST(what_is_dropped_fails_and_its_quota_is_free)
{
	int64_t before = 0, after = 0;
	struct store_view *view;
	struct store_key key;
	char hash[SHA256_HEX_SIZE];
	cJSON *failure = NULL;
	struct pull_row row;

	begin();
	notify(FIRST, "b", MANY, NOW);
	notify(SECOND, "b", 1, NOW);
	CHECK(reserved(&before) == 10 * MANY + 10);
	CHECK(drop(FIRST) == 3);
	CHECK(reserved(&after) == 10);
	/* One for each resource, and the end. */
	CHECK(after == before + MANY + 1);
	sha256_hex("number 007", 10, hash);
	view = store_read_begin(fixture.store);
	CHECK(
	    store_get_json(view, store_key_failure(&key, account, FIRST, hash),
		&failure) == 1);
	CHECK_STRING(json_string(failure, "problem"), "dropped");
	cJSON_Delete(failure);
	CHECK(pull_row_get(view, FIRST, &row) == 0);
	store_read_end(&view);
	check_store();
	/* The same again does not bring it back. */
	CHECK(notify(FIRST, "c", MANY, NOW + 30) == OUTCOME_OK);
	row = row_of(FIRST);
	CHECK(row.token == NULL);
	CHECK(reserved(&after) == 10);
	end();
}

TEST(a_later_token_is_tried_at_once)
{
	struct pull_take take = { .expected = 0, .until = NOW + 120 };
	struct pull_row row;

	begin();
	notify(FIRST, "old", 1, NOW);
	fail(FIRST, "published", 401, false);
	row = row_of(FIRST);
	CHECK(row.due > NOW + 10);
	pull_row_clear(&row);
	CHECK(notify(FIRST, "new", 1, NOW + 10) == OUTCOME_OK);
	row = row_of(FIRST);
	CHECK_STRING(row.token, "new");
	CHECK(row.due == NOW + 10);
	pull_row_clear(&row);
	/* Not under the hands of a worker. */
	strcpy(take.message, FIRST);
	CHECK(run(pull_store_take, &take) == OUTCOME_OK);
	pull_row_clear(&take.row);
	CHECK(notify(FIRST, "third", 1, NOW + 11) == OUTCOME_OK);
	row = row_of(FIRST);
	CHECK_STRING(row.token, "third");
	CHECK(row.due == NOW + 120 && row.leased);
	pull_row_clear(&row);
	end();
}

TEST(what_must_be_known_makes_nothing_new)
{
	int64_t before, after, reserved_before;
	struct pull_row row;

	begin();
	known = FIRST;
	CHECK(notify(FIRST, "b", 1, NOW) == OUTCOME_PERMFAIL);
	CHECK_STRING(fixture.why.word, "not-found");
	row = row_of(FIRST);
	CHECK(row.token == NULL);
	known = "";
	CHECK(notify(FIRST, "b", 1, NOW) == OUTCOME_OK);
	reserved_before = reserved(&before);
	/* By another id: the token stays as well. */
	known = SECOND;
	CHECK(notify(FIRST, "new", 1, NOW + 1) == OUTCOME_PERMFAIL);
	row = row_of(FIRST);
	CHECK_STRING(row.token, "b");
	pull_row_clear(&row);
	known = FIRST;
	CHECK(notify(FIRST, "new", 1, NOW + 1) == OUTCOME_OK);
	row = row_of(FIRST);
	CHECK_STRING(row.token, "new");
	pull_row_clear(&row);
	CHECK(reserved(&after) == reserved_before && before == after);
	known = "";
	end();
}

/* ---- shares -------------------------------------------------------------- */

static void
put(const char *owner, const char *text)
{
	struct resource_commit commit = { .type = "text/plain", .now = NOW };

	fixture_upload(&fixture, text, strlen(text));
	strcpy(commit.account, owner);
	commit.blob = fixture.blob;
	CHECK(run(resource_commit_work, &commit) == OUTCOME_OK);
}

/* Of the resource put last, to so many recipients. */
static void
make_share(const char *owner, int recipients)
{
	cJSON *body = cJSON_CreateObject(), *list = cJSON_CreateArray();
	struct share *share = calloc(1, sizeof(*share));
	char address[40];

	json_add_string(body, "message", "1@foo.test");
	json_add_integer(body, "expires", EXPIRES);
	for (int i = 0; i < recipients; i++) {
		snprintf(address, sizeof(address), "r%d@bar.test", i);
		cJSON_AddItemToArray(list, cJSON_CreateString(address));
	}
	json_add_item(body, "recipients", list);
	list = cJSON_CreateArray();
	cJSON_AddItemToArray(list, cJSON_CreateString(fixture.blob.hash));
	json_add_item(body, "resources", list);
	strcpy(share->account, owner);
	strcpy(share->id, SHARE);
	share->now = NOW;
	CHECK(share_parse(body, share, &fixture.why) == OUTCOME_OK);
	do {
		CHECK(run(share_store_put, share) == OUTCOME_OK);
		share_next(share);
	} while (!share->complete);
	share_free(share);
	cJSON_Delete(body);
}

static const char *
state_of(const char *owner, int64_t now, int64_t recipients)
{
	struct store_view *view = store_read_begin(fixture.store);
	cJSON *share = share_describe(view, owner, SHARE, now);
	static char state[16];
	int64_t number;

	snprintf(state, sizeof(state), "%s", json_string(share, "state"));
	CHECK(json_integer(share, "recipients", recipients, recipients,
		  &number) == 0);
	CHECK(json_integer(share, "resources", 1, 1, &number) == 0);
	CHECK_STRING(json_string(share, "message"), "1@foo.test");
	cJSON_Delete(share);
	store_read_end(&view);
	return state;
}

static int
find_share(const char *id, const char *address, char owner_r[STORE_ID_SIZE])
{
	struct store_view *view = store_read_begin(fixture.store);
	int found = share_describe_find(view, id, address, owner_r);

	store_read_end(&view);
	return found;
}

TEST(a_share_is_found_shown_and_revoked)
{
	struct share revoked = { .now = NOW + 7 };
	char owner[STORE_ID_SIZE] = "";
	struct store_view *view;
	cJSON *list;

	begin();
	put(account, "of bob");
	make_share(account, 100);
	CHECK(find_share(SHARE, "", owner) == 1);
	CHECK_STRING(owner, account);
	CHECK(find_share("BBBBBBBBBBBBBBBBBBBBBA", "", owner) == 0);
	CHECK_STRING(state_of(account, NOW, 100), "shared");
	CHECK_STRING(state_of(account, EXPIRES, 100), "expired");
	view = store_read_begin(fixture.store);
	list = cJSON_CreateArray();
	CHECK(share_describe_content(view, account, SHARE, list) == 0);
	CHECK(cJSON_GetArraySize(list) == 101);
	CHECK_STRING(json_string(list->child, "type"), "text/plain");
	CHECK(json_string(list->child->next, "recipient") != NULL);
	cJSON_Delete(list);
	list = cJSON_CreateArray();
	CHECK(share_describe_all(view, account, NOW, list) == 0);
	CHECK(cJSON_GetArraySize(list) == 1);
	CHECK_STRING(json_string(list->child, "owner"), "bob@bar.test");
	cJSON_Delete(list);
	store_read_end(&view);
	strcpy(revoked.account, account);
	strcpy(revoked.id, SHARE);
	CHECK(run(share_store_revoke, &revoked) == OUTCOME_OK);
	CHECK_STRING(state_of(account, NOW + 8, 100), "revoked");
	end();
}

TEST(two_may_use_one_id)
{
	char owner[STORE_ID_SIZE] = "", other[STORE_ID_SIZE];

	begin();
	fixture_account(&fixture, "carol@bar.test", NULL, NOW, other);
	put(account, "of bob");
	make_share(account, 1);
	put(other, "of carol");
	make_share(other, 2);
	CHECK(find_share(SHARE, "", owner) == 2);
	CHECK(find_share(SHARE, "carol@bar.test", owner) == 1);
	CHECK_STRING(owner, other);
	CHECK(find_share(SHARE, "alias.bob@bar.test", owner) == 1);
	CHECK_STRING(owner, account);
	CHECK(find_share(SHARE, "dave@bar.test", owner) == 0);
	end();
}

int
main(void)
{
	RUN(a_pull_is_found_by_the_beginning_of_its_id);
	RUN(the_last_failure_is_kept_and_shown);
	RUN(what_is_hastened_is_due_and_so_is_its_origin);
	RUN(what_is_leased_is_left_alone);
	RUN(what_is_dropped_fails_and_its_quota_is_free);
	RUN(a_later_token_is_tried_at_once);
	RUN(what_must_be_known_makes_nothing_new);
	RUN(a_share_is_found_shown_and_revoked);
	RUN(two_may_use_one_id);
	return test_done();
}
