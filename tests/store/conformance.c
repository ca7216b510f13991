/* SPDX-License-Identifier: ISC
 *
 * What every backend of metadata.h and blob.h must do; run for each in the
 * two tables below. A new backend adds its line and passes.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blob.h"
#include "metadata.h"
#include "test.h"

static const struct metadata_kind {
	const char *name;
	struct metadata *(
	    *open)(const char *path, int64_t size, struct reason *why);
} metadata_kinds[] = {
	{ "lmdb", metadata_lmdb_open },
};

static const struct blob_kind {
	const char *name;
	struct blob_store *(*open)(const char *path, blob_fault_fn *fault,
	    void *arg, struct reason *why);
} blob_kinds[] = {
	{ "directory", blob_directory_open },
};

static const struct metadata_kind *metadata_kind;
static const struct blob_kind *blob_kind;
static char path[64];

static void
path_new(void)
{
	snprintf(path, sizeof(path), "%s/conformance-XXXXXX",
	    access("build", W_OK) == 0 ? "build" : "/tmp");
	if (mkdtemp(path) == NULL)
		abort();
}

static int
path_remove_one(const char *name, const struct stat *st, int type,
    struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(name);
}

static void
path_remove(void)
{
	nftw(path, path_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- metadata ---- */

static struct metadata *
open_metadata(void)
{
	struct reason why;
	struct metadata *metadata = metadata_kind->open(path, 64 << 20, &why);

	if (metadata == NULL) {
		printf("# %s\n", why.text);
		abort();
	}
	return metadata;
}

static struct metadata_txn *
begin(struct metadata *metadata, bool write)
{
	struct metadata_txn *txn;
	struct reason why;

	if (metadata->ops->begin(metadata, write, &txn, &why) != OUTCOME_OK)
		abort();
	return txn;
}

static void
put(struct metadata *metadata, struct metadata_txn *txn, const char *key,
    const char *text)
{
	struct metadata_value value = { text, strlen(text) };
	struct reason why;

	CHECK(metadata->ops->put(txn, key, &value, &why) == OUTCOME_OK);
}

static int
is(struct metadata *metadata, struct metadata_txn *txn, const char *key,
    const char *text)
{
	struct metadata_value value;
	struct reason why;

	if (metadata->ops->get(txn, key, &value, &why) != OUTCOME_OK)
		return 0;
	if (text == NULL)
		return value.data == NULL;
	return value.data != NULL && value.len == strlen(text) &&
	    memcmp(value.data, text, value.len) == 0;
}

TEST(a_transaction_is_all_or_nothing)
{
	struct metadata *metadata;
	struct metadata_txn *txn;
	struct reason why;

	path_new();
	metadata = open_metadata();
	txn = begin(metadata, true);
	put(metadata, txn, "a", "1");
	put(metadata, txn, "b", "2");
	CHECK(is(metadata, txn, "a", "1"));
	metadata->ops->abort(txn);
	txn = begin(metadata, true);
	CHECK(is(metadata, txn, "a", NULL));
	put(metadata, txn, "a", "1");
	put(metadata, txn, "a", "again");
	put(metadata, txn, "c", "");
	CHECK(metadata->ops->delete (txn, "none", &why) == OUTCOME_OK);
	CHECK(metadata->ops->commit(txn, &why) == OUTCOME_OK);
	metadata->ops->close(metadata);
	metadata = open_metadata();
	txn = begin(metadata, false);
	CHECK(is(metadata, txn, "a", "again"));
	CHECK(is(metadata, txn, "b", NULL));
	CHECK(is(metadata, txn, "c", ""));
	metadata->ops->abort(txn);
	metadata->ops->close(metadata);
	path_remove();
}

TEST(readers_see_their_snapshot)
{
	struct metadata *metadata;
	struct metadata_txn *before, *txn, *after;
	struct reason why;

	path_new();
	metadata = open_metadata();
	before = begin(metadata, false);
	txn = begin(metadata, true);
	put(metadata, txn, "a", "1");
	CHECK(is(metadata, before, "a", NULL));
	CHECK(metadata->ops->commit(txn, &why) == OUTCOME_OK);
	after = begin(metadata, false);
	CHECK(is(metadata, before, "a", NULL));
	CHECK(is(metadata, after, "a", "1"));
	metadata->ops->abort(before);
	metadata->ops->abort(after);
	metadata->ops->close(metadata);
	path_remove();
}

static char seen[1024];

static enum metadata_step
see(void *arg, const char *key, const struct metadata_value *value)
{
	(void)value;
	strcat(seen, key);
	strcat(seen, " ");
	if (arg == NULL)
		return METADATA_NEXT;
	return *(enum metadata_step *)arg;
}

