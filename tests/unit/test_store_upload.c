/* SPDX-License-Identifier: ISC
 *
 * Uploads: good and wrong bytes, back-pressure, breaking and resuming, and
 * blob rows.
 */
#include "store_upload.h"

#include <errno.h>
#include <fcntl.h>

#include "garbage.h"
#include "store_account.h"
#include "store_fixture.h"
#include "test.h"

#define ACCOUNT "0123456789abcdef0123456789abcdef"
#define ORIGIN "https://mailbox.hospital.test"
#define OTHER "fedcba9876543210fedcba9876543210"

static char *
bytes_new(size_t len, unsigned seed)
{
	char *data = malloc(len + 1);
	size_t i;

	for (i = 0; i < len; i++)
		data[i] = (char)(seed = seed * 1103515245 + 12345) >> 3;
	return data;
}

static int
same(struct store_fixture *fixture, const char *data, size_t len)
{
	int fd = store_blob_open(fixture->store, fixture->blob.locator);
	char *back = malloc(len + 1);
	struct stat st;
	int good;

	if (fd == -1)
		return 0;
	good = read(fd, back, len + 1) == (ssize_t)len &&
	    memcmp(back, data, len) == 0 && fstat(fd, &st) == 0 &&
	    (st.st_mode & 07777) == 0400;
	close(fd);
	free(back);
	return good;
}

/* Files below blobs/part, blobs/ab... */
static int
files(struct store_fixture *fixture, const char *where)
{
	char command[160];
	int count = -1;
	FILE *pipe;

	snprintf(command, sizeof(command), "find %s/blobs%s -type f | wc -l",
	    fixture->path, where);
	pipe = popen(command, "r");
	if (fscanf(pipe, "%d", &count) != 1)
		count = -1;
	pclose(pipe);
	return count;
}

TEST(sizes)
{
	static const size_t sizes[] = { 0, 1, 16384, 131071, 131072, 131073,
		3000000 };
	struct store_fixture fixture;
	char *data;
	size_t i;

	fixture_init(&fixture);
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		data = bytes_new(sizes[i], (unsigned)i);
		fixture_upload(&fixture, data, sizes[i]);
		CHECK_FOR(fixture.outcome == OUTCOME_OK, "%zu: %s", sizes[i],
		    fixture.why.text);
		CHECK_FOR(same(&fixture, data, sizes[i]), "%zu", sizes[i]);
		CHECK(fixture.blob.size == (int64_t)sizes[i]);
		free(data);
	}
	CHECK(files(&fixture, "/part") == 0);
	fixture_free(&fixture);
}

static void
upload_as(struct store_fixture *fixture, int64_t size, const char *data,
    size_t len)
{
	struct store_upload_request request = { .size = size };
	struct store_upload *upload;
	char hash[SHA256_HEX_SIZE];

	sha256_hex("good", 4, hash);
	request.hash = hash;
	upload = store_upload_begin(fixture->store, &request, &fixture_handler,
	    fixture, &fixture->why);
	store_upload_write(upload, data, len);
	fixture->waiting++;
	store_upload_finish(&upload, fixture_uploaded);
	fixture_wait(fixture);
}

TEST(wrong_bytes_leave_nothing)
{
	static const struct {
		int64_t size;
		const char *data, *word;
	} rows[] = {
		{ 4, "good", "" },
		{ 4, "evil", "wrong-hash" },
		{ 4, "goo", "wrong-size" },
		{ 4, "good!", "wrong-size" },
		{ 4, "", "wrong-size" },
		{ 0, "good", "wrong-size" },
		{ 5, "good", "wrong-size" },
	};
	struct store_fixture fixture;
	size_t i;

	fixture_init(&fixture);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		upload_as(&fixture, rows[i].size, rows[i].data,
		    strlen(rows[i].data));
		CHECK_FOR(fixture.outcome ==
			(i == 0 ? OUTCOME_OK : OUTCOME_PERMFAIL),
		    "%zu", i);
		CHECK_STRING(fixture.why.word, rows[i].word);
		CHECK(files(&fixture, "") == 1);
	}
	fixture_free(&fixture);
}

