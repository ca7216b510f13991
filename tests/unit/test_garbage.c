/* SPDX-License-Identifier: ISC
 *
 * Holders, one file for all of them, and its end.
 */
#include "garbage.h"

#include <errno.h>
#include <fcntl.h>

#include "store_check.h"
#include "store_fixture.h"
#include "store_private.h"
#include "store_samples.h"
#include "test.h"

static char alice[] = "0123456789abcdef0123456789abcdef";
static char bob[] = "fedcba9876543210fedcba9876543210";

static void
init(struct store_fixture *fixture)
{
	fixture_init(fixture);
	CHECK(store_run(fixture->store, sample_account, alice, NULL) ==
	    OUTCOME_OK);
	CHECK(
	    store_run(fixture->store, sample_account, bob, NULL) == OUTCOME_OK);
}

static void
finding(void *arg, const char *word, const char *key, const char *text)
{
	(void)arg;
	printf("# finding: %s %s: %s\n", word, key, text);
}

static int64_t
findings(struct store_fixture *fixture)
{
	static const struct store_check_options options = { .deep = true };
	struct store_check_result result;

	if (store_check(fixture->store, &options, finding, NULL, &result,
		&fixture->why) == -1)
		return -1;
	return result.findings;
}

static void
hold(struct store_fixture *fixture, struct sample *sample, const char *text)
{
	fixture_upload(fixture, text, strlen(text));
	CHECK(fixture->outcome == OUTCOME_OK);
	sample->blob = fixture->blob;
	CHECK(
	    store_run(fixture->store, sample_hold, sample, NULL) == OUTCOME_OK);
}

static int
file_there(struct store_fixture *fixture, const char *locator)
{
	int fd = store_blob_open(fixture->store, locator);

	if (fd != -1)
		close(fd);
	return fd != -1;
}

static int64_t swept;

static void
sweep_done(void *arg, int64_t files)
{
	struct store_fixture *fixture = arg;

	swept = files;
	fixture->waiting--;
}

