/* SPDX-License-Identifier: ISC
 *
 * Opening, views, closures and their group commit.
 */
#include "store.h"

#include "json_strict.h"
#include "store_fixture.h"
#include "test.h"

/* Writes a row, then does what `fail` says. */
struct put {
	const char *key, *value;
	enum { GOOD, REFUSE_FIRST, REFUSE_AFTER, TOO_MANY, BAD_VALUE } fail;
	int runs;
	struct store_fixture *fixture;
	enum outcome outcome;
	struct reason why;
};

static enum outcome
put_work(struct store_txn *txn, void *arg)
{
	struct put *put = arg;
	char key[32];
	int i;

	put->runs++;
	if (put->fail == REFUSE_FIRST)
		return reason_set(store_txn_reason(txn), OUTCOME_PERMFAIL,
		    "conflict", "no");
	store_txn_put(txn, put->key, put->value, strlen(put->value));
	if (put->fail == REFUSE_AFTER)
		return reason_set(store_txn_reason(txn), OUTCOME_PERMFAIL,
		    "conflict", "after");
	for (i = 0; put->fail == TOO_MANY && i < STORE_CLOSURE_KEYS; i++) {
		snprintf(key, sizeof(key), "many/%d", i);
		store_txn_put(txn, key, "{}", 2);
	}
	if (put->fail == BAD_VALUE)
		store_txn_put(txn, "bad", "{", 1);
	return OUTCOME_OK;
}

static void
put_done(void *arg, enum outcome outcome, const struct reason *why)
{
	struct put *put = arg;

	put->outcome = outcome;
	put->why = *why;
	put->fixture->waiting--;
}

static int
has(struct store_fixture *fixture, const char *key)
{
	struct store_view *view = store_read_begin(fixture->store);
	int found = store_get(view, key, NULL);

	store_read_end(&view);
	return found;
}

TEST(a_batch_with_bad_ones)
{
	struct put puts[] = {
		{ .key = "a/1", .value = "{}" },
		{ .key = "a/2", .value = "{}", .fail = REFUSE_AFTER },
		{ .key = "a/3", .value = "{}" },
		{ .key = "a/4", .value = "{}", .fail = REFUSE_FIRST },
		{ .key = "a/5", .value = "{}", .fail = TOO_MANY },
		{ .key = "a/6", .value = "{}", .fail = BAD_VALUE },
		{ .key = "a/7", .value = "{}" },
	};
	struct store_fixture fixture;
	size_t i;

	fixture_init(&fixture);
	for (i = 0; i < 7; i++) {
		puts[i].fixture = &fixture;
		fixture.waiting++;
		store_submit(fixture.store, put_work, put_done, &puts[i]);
	}
	fixture_wait(&fixture);
	for (i = 0; i < 7; i++)
		CHECK_FOR(has(&fixture, puts[i].key) == (puts[i].fail == GOOD),
		    "%zu", i);
	for (i = 0; i < 7; i++)
		CHECK_FOR((puts[i].outcome == OUTCOME_OK) ==
			(puts[i].fail == GOOD),
		    "%zu", i);
	CHECK(puts[1].outcome == OUTCOME_PERMFAIL);
	CHECK(reason_is(&puts[1].why, "conflict"));
	CHECK(reason_is(&puts[3].why, "conflict"));
	CHECK(puts[4].outcome == OUTCOME_TEMPFAIL);
	CHECK(reason_is(&puts[4].why, "internal"));
	CHECK(puts[5].outcome == OUTCOME_TEMPFAIL);
	CHECK(has(&fixture, "many/0") == 0);
	fixture_free(&fixture);
}

TEST(closures_see_those_before_them)
{
	struct put first = { .key = "b/1", .value = "{\"n\":1}" };
	struct store_fixture fixture;
	struct store_view *before, *after;

	fixture_init(&fixture);
	before = store_read_begin(fixture.store);
	CHECK(store_run(fixture.store, put_work, &first, NULL) == OUTCOME_OK);
	after = store_read_begin(fixture.store);
	CHECK(store_get(before, "b/1", NULL) == 0);
	CHECK(store_get(after, "b/1", NULL) == 1);
	store_read_end(&before);
	store_read_end(&after);
	fixture_free(&fixture);
}

static enum store_step
count_row(void *arg, const char *key, const void *data, size_t len)
{
	char *keys = arg;

	(void)data;
	(void)len;
	strcat(keys, key);
	strcat(keys, " ");
	return strcmp(key, "c/2") == 0 ? STORE_SKIP :
	    strcmp(key, "c/4") == 0    ? STORE_STOP :
					 STORE_NEXT;
}

TEST(scans)
{
	static const char *const keys[] = { "c/1", "c/2", "c/2/a", "c/2/b",
		"c/3", "c/4", "c/5", "d/1" };
	struct put put = { .value = "{}" };
	struct store_fixture fixture;
	struct store_view *view;
	char text[128] = "";
	size_t i;

	fixture_init(&fixture);
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		put.key = keys[i];
		CHECK(store_run(fixture.store, put_work, &put, NULL) ==
		    OUTCOME_OK);
	}
	view = store_read_begin(fixture.store);
	CHECK(store_scan(view, "c/", NULL, count_row, text) == 0);
	CHECK_STRING(text, "c/1 c/2 c/3 c/4 ");
	text[0] = '\0';
	CHECK(store_scan(view, "c/", "c/2/b", count_row, text) == 0);
	CHECK_STRING(text, "c/2/b c/3 c/4 ");
	text[0] = '\0';
	CHECK(store_scan(view, "d/", NULL, count_row, text) == 0);
	CHECK_STRING(text, "d/1 ");
	text[0] = '\0';
	CHECK(store_scan(view, "e/", NULL, count_row, text) == 0);
	CHECK_STRING(text, "");
	store_read_end(&view);
	fixture_free(&fixture);
}

