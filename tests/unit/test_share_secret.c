/* SPDX-License-Identifier: ISC
 *
 * The secret of shares' names is kept, and made anew when it is none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "share_secret.h"
#include "test.h"

TEST(it_is_kept)
{
	char directory[] = "/tmp/secretXXXXXX", path[64];
	unsigned char one[SHARE_SECRET_LEN], two[SHARE_SECRET_LEN];
	struct stat status;

	CHECK(mkdtemp(directory) != NULL);
	snprintf(path, sizeof(path), "%s/secret", directory);
	share_secret_open(directory, one);
	CHECK(stat(path, &status) == 0 && (status.st_mode & 0777) == 0600);
	share_secret_open(directory, two);
	CHECK(memcmp(one, two, sizeof(one)) == 0);
	/* Cut by a full disk of old. */
	CHECK(truncate(path, SHARE_SECRET_LEN - 1) == 0);
	share_secret_open(directory, two);
	CHECK(memcmp(one, two, sizeof(one)) != 0);
	share_secret_open(directory, one);
	CHECK(memcmp(one, two, sizeof(one)) == 0);
	CHECK(unlink(path) == 0 && rmdir(directory) == 0);
}

TEST(a_place_that_cannot_be_written_is_no_end)
{
	unsigned char one[SHARE_SECRET_LEN] = { 0 }, two[SHARE_SECRET_LEN];

	share_secret_open("/nowhere", one);
	share_secret_open("/nowhere", two);
	CHECK(memcmp(one, two, sizeof(one)) != 0);
}

int
main(void)
{
	log_open("test", LOG_ERROR);
	RUN(it_is_kept);
	RUN(a_place_that_cannot_be_written_is_no_end);
	return test_done();
}