static int64_t
sweep(struct store_fixture *fixture, int64_t now)
{
	fixture->waiting++;
	garbage_sweep(fixture->store, now, sweep_done, fixture);
	fixture_wait(fixture);
	return swept;
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
rows_below(struct store_fixture *fixture, const char *prefix)
{
	struct store_view *view = store_read_begin(fixture->store);
	int count = 0;

	store_scan(view, prefix, NULL, count_row, &count);
	store_read_end(&view);
	return count;
}

TEST(one_file_serves_two_and_the_last_frees_it)
{
	struct sample first = { .account = alice, .now = 1000 };
	struct sample second = { .account = bob, .now = 1000 };
	struct store_fixture fixture;

	init(&fixture);
	hold(&fixture, &first, "hello");
	hold(&fixture, &second, "hello");
	CHECK(strcmp(first.blob.locator, second.blob.locator) != 0);
	CHECK(findings(&fixture) == 0);
	/* The second file is surplus and goes at once. */
	CHECK(sweep(&fixture, 1000) == 1);
	CHECK(file_there(&fixture, first.blob.locator));
	CHECK(!file_there(&fixture, second.blob.locator));
	CHECK(
	    store_run(fixture.store, sample_drop, &first, NULL) == OUTCOME_OK);
	CHECK(sweep(&fixture, 5000) == 0);
	CHECK(file_there(&fixture, first.blob.locator));
	CHECK(
	    store_run(fixture.store, sample_drop, &second, NULL) == OUTCOME_OK);
	CHECK(findings(&fixture) == 0);
	CHECK(rows_below(&fixture, "blob/") == 0);
	CHECK(sweep(&fixture, 1000 + GARBAGE_DELAY - 1) == 0);
	CHECK(file_there(&fixture, first.blob.locator));
	CHECK(sweep(&fixture, 1000 + GARBAGE_DELAY) == 1);
	CHECK(!file_there(&fixture, first.blob.locator));
	CHECK(rows_below(&fixture, "garbage/") == 0);
	CHECK(findings(&fixture) == 0);
	fixture_free(&fixture);
}

TEST(storing_again_before_the_sweep_is_safe)
{
	struct sample sample = { .account = alice, .now = 1000 };
	struct store_fixture fixture;
	char old[STORE_LOCATOR_SIZE];

	init(&fixture);
	hold(&fixture, &sample, "again");
	strcpy(old, sample.blob.locator);
	CHECK(
	    store_run(fixture.store, sample_drop, &sample, NULL) == OUTCOME_OK);
	hold(&fixture, &sample, "again");
	CHECK(sweep(&fixture, 9999) == 1);
	CHECK(!file_there(&fixture, old));
	CHECK(file_there(&fixture, sample.blob.locator));
	CHECK(findings(&fixture) == 0);
	fixture_free(&fixture);
}

TEST(many_files_and_many_sources)
{
	struct sample sample = { .account = alice, .now = 1000 };
	struct store_fixture fixture;
	char text[32], share[32], key_text[600];
	struct store_key key;
	int i;

	init(&fixture);
	for (i = 0; i < 130; i++) {
		snprintf(text, sizeof(text), "file %d", i);
		hold(&fixture, &sample, text);
		CHECK(store_run(fixture.store, sample_drop, &sample, NULL) ==
		    OUTCOME_OK);
	}
	hold(&fixture, &sample, "with sources");
	for (i = 0; i < 130; i++) {
		snprintf(share, sizeof(share), "share%03d", i);
		sample.share = share;
		CHECK(store_run(fixture.store, sample_drop, &sample, NULL) ==
		    OUTCOME_OK);
		hold(&fixture, &sample, "with sources");
	}
	store_key_source(&key, sample.blob.hash, NULL, NULL);
	strcpy(key_text, key.text);
	CHECK(rows_below(&fixture, key_text) == 130);
	CHECK(
	    store_run(fixture.store, sample_drop, &sample, NULL) == OUTCOME_OK);
	CHECK(sweep(&fixture, 9999) >= 261);
	CHECK(rows_below(&fixture, key_text) == 0);
	CHECK(rows_below(&fixture, "garbage/") == 0);
	CHECK(findings(&fixture) == 0);
	fixture_free(&fixture);
}

TEST(orphans_of_an_earlier_run_go)
{
	struct sample sample = { .account = alice, .now = 1000 };
	struct store_fixture fixture;
	char orphan[STORE_LOCATOR_SIZE], part[160];
	int fd;

	init(&fixture);
	hold(&fixture, &sample, "kept");
	fixture_upload(&fixture, "nobody's", 8);
	strcpy(orphan, fixture.blob.locator);
	CHECK(file_there(&fixture, orphan));
	snprintf(part, sizeof(part), "%s/blobs/part/%s", fixture.path,
	    "00112233445566778899aabb");
	fd = open(part, O_WRONLY | O_CREAT, 0600);
	close(fd);
	fixture_reopen(&fixture);
	/* The one of the start may be under way, too. */
	CHECK(store_sweep_orphans(fixture.store) >= 0);
	CHECK(!file_there(&fixture, orphan));
	CHECK(access(part, F_OK) == -1);
	CHECK(file_there(&fixture, sample.blob.locator));
	CHECK(findings(&fixture) == 0);
	fixture_free(&fixture);
}

/* What the start could not delete goes at an administrator's word. */
TEST(collecting_looks_for_orphans_again)
{
	struct sample sample = { .account = alice, .now = 1000 };
	struct store_fixture fixture;
	char path[300];
	int fd;

	init(&fixture);
	hold(&fixture, &sample, "kept");
	fixture_upload(&fixture, "nobody's", 8);
	snprintf(path, sizeof(path), "%s/blobs/%s", fixture.path,
	    fixture.blob.locator);
	CHECK(access(path, F_OK) == 0);
	fixture_reopen(&fixture);
	CHECK(store_sweep_orphans(fixture.store) >= 0);
	CHECK(access(path, F_OK) == -1);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	CHECK(fd != -1);
	close(fd);
	fixture.waiting++;
	garbage_collect(fixture.store, 1000, sweep_done, &fixture);
	fixture_wait(&fixture);
	CHECK(swept >= 0);
	CHECK(access(path, F_OK) == -1);
	CHECK(file_there(&fixture, sample.blob.locator));
	fixture_free(&fixture);
}

TEST(one_sweep_at_a_time)
{
	struct store_fixture fixture;

	init(&fixture);
	garbage_sweep(fixture.store, 1000, NULL, NULL);
	swept = 7;
	fixture.waiting++;
	garbage_sweep(fixture.store, 1000, sweep_done, &fixture);
	CHECK(swept == 7); /* not within the call */
	fixture_wait(&fixture);
	CHECK(swept == -1);
	while (sweep(&fixture, 1000) == -1)
		;
	CHECK(swept == 0);
	fixture_free(&fixture);
}

TEST(discard_removes_what_no_one_took)
{
	struct store_fixture fixture;

	init(&fixture);
	fixture_upload(&fixture, "nobody's", 8);
	store_blob_discard(fixture.store, fixture.blob.locator);
	fixture_reopen(&fixture);
	CHECK(!file_there(&fixture, fixture.blob.locator));
	errno = 0;
	CHECK(store_blob_open(fixture.store, "../../etc/passwd") == -1);
	CHECK(errno == EINVAL);
	fixture_free(&fixture);
}

int
main(void)
{
	RUN(one_file_serves_two_and_the_last_frees_it);
	RUN(storing_again_before_the_sweep_is_safe);
	RUN(many_files_and_many_sources);
	RUN(orphans_of_an_earlier_run_go);
	RUN(collecting_looks_for_orphans_again);
	RUN(one_sweep_at_a_time);
	RUN(discard_removes_what_no_one_took);
	return test_done();
}