TEST(bad_requests)
{
	static const char hash[] =
	    "0000000000000000000000000000000000000000000000000000000000000000";
	static const struct store_upload_request requests[] = {
		{ .hash = "../etc/passwd", .size = 1 },
		{ .hash = "", .size = 1 },
		{ .hash = hash, .size = -1 },
		{ .hash = hash, .size = INT64_MAX },
		{ .hash = hash, .size = 5, .from = 1 },
		{ .hash = hash, .size = 5, .id = "../x", .account = ACCOUNT },
		{ .hash = hash,
		    .size = 5,
		    .from = 6,
		    .id = ACCOUNT,
		    .account = ACCOUNT },
	};
	struct store_fixture fixture;
	size_t i;

	fixture_init(&fixture);
	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		CHECK_FOR(store_upload_begin(fixture.store, &requests[i],
			      &fixture_handler, NULL, &fixture.why) == NULL,
		    "%zu", i);
		CHECK(reason_is(&fixture.why, "malformed"));
	}
	fixture_free(&fixture);
}

TEST(back_pressure)
{
	const size_t size = 24 << 20, step = 16384;
	struct store_upload_request request = { .size = (int64_t)size };
	char *data = bytes_new(size, 7), hash[SHA256_HEX_SIZE];
	struct store_fixture fixture;
	struct store_upload *upload;
	size_t at;
	int pauses = 0, ready;

	fixture_init(&fixture);
	sha256_hex(data, size, hash);
	request.hash = hash;
	upload = store_upload_begin(fixture.store, &request, &fixture_handler,
	    &fixture, &fixture.why);
	for (at = 0; at < size; at += step) {
		ready = fixture.ready;
		if (store_upload_write(upload, data + at, step))
			continue;
		pauses++;
		/* One callback for each pause. */
		while (fixture.ready == ready)
			event_base_loop(fixture.base, EVLOOP_ONCE);
		CHECK(fixture.ready == ready + 1);
	}
	fixture.waiting++;
	store_upload_finish(&upload, fixture_uploaded);
	fixture_wait(&fixture);
	CHECK(fixture.outcome == OUTCOME_OK);
	CHECK(same(&fixture, data, size));
	CHECK(pauses > 0);
	free(data);
	fixture_free(&fixture);
}

/* ---- breaking and resuming ---- */

struct resume {
	struct store_fixture fixture;
	struct store_upload_request request;
	char id[STORE_ID_SIZE], hash[SHA256_HEX_SIZE];
	char *data;
	size_t size;
};

static void
resume_init(struct resume *resume, size_t size)
{
	memset(resume, 0, sizeof(*resume));
	fixture_init(&resume->fixture);
	resume->size = size;
	resume->data = bytes_new(size, 9);
	sha256_hex(resume->data, size, resume->hash);
	store_upload_id(ACCOUNT, ORIGIN, resume->hash, resume->id);
	resume->request.hash = resume->hash;
	resume->request.size = (int64_t)size;
	resume->request.id = resume->id;
	resume->request.account = ACCOUNT;
	resume->request.expires = 1000;
}

static void
resume_free(struct resume *resume)
{
	free(resume->data);
	fixture_free(&resume->fixture);
}

static struct store_upload *
resume_begin(struct resume *resume, int64_t from)
{
	resume->request.from = from;
	return store_upload_begin(resume->fixture.store, &resume->request,
	    &fixture_handler, &resume->fixture, &resume->fixture.why);
}

static int64_t
resume_have(struct resume *resume, const char *account)
{
	struct store_view *view = store_read_begin(resume->fixture.store);
	int64_t have = store_upload_have(view, resume->id, account,
	    resume->hash, (int64_t)resume->size);

	store_read_end(&view);
	return have;
}

static void
resume_finish(struct resume *resume, int64_t from)
{
	struct store_upload *upload = resume_begin(resume, from);

	store_upload_write(upload, resume->data + from,
	    resume->size - (size_t)from);
	resume->fixture.waiting++;
	store_upload_finish(&upload, fixture_uploaded);
	fixture_wait(&resume->fixture);
}

static void
resume_break(struct resume *resume, int64_t from, size_t len)
{
	struct store_upload *upload = resume_begin(resume, from);

	store_upload_write(upload, resume->data + from, len);
	store_upload_break(&upload);
	/* Under way until it is durable. */
	CHECK(resume_begin(resume, 0) == NULL);
	CHECK(reason_is(&resume->fixture.why, "busy"));
	store_close(&resume->fixture.store);
	CHECK(fixture_open(&resume->fixture) == 0);
}

