/* SPDX-License-Identifier: ISC
 *
 * fsck: a good store has no finding; each relation broken alone is found
 * under its word.
 */
#include "store_check.h"

#include <fcntl.h>

#include "store_fixture.h"
#include "store_samples.h"
#include "test.h"

#define ALICE "0123456789abcdef0123456789abcdef"
#define MESSAGE "41aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DONE "42aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define NOBODY "ffffffffffffffffffffffffffffffff"
#define HASH "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
#define A "account/" ALICE

static char account[] = ALICE;

struct row {
	const char *key, *value; /* value NULL: delete */
};

static enum outcome
put_rows(struct store_txn *txn, void *arg)
{
	const struct row *row;

	for (row = arg; row->key != NULL; row++) {
		if (row->value != NULL)
			store_txn_put(txn, row->key, row->value,
			    strlen(row->value));
		else
			store_txn_delete(txn, row->key);
	}
	return OUTCOME_OK;
}

static enum outcome
reserve(struct store_txn *txn, void *arg)
{
	struct store_account row;

	(void)arg;
	if (store_account_get(store_txn_view(txn), ALICE, &row) != 1)
		return OUTCOME_TEMPFAIL;
	quota_reserve(&row, 10, NULL);
	store_account_put(txn, &row);
	store_account_clear(&row);
	return OUTCOME_OK;
}

/* An account that holds "hello" and waits for a pull. */
static struct row good[] = {
	{ A "/address/b@bar.test", "{}" },
	{ "address/b@bar.test", "{\"account\":\"" ALICE "\"}" },
	{ A "/credential/p", "{}" },
	{ A "/message/" MESSAGE, "{\"time\":255,\"resources\":[]}" },
	{ A "/timeline/00000000000000ff/" MESSAGE, "{}" },
	{ A "/message/" DONE,
	    "{\"time\":256,\"direction\":\"in\",\"resources\":"
	    "[{\"hash\":\"" HASH "\"}]}" },
	{ A "/timeline/0000000000000100/" DONE, "{}" },
	{ A "/failure/" DONE "/" HASH, "{}" },
	{ A "/use/" HASH "/" MESSAGE, "{}" },
	{ A "/use/" HASH "/abcdefghijklmnopqrstuv",
	    "{\"broker\":\"_cb.foo.test\",\"due\":258}" },
	{ "due/0000000000000102/use/" ALICE "/" HASH "/abcdefghijklmnopqrstuv",
	    "{}" },
	{ A "/share/zyxwvutsrqponmlkjihgfe", "{\"revoked\":5}" },
	{ "due/0000000000000005/share/" ALICE "/zyxwvutsrqponmlkjihgfe", "{}" },
	{ A "/notice/" HASH, "{\"message\":\"" MESSAGE "\"}" },
	{ A "/failure/" MESSAGE "/" HASH, "{}" },
	{ A "/share/abcdefghijklmnopqrstuv", "{}" },
	{ A "/share/abcdefghijklmnopqrstuv/to/" HASH, "{}" },
	{ A "/detail/0000000000000000", "{}" },
	{ "blob/" HASH "/source/https:%2F%2Fo.test/s", "{}" },
	{ "origin/mailbox.hospital.test", "{}" },
	{ "queue/01/pull/" MESSAGE,
	    "{\"account\":\"" ALICE "\",\"due\":1,\"reserved\":10}" },
	{ "queue/01/due/0000000000000001/" MESSAGE, "{}" },
	{ "upload/" ALICE,
	    "{\"account\":\"" ALICE "\",\"hash\":\"" HASH
	    "\",\"size\":9,\"offset\":5,\"expires\":1}" },
	{ NULL, NULL },
};

static void
init(struct store_fixture *fixture, struct sample *sample)
{
	fixture_init(fixture);
	memset(sample, 0, sizeof(*sample));
	sample->account = ALICE;
	fixture_upload(fixture, "hello", 5);
	sample->blob = fixture->blob;
	store_run(fixture->store, sample_account, account, NULL);
	store_run(fixture->store, sample_hold, sample, NULL);
	store_run(fixture->store, reserve, NULL, NULL);
	CHECK(store_run(fixture->store, put_rows, good, NULL) == OUTCOME_OK);
}