TEST(a_torn_row_is_trouble_and_stays)
{
	struct put put = { .key = "t/1", .value = "[1]" };
	struct store_fixture fixture;
	struct store_view *view;
	cJSON *row;

	fixture_init(&fixture);
	/* Good JSON, but no object: as torn as one can be made from here. */
	CHECK(store_run(fixture.store, put_work, &put, NULL) == OUTCOME_OK);
	view = store_read_begin(fixture.store);
	CHECK(store_get_json(view, "t/1", &row) == -1);
	CHECK(row == NULL);
	CHECK(store_get(view, "t/1", NULL) == 1);
	store_read_end(&view);
	fixture_free(&fixture);
}

TEST(what_is_acknowledged_is_there_after_reopening)
{
	struct put put = { .key = "k/1", .value = "{}" };
	struct store_fixture fixture;

	fixture_init(&fixture);
	CHECK(store_run(fixture.store, put_work, &put, NULL) == OUTCOME_OK);
	fixture_reopen(&fixture);
	CHECK(has(&fixture, "k/1") == 1);
	fixture_free(&fixture);
}

TEST(one_process_at_a_time)
{
	struct store_fixture fixture;
	struct reason why = { 0 };

	fixture_init(&fixture);
	CHECK(store_open(fixture.path, NULL, &why) == NULL);
	CHECK(strstr(why.text, "another process") != NULL);
	CHECK(store_open("/nonexistent/store", NULL, &why) == NULL);
	CHECK(strstr(why.text, "no such directory") != NULL);
	fixture_free(&fixture);
}

/* Everything below the directory belongs to its owner. */
static int strangers;

static int
count_stranger(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
	(void)path;
	(void)type;
	(void)ftw;
	strangers += st->st_uid != 65534 || st->st_gid != 65534;
	return 0;
}

TEST(what_root_makes_is_the_owners)
{
	struct store_fixture fixture = { 0 };

	if (geteuid() != 0)
		return;
	fixture.base = event_base_new();
	fixture.options.map_size = 256 << 20;
	fixture_directory("/tmp", fixture.path);
	CHECK(chown(fixture.path, 65534, 65534) == 0);
	CHECK(fixture_open(&fixture) == 0);
	strangers = 0;
	nftw(fixture.path, count_stranger, 16, FTW_PHYS);
	CHECK(strangers == 0);
	fixture_free(&fixture);
}

TEST(an_unknown_layout_is_refused)
{
	static const char *const versions[] = { "{\"layout\":2}",
		"{\"layout\":0}", "{}", "[]" };
	struct put put = { .key = "store/version" };
	struct store_fixture fixture;
	size_t i;

	for (i = 0; i < 4; i++) {
		fixture_init(&fixture);
		put.value = versions[i];
		CHECK(store_run(fixture.store, put_work, &put, NULL) ==
		    OUTCOME_OK);
		store_close(&fixture.store);
		CHECK(fixture_open(&fixture) == -1);
		CHECK_FOR(strstr(fixture.why.text, "layout") != NULL, "%s",
		    fixture.why.text);
		fixture_free(&fixture);
	}
}

TEST(a_full_map_is_temporary)
{
	struct store_fixture fixture;
	char value[32768], key[32];
	struct put put = { .key = key, .value = value };
	int i;

	fixture_init(&fixture);
	store_close(&fixture.store);
	fixture.options.map_size = 1 << 20;
	CHECK(fixture_open(&fixture) == 0);
	memset(value, ' ', sizeof(value));
	memcpy(value, "{}", 2);
	value[sizeof(value) - 1] = '\0';
	for (i = 0; i < 100; i++) {
		snprintf(key, sizeof(key), "f/%d", i);
		if (store_run(fixture.store, put_work, &put, &fixture.why) !=
		    OUTCOME_OK)
			break;
	}
	CHECK(i > 5 && i < 100);
	CHECK(fixture.why.outcome == OUTCOME_TEMPFAIL);
	CHECK(reason_is(&fixture.why, "no-space"));
	CHECK(has(&fixture, "f/0") == 1);
	CHECK(has(&fixture, key) == 0);
	/* A smaller one still fits. */
	put.key = "f/small";
	put.value = "{}";
	CHECK(store_run(fixture.store, put_work, &put, NULL) == OUTCOME_OK);
	fixture_free(&fixture);
}

TEST(the_floor)
{
	struct store_fixture fixture;
	struct store_figures figures;

	fixture_init(&fixture);
	CHECK(store_space_ok(fixture.store, 1000));
	CHECK(!store_space_ok(fixture.store, INT64_MAX));
	store_figures(fixture.store, &figures);
	CHECK(figures.space > 0);
	store_close(&fixture.store);
	fixture.options.free_floor = INT64_MAX;
	CHECK(fixture_open(&fixture) == 0);
	CHECK(!store_space_ok(fixture.store, 0));
	fixture_free(&fixture);
}

int
main(void)
{
	RUN(a_batch_with_bad_ones);
	RUN(closures_see_those_before_them);
	RUN(scans);
	RUN(a_torn_row_is_trouble_and_stays);
	RUN(what_is_acknowledged_is_there_after_reopening);
	RUN(one_process_at_a_time);
	RUN(what_root_makes_is_the_owners);
	RUN(an_unknown_layout_is_refused);
	RUN(a_full_map_is_temporary);
	RUN(the_floor);
	return test_done();
}