static const char *
scan(struct metadata *metadata, struct metadata_txn *txn, const char *prefix,
    const char *from, enum metadata_step step)
{
	struct reason why;

	seen[0] = '\0';
	CHECK(metadata->ops->scan(txn, prefix, from, see, &step, &why) ==
	    OUTCOME_OK);
	return seen;
}

TEST(scans_are_in_byte_order)
{
	static const char *const keys[] = { "b/2", "a", "b/1", "b/1/x", "b/1/y",
		"b", "b/10", "c", "b/\xff", "B" };
	struct metadata *metadata;
	struct metadata_txn *txn;
	size_t i;

	path_new();
	metadata = open_metadata();
	txn = begin(metadata, true);
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		put(metadata, txn, keys[i], "x");
	CHECK_STRING(scan(metadata, txn, "", NULL, METADATA_NEXT),
	    "B a b b/1 b/1/x b/1/y b/10 b/2 b/\xff c ");
	CHECK_STRING(scan(metadata, txn, "b/", NULL, METADATA_NEXT),
	    "b/1 b/1/x b/1/y b/10 b/2 b/\xff ");
	CHECK_STRING(scan(metadata, txn, "b/", "b/1/y", METADATA_NEXT),
	    "b/1/y b/10 b/2 b/\xff ");
	CHECK_STRING(scan(metadata, txn, "b/", "a", METADATA_NEXT),
	    "b/1 b/1/x b/1/y b/10 b/2 b/\xff ");
	CHECK_STRING(scan(metadata, txn, "b/", "c", METADATA_NEXT), "");
	CHECK_STRING(scan(metadata, txn, "b/", NULL, METADATA_STOP), "b/1 ");
	CHECK_STRING(scan(metadata, txn, "z", NULL, METADATA_NEXT), "");
	CHECK_STRING(scan(metadata, txn, "b/2", NULL, METADATA_SKIP), "b/2 ");
	metadata->ops->abort(txn);
	metadata->ops->close(metadata);
	path_remove();
}

TEST(the_largest_keys_and_values)
{
	static char large[METADATA_VALUE_MAX + 1];
	char key[METADATA_KEY_MAX + 1];
	struct metadata *metadata;
	struct metadata_txn *txn;
	struct reason why;
	int i;

	path_new();
	metadata = open_metadata();
	memset(large, 'v', METADATA_VALUE_MAX);
	memset(key, 'k', METADATA_KEY_MAX);
	key[METADATA_KEY_MAX] = '\0';
	txn = begin(metadata, true);
	for (i = 0; i < 100; i++) {
		key[0] = '0';
		key[1] = (char)('0' + i / 10);
		key[2] = (char)('0' + i % 10);
		put(metadata, txn, key, large);
	}
	CHECK(metadata->ops->commit(txn, &why) == OUTCOME_OK);
	txn = begin(metadata, false);
	CHECK(is(metadata, txn, key, large));
	CHECK(strlen(scan(metadata, txn, "099", NULL, METADATA_STOP)) ==
	    METADATA_KEY_MAX + 1);
	metadata->ops->abort(txn);
	metadata->ops->close(metadata);
	path_remove();
}

TEST(full_is_no_space_and_recoverable)
{
	static char large[METADATA_VALUE_MAX];
	struct metadata_value value = { large, sizeof(large) };
	struct metadata *metadata;
	struct metadata_txn *txn;
	struct reason why = { 0 };
	char key[16];
	int i;

	path_new();
	metadata = metadata_kind->open(path, 1 << 20, &why);
	txn = begin(metadata, true);
	for (i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "%d", i);
		if (metadata->ops->put(txn, key, &value, &why) != OUTCOME_OK)
			break;
	}
	CHECK(i < 1000);
	CHECK(why.outcome == OUTCOME_TEMPFAIL && reason_is(&why, "no-space"));
	metadata->ops->abort(txn);
	txn = begin(metadata, true);
	put(metadata, txn, "small", "1");
	CHECK(metadata->ops->commit(txn, &why) == OUTCOME_OK);
	metadata->ops->close(metadata);
	path_remove();
}

/* ---- blobs ---- */

#define HASH "ab000000000000000000000000000000000000000000000000000000000000ff"
#define LOCATOR "ab/" HASH ".0123456789abcdef01234567"
#define LOCATOR2 "ab/" HASH ".0123456789abcdef01234568"

static struct blob_store *
open_blobs(void)
{
	struct reason why;
	struct blob_store *blobs = blob_kind->open(path, NULL, NULL, &why);

	if (blobs == NULL) {
		printf("# %s\n", why.text);
		abort();
	}
	return blobs;
}