struct words {
	int count, fitting;
	const char *want;
};

static void
finding(void *arg, const char *word, const char *key, const char *text)
{
	struct words *words = arg;

	words->count++;
	words->fitting += words->want != NULL && strcmp(words->want, word) == 0;
	if (words->want == NULL || strcmp(words->want, word) != 0)
		printf("# %s %s: %s\n", word, key, text);
}

static struct words
check(struct store_fixture *fixture, const char *want, bool deep)
{
	struct store_check_options options = { .deep = deep };
	struct store_check_result result;
	struct words words = { .want = want };

	CHECK(store_check(fixture->store, &options, finding, &words, &result,
		  &fixture->why) == 0);
	CHECK(result.findings == words.count);
	return words;
}

TEST(a_good_store)
{
	static const struct store_check_options options = { .deep = true };
	struct store_check_result result;
	struct words words = { 0 };
	struct store_fixture fixture;
	struct sample sample;

	init(&fixture, &sample);
	CHECK(store_check(fixture.store, &options, finding, &words, &result,
		  &fixture.why) == 0);
	CHECK(result.findings == 0);
	CHECK(result.accounts == 1);
	CHECK(result.blobs == 1);
	CHECK(result.bytes == 5);
	CHECK(result.records == 1);
	CHECK(result.rows == 29);
	fixture_free(&fixture);
}

TEST(each_broken_relation)
{
	static const struct {
		const char *word, *key, *value;
	} rows[] = {
		{ "row", "strange/row", "{}" },
		{ "row", A "/strange", "{}" },
		{ "row", A "/message/" MESSAGE "/x", "{}" },
		{ "row", A "/credential/p", "[]" },
		{ "row", A "/credential/p", "1" },
		{ "row", "account/" NOBODY "/share/s", "{}" },
		{ "blob-missing", "blob/" HASH, NULL },
		{ "holder", "blob/" HASH "/holder/" ALICE, NULL },
		{ "holder", "blob/" HASH "/holder/" NOBODY, "{}" },
		{ "holder", A "/resource/" HASH, NULL },
		{ "resource-size", A "/resource/" HASH, "{\"size\":6}" },
		{ "quota", A "/resource/" HASH, "{\"size\":6}" },
		{ "message", A "/timeline/00000000000000ff/" MESSAGE, NULL },
		{ "message", A "/message/" MESSAGE, NULL },
		{ "message", A "/message/" MESSAGE,
		    "{\"time\":256,\"resources\":[]}" },
		{ "row", A "/message/" MESSAGE, "{}" },
		{ "message", A "/failure/" DONE "/" HASH, NULL },
		{ "message", A "/use/" HASH "/" NOBODY, "{}" },
		{ "message", A "/failure/" NOBODY "/" HASH, "{}" },
		{ "message", A "/notice/" HASH,
		    "{\"message\":\"" NOBODY "\"}" },
		{ "lapse",
		    "due/0000000000000102/use/" ALICE "/" HASH
		    "/abcdefghijklmnopqrstuv",
		    NULL },
		{ "lapse", A "/use/" HASH "/abcdefghijklmnopqrstuv", NULL },
		{ "lapse", A "/use/" HASH "/abcdefghijklmnopqrstuv",
		    "{\"broker\":\"_cb.foo.test\",\"due\":259}" },
		{ "lapse",
		    "due/0000000000000103/use/" ALICE "/" HASH
		    "/abcdefghijklmnopqrstuv",
		    "{}" },
		{ "row", A "/use/" HASH "/abcdefghijklmnopqrstuv", "{}" },
		{ "lapse", A "/share/zyxwvutsrqponmlkjihgfe", "{}" },
		{ "lapse", A "/share/zyxwvutsrqponmlkjihgfe", NULL },
		{ "row", "due/x/use/" ALICE "/" HASH "/abcdefghijklmnopqrstuv",
		    "{}" },
		{ "row", "due/0000000000000005/strange/" ALICE, "{}" },
		{ "address", "address/b@bar.test", NULL },
		{ "address", A "/address/b@bar.test", NULL },
		{ "address", "address/b@bar.test",
		    "{\"account\":\"" NOBODY "\"}" },
		{ "record", A "/record/0000000000000000", NULL },
		{ "record", A "/record/0000000000000000", "{\"time\":1}" },
		{ "record", A "/record/0000000000000001", "{\"time\":1}" },
		{ "record", A "/detail/0000000000000005", "{}" },
		{ "queue", "queue/01/pull/" MESSAGE, NULL },
		{ "queue", "queue/01/due/0000000000000001/" MESSAGE, NULL },
		{ "queue", "queue/01/due/0000000000000002/" MESSAGE, "{}" },
		{ "queue", "queue/02/due/0000000000000001/" MESSAGE, "{}" },
		{ "quota", "queue/01/pull/" MESSAGE,
		    "{\"account\":\"" ALICE "\",\"due\":1,\"reserved\":9}" },
		{ "row", "queue/01/pull/" MESSAGE, "{}" },
		{ "row", "upload/" ALICE, "{}" },
		{ "row", "garbage/00/x/ab/c", "{}" },
	};
	struct row change[2] = { { NULL, NULL }, { NULL, NULL } };
	struct store_fixture fixture;
	struct sample sample;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		init(&fixture, &sample);
		change[0].key = rows[i].key;
		change[0].value = rows[i].value;
		CHECK(store_run(fixture.store, put_rows, change, NULL) ==
		    OUTCOME_OK);
		CHECK_FOR(check(&fixture, rows[i].word, false).fitting > 0,
		    "%s at %s", rows[i].word, rows[i].key);
		fixture_free(&fixture);
	}
}

