/* SPDX-License-Identifier: ISC
 *
 * Pages against a real store: what a secret opens, for how long, and what is
 * recorded.
 */
#include "account_fixture.h"
#include "due.h"
#include "json_strict.h"
#include "page_store.h"
#include "resource_commit.h"
#include "store_check.h"

#define NOW 1000000
#define EXPIRES (NOW + 1000)
#define SHARE "AAAAAAAAAAAAAAAAAAAAAA"
#define OTHER "BBBBBBBBBBBBBBBBBBBBBA"

static struct store_fixture fixture;
static char account[STORE_ID_SIZE], shared[SHA256_HEX_SIZE],
    kept[SHA256_HEX_SIZE];

static enum outcome
run(store_work_fn *work, void *arg)
{
	return store_run(fixture.store, work, arg, &fixture.why);
}

static void
put(const char *text, char hash_r[SHA256_HEX_SIZE])
{
	struct resource_commit commit = { .type = "text/plain", .now = NOW };

	fixture_upload(&fixture, text, strlen(text));
	strcpy(commit.account, account);
	commit.blob = fixture.blob;
	CHECK(run(resource_commit_work, &commit) == OUTCOME_OK);
	strcpy(hash_r, fixture.blob.hash);
}

/* The digest of secret number n. */
static const char *
key(int n)
{
	static char text[SHA256_HEX_SIZE];
	char secret[32];

	snprintf(secret, sizeof(secret), "secret %d", n);
	sha256_hex(secret, strlen(secret), text);
	return text;
}

/* A share of `shared` with pages from..to-1; to r0@x.test and so on. */
static struct share *
make(const char *id, int from, int to)
{
	cJSON *body = cJSON_CreateObject(), *list = cJSON_CreateArray(), *page;
	struct share *share = calloc(1, sizeof(*share));
	char address[32];

	json_add_string(body, "message", "1@foo.test");
	json_add_integer(body, "expires", EXPIRES);
	json_add_item(body, "recipients", cJSON_CreateArray());
	cJSON_AddItemToArray(list, cJSON_CreateString(shared));
	json_add_item(body, "resources", list);
	list = cJSON_CreateArray();
	for (int i = from; i < to; i++) {
		page = cJSON_CreateObject();
		snprintf(address, sizeof(address), "R%d@x.test", i);
		json_add_string(page, "recipient", address);
		json_add_string(page, "key", key(i));
		cJSON_AddItemToArray(list, page);
	}
	json_add_item(body, "pages", list);
	strcpy(share->account, account);
	strcpy(share->id, id);
	strcpy(share->user, "alice@foo.test");
	share->now = NOW;
	CHECK(share_parse(body, share, &fixture.why) == OUTCOME_OK);
	cJSON_Delete(body);
	return share;
}

/* All batches, as the route does it: "ok" or the refusal's word. */
static const char *
put_share(const char *id, int from, int to, bool *made_r)
{
	struct share *share = make(id, from, to);
	enum outcome outcome;

	do {
		outcome = run(share_store_put, share);
		if (outcome == OUTCOME_OK && !share->complete)
			share_next(share);
		else
			break;
	} while (true);
	*made_r = share->made;
	share_free(share);
	return outcome == OUTCOME_OK ? "ok" : fixture.why.word;
}

/* What the bearer of a key is told, of the page and of a resource. */
static const char *
open_page(const char *digest, const char *hash, int64_t now)
{
	struct store_view *view = store_read_begin(fixture.store);
	static struct reason why;
	struct access_page page;
	struct store_blob blob;
	enum outcome outcome;

	outcome = access_page(view, digest, now, &page, &why);
	if (outcome == OUTCOME_OK && hash != NULL)
		outcome = access_page_resource(view, &page, hash, &blob, &why);
	if (outcome == OUTCOME_OK)
		CHECK_STRING(page.sender, "alice@foo.test");
	access_page_clear(&page);
	store_read_end(&view);
	return outcome == OUTCOME_OK ? "ok" : why.word;
}

static const char *
download(int n, const char *hash, int64_t now)
{
	struct page_download job = { .client = "192.0.2.1:1", .now = now };

	strcpy(job.key, key(n));
	strcpy(job.hash, hash);
	if (run(page_store_download, &job) != OUTCOME_OK)
		return fixture.why.word;
	CHECK_STRING(job.blob.hash, hash);
	return "ok";
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
	struct store_check_options options = { 0 };
	struct store_check_result result;

	CHECK(store_check(fixture.store, &options, finding, NULL, &result,
		  &fixture.why) == OUTCOME_OK);
}

