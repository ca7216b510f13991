/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <unistd.h>

#include "media_type.h"
#include "test.h"

static const struct {
	const char *name, *want;
} rows[] = {
	{ "scan.mp4", "video/mp4" },
	{ "SCAN.PDF", "application/pdf" },
	{ "README", "application/octet-stream" },
	{ ".txt", "application/octet-stream" },
	{ "x.tar.gz", "application/gzip" },
	{ "x.bad", "application/octet-stream" },
	{ "x.none", "application/octet-stream" },
};

TEST(extensions_tell)
{
	char path[] = "/tmp/test-media-XXXXXX", type[MEDIA_TYPE_SIZE];
	static const char table[] = "# types\napplication/gzip\tgz tgz\n"
				    "bad;type bad\n";
	int fd = mkstemp(path);
	size_t i;

	CHECK(write(fd, table, sizeof(table) - 1) > 0);
	close(fd);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		media_type_guess(rows[i].name, path, type);
		CHECK_STRING(type, rows[i].want);
	}
	unlink(path);
	media_type_guess("x.gz", path, type);
	CHECK_STRING(type, "application/octet-stream");
}

int
main(void)
{
	RUN(extensions_tell);
	return test_done();
}