TEST(no_origin_can_spoil_what_comes_from_another)
{
	char evil[STORE_ID_SIZE];
	struct store_upload *upload, *other;
	struct resume resume;

	resume_init(&resume, 200000);
	store_upload_id(ACCOUNT, "https://mailbox.evil.test", resume.hash,
	    evil);
	CHECK(strcmp(evil, resume.id) != 0);
	/* It drips, and the true one is not "busy". */
	resume.request.id = evil;
	upload = resume_begin(&resume, 0);
	CHECK(upload != NULL);
	resume.request.id = resume.id;
	other = resume_begin(&resume, 0);
	CHECK(other != NULL);
	store_upload_abort(&other);
	/* It breaks off after false bytes, and nothing is built on them. */
	store_upload_write(upload, resume.data + 100000, 100000);
	store_upload_break(&upload);
	CHECK(resume_have(&resume, ACCOUNT) == 0);
	resume_free(&resume);
}

TEST(a_broken_upload_is_resumed)
{
	struct resume resume;

	resume_init(&resume, 500000);
	CHECK(resume_have(&resume, ACCOUNT) == 0);
	resume_break(&resume, 0, 200000);
	CHECK(resume_have(&resume, ACCOUNT) == 200000);
	CHECK(resume_have(&resume, OTHER) == 0);
	CHECK(files(&resume.fixture, "/part") == 1);
	resume_break(&resume, 200000, 100000);
	CHECK(resume_have(&resume, ACCOUNT) == 300000);
	resume_finish(&resume, 300000);
	CHECK(resume.fixture.outcome == OUTCOME_OK);
	CHECK(same(&resume.fixture, resume.data, resume.size));
	CHECK(files(&resume.fixture, "/part") == 0);
	resume_free(&resume);
}

TEST(all_bytes_there_leaves_one_to_ask_for)
{
	struct resume resume;

	resume_init(&resume, 5000);
	resume_break(&resume, 0, 5000);
	CHECK(resume_have(&resume, ACCOUNT) == 4999);
	resume_finish(&resume, 4999);
	CHECK(resume.fixture.outcome == OUTCOME_OK);
	resume_free(&resume);
}

TEST(a_lost_or_wrong_part_means_begin_again)
{
	struct resume resume;
	char path[128];
	int fd;

	resume_init(&resume, 5000);
	resume_break(&resume, 0, 3000);
	snprintf(path, sizeof(path), "%s/blobs/part/%s", resume.fixture.path,
	    resume.id);
	fd = open(path, O_WRONLY);
	CHECK(pwrite(fd, "x", 1, 100) == 1);
	resume_finish(&resume, 3000);
	CHECK(resume.fixture.outcome == OUTCOME_TEMPFAIL);
	CHECK(reason_is(&resume.fixture.why, "range"));
	CHECK(resume_have(&resume, ACCOUNT) == 0);
	resume_break(&resume, 0, 3000);
	CHECK(truncate(path, 2999) == 0);
	resume_finish(&resume, 3000);
	CHECK(resume.fixture.outcome == OUTCOME_TEMPFAIL);
	CHECK(reason_is(&resume.fixture.why, "range"));
	CHECK(resume_have(&resume, ACCOUNT) == 0);
	CHECK(files(&resume.fixture, "") == 0);
	resume_finish(&resume, 0);
	CHECK(resume.fixture.outcome == OUTCOME_OK);
	close(fd);
	resume_free(&resume);
}

TEST(an_expired_part_goes)
{
	struct resume resume;

	resume_init(&resume, 5000);
	resume_break(&resume, 0, 3000);
	garbage_sweep(resume.fixture.store, 999, NULL, NULL);
	store_close(&resume.fixture.store);
	CHECK(fixture_open(&resume.fixture) == 0);
	CHECK(resume_have(&resume, ACCOUNT) == 3000);
	garbage_sweep(resume.fixture.store, 1000, NULL, NULL);
	store_close(&resume.fixture.store);
	CHECK(fixture_open(&resume.fixture) == 0);
	CHECK(resume_have(&resume, ACCOUNT) == 0);
	CHECK(files(&resume.fixture, "") == 0);
	resume_free(&resume);
}