/* Neither a message nor a share has a use row, and the owner did not put it. */
TEST(a_resource_for_nothing)
{
	static struct row change[] = {
		{ A "/use/" HASH "/" MESSAGE, NULL },
		{ A "/use/" HASH "/abcdefghijklmnopqrstuv", NULL },
		{ "due/0000000000000102/use/" ALICE "/" HASH
		  "/abcdefghijklmnopqrstuv",
		    NULL },
		{ A "/resource/" HASH, "{\"size\":5,\"kept\":true}" },
		{ NULL, NULL },
	};
	struct store_fixture fixture;
	struct sample sample;

	init(&fixture, &sample);
	CHECK(store_run(fixture.store, put_rows, change, NULL) == OUTCOME_OK);
	CHECK(check(&fixture, NULL, false).count == 0);
	change[3].value = "{\"size\":5,\"kept\":false}";
	CHECK(store_run(fixture.store, put_rows, change, NULL) == OUTCOME_OK);
	CHECK(check(&fixture, "lapse", false).fitting == 1);
	fixture_free(&fixture);
}

TEST(files)
{
	struct store_fixture fixture;
	struct sample sample;
	char path[256], other[256];
	int fd;

	init(&fixture, &sample);
	snprintf(path, sizeof(path), "%s/blobs/%s", fixture.path,
	    sample.blob.locator);
	CHECK(chmod(path, 0600) == 0);
	fd = open(path, O_WRONLY);
	CHECK(pwrite(fd, "j", 1, 0) == 1);
	CHECK(check(&fixture, "blob-hash", true).fitting == 1);
	CHECK(check(&fixture, "", false).count == 0);
	CHECK(ftruncate(fd, 4) == 0);
	CHECK(check(&fixture, "blob-size", false).fitting == 1);
	close(fd);
	snprintf(other, sizeof(other), "%s/blobs/2c/%s.%s", fixture.path, HASH,
	    "00112233445566778899aabb");
	CHECK(link(path, other) == 0);
	CHECK(check(&fixture, "blob-orphan", false).fitting == 1);
	CHECK(unlink(other) == 0);
	snprintf(other, sizeof(other), "%s/blobs/2c/strange", fixture.path);
	CHECK(link(path, other) == 0);
	CHECK(check(&fixture, "blob-orphan", false).fitting == 1);
	CHECK(unlink(other) == 0 && unlink(path) == 0);
	CHECK(check(&fixture, "blob-missing", false).fitting == 1);
	fixture_free(&fixture);
}

int
main(void)
{
	RUN(a_good_store);
	RUN(each_broken_relation);
	RUN(a_resource_for_nothing);
	RUN(files);
	return test_done();
}
