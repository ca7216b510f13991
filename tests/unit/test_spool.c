/* SPDX-License-Identifier: ISC
 *
 * Spooled messages, in memory and in a file.
 */
#include "spool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "test.h"

#define NOWHERE "/nonexistent"

static const char *directory;

/* Adds `count` lines of ten bytes; what spool_finish says. */
static int
fill(struct spool *spool, int count)
{
	for (int i = 0; i < count; i++)
		spool_add(spool, "12345678\r\n", 10);
	return spool_finish(spool);
}

TEST(what_is_added_is_there)
{
	/* Around the size of the buffer. */
	static const int counts[] = { 0, 1, 400, 6553, 6554, 20000 };

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct spool *spool = spool_new(directory, 1000000);
		const char *data;
		size_t len;

		CHECK(fill(spool, counts[i]) == 0);
		data = spool_data(spool, &len);
		CHECK(len == (size_t)counts[i] * 10);
		for (size_t at = 0; at < len; at += 10)
			CHECK(memcmp(data + at, "12345678\r\n", 10) == 0);
		spool_free(&spool);
		CHECK(spool == NULL);
	}
}

TEST(what_is_small_needs_no_file)
{
	struct spool *spool = spool_new(NOWHERE, 1000000);

	CHECK(fill(spool, 400) == 0);
	spool_free(&spool);
	spool = spool_new(NOWHERE, 1000000);
	CHECK(fill(spool, 20000) == -1 && errno == ENOENT);
	spool_free(&spool);
}

TEST(what_is_too_large_is_refused)
{
	static const int counts[] = { 101, 20000 };

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct spool *spool = spool_new(directory, counts[i] * 10 - 1);

		CHECK(fill(spool, counts[i]) == -1 && errno == EFBIG);
		spool_free(&spool);
	}
}

int
main(void)
{
	char name[] = "/tmp/spoolXXXXXX";

	directory = mkdtemp(name);
	if (directory == NULL)
		return 1;
	RUN(what_is_added_is_there);
	RUN(what_is_small_needs_no_file);
	RUN(what_is_too_large_is_refused);
	rmdir(directory);
	return test_done();
}