static int
content_is(struct blob_store *blobs, const char *locator, const char *want)
{
	char text[64] = "";
	int fd = blobs->ops->get(blobs, locator), good;

	if (fd == -1)
		return 0;
	good = read(fd, text, sizeof(text) - 1) == (ssize_t)strlen(want) &&
	    strcmp(text, want) == 0;
	close(fd);
	return good;
}

static int names;

static bool
count_name(void *arg, const char *name, int64_t size)
{
	(void)name;
	*(int64_t *)arg = size;
	names++;
	return true;
}

static int
blobs_listed(struct blob_store *blobs, bool parts, int64_t *size_r)
{
	struct reason why;

	names = 0;
	CHECK((parts ? blobs->ops->list_parts : blobs->ops->list)(blobs,
		  count_name, size_r, &why) == OUTCOME_OK);
	return names;
}

TEST(a_blob_is_written_read_deleted)
{
	struct blob_store *blobs;
	struct blob_commit commit = { .locator = LOCATOR };
	struct reason why;
	int64_t size = 0;
	char back[8];

	path_new();
	blobs = open_blobs();
	CHECK(blobs->ops->begin(blobs, LOCATOR, &commit.writer, &why) ==
	    OUTCOME_OK);
	CHECK(blobs->ops->write(commit.writer, "he", 2, &why) == OUTCOME_OK);
	CHECK(blobs->ops->write(commit.writer, "llo", 3, &why) == OUTCOME_OK);
	CHECK(blobs->ops->reread(commit.writer, back, 8, 1) == 4);
	blobs->ops->commit(blobs, &commit, 1);
	CHECK(commit.outcome == OUTCOME_OK);
	CHECK(content_is(blobs, LOCATOR, "hello"));
	CHECK(blobs_listed(blobs, false, &size) == 1 && size == 5);
	blobs->ops->close(blobs);
	blobs = open_blobs();
	CHECK(content_is(blobs, LOCATOR, "hello"));
	CHECK(blobs->ops->begin(blobs, LOCATOR, &commit.writer, &why) ==
	    OUTCOME_TEMPFAIL);
	CHECK(content_is(blobs, LOCATOR, "hello"));
	CHECK(blobs->ops->delete (blobs, LOCATOR, &why) == OUTCOME_OK);
	CHECK(blobs->ops->delete (blobs, LOCATOR, &why) == OUTCOME_OK);
	errno = 0;
	CHECK(blobs->ops->get(blobs, LOCATOR) == -1 && errno == ENOENT);
	CHECK(blobs_listed(blobs, false, &size) == 0);
	CHECK(blobs->ops->space(blobs) != 0);
	blobs->ops->close(blobs);
	path_remove();
}

TEST(a_reader_is_served_to_the_end)
{
	struct blob_store *blobs;
	struct blob_commit commit = { .locator = LOCATOR };
	struct reason why;
	char text[8];
	int fd;

	path_new();
	blobs = open_blobs();
	blobs->ops->begin(blobs, LOCATOR, &commit.writer, &why);
	blobs->ops->write(commit.writer, "hello", 5, &why);
	blobs->ops->commit(blobs, &commit, 1);
	fd = blobs->ops->get(blobs, LOCATOR);
	CHECK(blobs->ops->delete (blobs, LOCATOR, &why) == OUTCOME_OK);
	CHECK(read(fd, text, sizeof(text)) == 5);
	close(fd);
	blobs->ops->close(blobs);
	path_remove();
}

TEST(abort_and_groups)
{
	struct blob_store *blobs;
	struct blob_commit commits[40] = { { 0 } };
	char locators[40][BLOB_LOCATOR_SIZE];
	struct blob_writer *writer;
	struct reason why;
	int64_t size;
	int i;

	path_new();
	blobs = open_blobs();
	blobs->ops->begin(blobs, LOCATOR, &writer, &why);
	blobs->ops->abort(writer);
	CHECK(blobs_listed(blobs, false, &size) == 0);
	for (i = 0; i < 40; i++) {
		snprintf(locators[i], sizeof(locators[i]),
		    "ab/%s.0123456789abcdef%08x", HASH, (unsigned)i);
		commits[i].locator = locators[i];
		CHECK(blobs->ops->begin(blobs, locators[i], &commits[i].writer,
			  &why) == OUTCOME_OK);
		blobs->ops->write(commits[i].writer, locators[i], 10, &why);
	}
	blobs->ops->commit(blobs, commits, 40);
	for (i = 0; i < 40; i++)
		CHECK(commits[i].outcome == OUTCOME_OK &&
		    commits[i].writer == NULL);
	CHECK(blobs_listed(blobs, false, &size) == 40);
	blobs->ops->close(blobs);
	path_remove();
}

