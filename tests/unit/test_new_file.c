/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "memory.h"
#include "new_file.h"
#include "test.h"

static char directory[] = "/tmp/test-new-file-XXXXXX";

static char *
write_one(const char *name, enum outcome *outcome_r)
{
	struct new_file file;
	struct reason why;
	char *path = NULL;

	*outcome_r = new_file_open(&file, directory, &why);
	if (*outcome_r != OUTCOME_OK)
		return NULL;
	CHECK(write(file.fd, "x", 1) == 1);
	*outcome_r = new_file_commit(&file, name, &path, &why);
	new_file_close(&file);
	return path;
}

static void
check_written(const char *name, const char *want)
{
	char *whole = x_asprintf("%s/%s", directory, want);
	enum outcome outcome;
	char *path = write_one(name, &outcome);

	CHECK(outcome == OUTCOME_OK);
	CHECK_STRING(path, whole);
	CHECK(access(whole, F_OK) == 0);
	free(whole);
	free(path);
}

TEST(a_taken_name_gets_a_number)
{
	check_written("scan.mp4", "scan.mp4");
	check_written("scan.mp4", "scan-2.mp4");
	check_written("scan.mp4", "scan-3.mp4");
}

TEST(a_link_in_the_way_is_not_followed)
{
	char *link = x_asprintf("%s/trap", directory);
	char *target = x_asprintf("%s/outside", directory);

	CHECK(symlink(target, link) == 0);
	check_written("trap", "trap-2");
	CHECK(access(target, F_OK) < 0);
	free(link);
	free(target);
}

TEST(what_is_not_committed_leaves_nothing)
{
	struct new_file file;
	struct reason why;
	char *path;

	CHECK(new_file_open(&file, directory, &why) == OUTCOME_OK);
	path = x_asprintf("%s/%s", directory, file.temporary);
	CHECK(access(path, F_OK) == 0);
	new_file_close(&file);
	CHECK(access(path, F_OK) < 0);
	free(path);
}

TEST(a_missing_directory_is_permanent)
{
	struct new_file file;
	struct reason why;

	CHECK(new_file_open(&file, "/nonexistent/x", &why) == OUTCOME_PERMFAIL);
}

int
main(void)
{
	char *clean;

	if (mkdtemp(directory) == NULL)
		return 1;
	RUN(a_taken_name_gets_a_number);
	RUN(a_link_in_the_way_is_not_followed);
	RUN(what_is_not_committed_leaves_nothing);
	RUN(a_missing_directory_is_permanent);
	clean = x_asprintf("rm -r %s", directory);
	test_failures += system(clean) != 0;
	free(clean);
	return test_done();
}