TEST(abort_leaves_nothing)
{
	struct resume resume;
	struct store_upload *upload;

	resume_init(&resume, 5000);
	resume_break(&resume, 0, 3000);
	upload = resume_begin(&resume, 3000);
	store_upload_abort(&upload);
	CHECK(upload == NULL);
	store_close(&resume.fixture.store);
	CHECK(fixture_open(&resume.fixture) == 0);
	CHECK(resume_have(&resume, ACCOUNT) == 0);
	CHECK(files(&resume.fixture, "") == 0);
	resume_free(&resume);
}

/* ---- a disk that fails ---- */

struct fault {
	const char *point;
	int error;
};

static int
fault_point(void *arg, const char *point)
{
	struct fault *fault = arg;

	return fault->point != NULL && strcmp(fault->point, point) == 0 ?
	    fault->error :
	    0;
}

static int failed_calls;

static void
fault_failed(void *arg, const struct reason *why)
{
	(void)arg;
	(void)why;
	failed_calls++;
}

TEST(a_failing_disk_is_temporary_and_keeps_nothing)
{
	static const struct {
		const char *point;
		int error;
		const char *word;
	} rows[] = {
		{ "blob-create", ENOSPC, "no-space" },
		{ "blob-create", EMFILE, "unavailable" },
		{ "blob-write", ENOSPC, "no-space" },
		{ "blob-write", EDQUOT, "no-space" },
		{ "blob-write", EIO, "unavailable" },
		{ "part-sync", EIO, "unavailable" },
		{ "blob-sync", EIO, "unavailable" },
		{ "blob-directory-sync", EIO, "unavailable" },
	};
	struct store_fixture fixture;
	struct fault fault = { 0 };
	char *data = bytes_new(2000000, 1);
	size_t i;

	fixture_init(&fixture);
	store_close(&fixture.store);
	fixture.options.fault = fault_point;
	fixture.options.fault_arg = &fault;
	CHECK(fixture_open(&fixture) == 0);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fault.error = rows[i].error;
		fault.point = rows[i].point;
		fixture_upload(&fixture, data, 2000000);
		CHECK_FOR(fixture.outcome == OUTCOME_TEMPFAIL, "%zu", i);
		CHECK_STRING(fixture.why.word, rows[i].word);
		CHECK_FOR(files(&fixture, "") == 0, "%zu", i);
	}
	fault.point = NULL;
	fixture_upload(&fixture, data, 2000000);
	CHECK(fixture.outcome == OUTCOME_OK);
	free(data);
	fixture_free(&fixture);
}

TEST(the_sender_hears_of_a_full_disk_early)
{
	static const struct store_upload_handler handler = { .ready =
								 fixture_ready,
		.failed = fault_failed };
	static const char hash[] =
	    "0000000000000000000000000000000000000000000000000000000000000000";
	struct store_upload_request request = { .hash = hash,
		.size = 10 << 20 };
	struct fault fault = { "blob-write", ENOSPC };
	struct store_fixture fixture;
	struct store_upload *upload;
	char *data = bytes_new(200000, 1);

	fixture_init(&fixture);
	store_close(&fixture.store);
	fixture.options.fault = fault_point;
	fixture.options.fault_arg = &fault;
	CHECK(fixture_open(&fixture) == 0);
	upload = store_upload_begin(fixture.store, &request, &handler, &fixture,
	    &fixture.why);
	store_upload_write(upload, data, 200000);
	while (failed_calls == 0)
		event_base_loop(fixture.base, EVLOOP_ONCE);
	store_upload_write(upload, data, 200000);
	store_upload_break(&upload);
	store_close(&fixture.store);
	fault.point = NULL;
	CHECK(fixture_open(&fixture) == 0);
	CHECK(failed_calls == 1);
	CHECK(files(&fixture, "") == 0);
	free(data);
	fixture_free(&fixture);
}

int
main(void)
{
	RUN(sizes);
	RUN(wrong_bytes_leave_nothing);
	RUN(bad_requests);
	RUN(back_pressure);
	RUN(no_origin_can_spoil_what_comes_from_another);
	RUN(a_broken_upload_is_resumed);
	RUN(all_bytes_there_leaves_one_to_ask_for);
	RUN(a_lost_or_wrong_part_means_begin_again);
	RUN(an_expired_part_goes);
	RUN(abort_leaves_nothing);
	RUN(a_failing_disk_is_temporary_and_keeps_nothing);
	RUN(the_sender_hears_of_a_full_disk_early);
	return test_done();
}