TEST(parts_survive_and_go_on)
{
	struct blob_store *blobs;
	struct blob_commit commit = { .locator = LOCATOR2 };
	struct blob_writer *writer;
	struct reason why;
	int64_t size = 0;

	path_new();
	blobs = open_blobs();
	CHECK(blobs->ops->begin_part(blobs, "abcd", 0, &writer, &why) ==
	    OUTCOME_OK);
	blobs->ops->write(writer, "hello!!", 7, &why);
	CHECK(blobs->ops->sync(writer, &why) == OUTCOME_OK);
	blobs->ops->keep(writer);
	blobs->ops->close(blobs);
	blobs = open_blobs();
	CHECK(blobs_listed(blobs, true, &size) == 1 && size == 7);
	CHECK(blobs_listed(blobs, false, &size) == 0);
	CHECK(blobs->ops->begin_part(blobs, "abcd", 8, &writer, &why) ==
	    OUTCOME_TEMPFAIL);
	CHECK(reason_is(&why, "range"));
	CHECK(blobs->ops->begin_part(blobs, "abcd", 5, &commit.writer, &why) ==
	    OUTCOME_OK);
	blobs->ops->write(commit.writer, " world", 6, &why);
	blobs->ops->commit(blobs, &commit, 1);
	CHECK(commit.outcome == OUTCOME_OK);
	CHECK(content_is(blobs, LOCATOR2, "hello world"));
	CHECK(blobs_listed(blobs, true, &size) == 0);
	blobs->ops->begin_part(blobs, "abcd", 0, &writer, &why);
	blobs->ops->keep(writer);
	CHECK(blobs->ops->delete_part(blobs, "abcd", &why) == OUTCOME_OK);
	CHECK(blobs->ops->delete_part(blobs, "abcd", &why) == OUTCOME_OK);
	CHECK(blobs_listed(blobs, true, &size) == 0);
	blobs->ops->close(blobs);
	path_remove();
}

TEST(names_that_are_none)
{
	static const char *const locators[] = { "", "../../etc/passwd", "ab/x",
		"ab/" HASH, "/etc/passwd", "part/abcd",
		"ac/" HASH ".0123456789abcdef01234567",
		"ab/" HASH ".0123456789ABCDEF01234567",
		"ab/" HASH "/0123456789abcdef01234567", LOCATOR "0",
		"AB/" HASH ".0123456789abcdef01234567" };
	struct blob_store *blobs;
	struct blob_writer *writer;
	struct reason why;
	size_t i;

	path_new();
	blobs = open_blobs();
	for (i = 0; i < sizeof(locators) / sizeof(locators[0]); i++) {
		CHECK_FOR(blobs->ops->get(blobs, locators[i]) == -1, "%zu", i);
		CHECK_FOR(blobs->ops->begin(blobs, locators[i], &writer,
			      &why) != OUTCOME_OK,
		    "%zu", i);
		CHECK_FOR(blobs->ops->delete (blobs, locators[i], &why) !=
			OUTCOME_OK,
		    "%zu", i);
	}
	CHECK(blobs->ops->begin_part(blobs, "../x", 0, &writer, &why) !=
	    OUTCOME_OK);
	CHECK(
	    blobs->ops->begin_part(blobs, "", 0, &writer, &why) != OUTCOME_OK);
	CHECK(blobs->ops->delete_part(blobs, "../ab", &why) != OUTCOME_OK);
	blobs->ops->close(blobs);
	path_remove();
}

int
main(void)
{
	size_t i;

	for (i = 0; i < sizeof(metadata_kinds) / sizeof(metadata_kinds[0]);
	     i++) {
		metadata_kind = &metadata_kinds[i];
		printf("# metadata: %s\n", metadata_kind->name);
		RUN(a_transaction_is_all_or_nothing);
		RUN(readers_see_their_snapshot);
		RUN(scans_are_in_byte_order);
		RUN(the_largest_keys_and_values);
		RUN(full_is_no_space_and_recoverable);
	}
	for (i = 0; i < sizeof(blob_kinds) / sizeof(blob_kinds[0]); i++) {
		blob_kind = &blob_kinds[i];
		printf("# blobs: %s\n", blob_kind->name);
		RUN(a_blob_is_written_read_deleted);
		RUN(a_reader_is_served_to_the_end);
		RUN(abort_and_groups);
		RUN(parts_survive_and_go_on);
		RUN(names_that_are_none);
	}
	return test_done();
}