static enum store_step
count_row(void *arg, const char *name, const void *data, size_t len)
{
	(void)name;
	(void)data;
	(void)len;
	(*(int *)arg)++;
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

TEST(a_secret_opens_its_page_alone)
{
	bool made;

	CHECK_STRING(put_share(SHARE, 0, 3, &made), "ok");
	CHECK(made);
	CHECK_STRING(open_page(key(0), NULL, NOW), "ok");
	CHECK_STRING(open_page(key(0), shared, NOW), "ok");
	CHECK_STRING(open_page(key(0), kept, NOW), "not-found");
	CHECK_STRING(open_page(key(0), key(0), NOW), "not-found");
	CHECK_STRING(open_page(key(3), NULL, NOW), "not-found");
	CHECK_STRING(open_page("", NULL, NOW), "not-found");
	CHECK_STRING(open_page(key(0), NULL, EXPIRES - 1), "ok");
	CHECK_STRING(open_page(key(0), NULL, EXPIRES), "expired");
}

TEST(a_repeated_request_adds_pages)
{
	bool made;

	CHECK_STRING(put_share(SHARE, 0, 3, &made), "ok");
	CHECK(!made && rows("page/key/") == 3);
	/* More than a transaction takes. */
	CHECK_STRING(put_share(SHARE, 2, 102, &made), "ok");
	CHECK(!made && rows("page/key/") == 102);
	for (int i = 0; i < 102; i++)
		CHECK_FOR(strcmp(open_page(key(i), shared, NOW), "ok") == 0,
		    "page %d", i);
	/* A key is that of one page. */
	CHECK_STRING(put_share(OTHER, 101, 102, &made), "conflict");
	check_store();
}

TEST(a_share_has_so_many_pages)
{
	const char *word = "ok";
	bool made;

	for (int i = 102; i < 2102 && strcmp(word, "ok") == 0; i += 500)
		word = put_share(SHARE, i, i + 500, &made);
	CHECK_STRING(word, "too-large");
	CHECK(rows("page/key/") <= CARGO_API_PAGES_SHARE_MAX);
}

TEST(downloads_are_recorded_and_bounded)
{
	char prefix[STORE_KEY_MAX + 1];
	int before;

	snprintf(prefix, sizeof(prefix), "account/%s/record/", account);
	before = rows(prefix);
	CHECK_STRING(download(0, shared, NOW), "ok");
	CHECK(rows(prefix) == before + 1);
	CHECK_STRING(download(0, kept, NOW), "not-found");
	CHECK_STRING(download(5000, shared, NOW), "not-found");
	CHECK_STRING(download(0, shared, EXPIRES), "expired");
	CHECK(rows(prefix) == before + 1);
	for (int i = 1; i < PAGE_DOWNLOADS_MAX; i++)
		if (strcmp(download(0, shared, NOW), "ok") != 0)
			CHECK_FOR(false, "download %d", i);
	CHECK_STRING(download(0, shared, NOW), "not-allowed");
	CHECK_STRING(download(1, shared, NOW), "ok");
	check_store();
}

TEST(pages_die_with_their_share)
{
	struct share *share = make(SHARE, 0, 1);
	bool made;

	CHECK(run(share_store_revoke, share) == OUTCOME_OK);
	share_free(share);
	CHECK_STRING(open_page(key(0), NULL, NOW), "revoked");
	CHECK_STRING(download(1, shared, NOW), "revoked");
	CHECK_STRING(open_page(key(9999), NULL, NOW), "not-found");
	CHECK_STRING(put_share(SHARE, 9000, 9001, &made), "revoked");
	check_store();
}

TEST(the_sweep_takes_what_is_due)
{
	int left = rows("page/key/"), before;

	due_sweep(fixture.store, 0, EXPIRES + PAGE_EXPIRED_SHOWN - 1);
	fixture_reopen(&fixture);
	CHECK(rows("page/key/") == left && left > 0);
	do {
		before = left;
		due_sweep(fixture.store, 0, EXPIRES + PAGE_EXPIRED_SHOWN);
		fixture_reopen(&fixture);
		left = rows("page/key/");
	} while (left < before);
	CHECK(left == 0 && rows("page/") == 0 && rows("due/") == 0);
	check_store();
}

int
main(void)
{
	fixture_init(&fixture);
	fixture_account(&fixture, "alice@foo.test", NULL, NOW, account);
	put("shared", shared);
	put("kept", kept);
	RUN(a_secret_opens_its_page_alone);
	RUN(a_repeated_request_adds_pages);
	RUN(a_share_has_so_many_pages);
	RUN(downloads_are_recorded_and_bounded);
	RUN(pages_die_with_their_share);
	RUN(the_sweep_takes_what_is_due);
	fixture_free(&fixture);
	return test_done();
}
