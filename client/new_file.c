/* SPDX-License-Identifier: ISC
 *
 * All steps are relative to a directory descriptor, so that the directory
 * cannot be swapped under us.
 */
#include "new_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "file_name.h"
#include "memory.h"

#define MAX_NUMBER 999

static enum outcome
fail(struct reason *why, const char *path)
{
	/* A wrong directory stays wrong; a full disk does not. */
	int permanent = errno == ENOENT || errno == ENOTDIR ||
	    errno == EACCES || errno == EROFS || errno == EEXIST;

	return reason_set(why, permanent ? OUTCOME_PERMFAIL : OUTCOME_TEMPFAIL,
	    "local", "%s: %s", path, strerror(errno));
}

enum outcome
new_file_open(struct new_file *file_r, const char *directory,
    struct reason *why)
{
	unsigned char random[8];
	char hex[17];

	file_r->fd = file_r->directory = -1;
	file_r->temporary[0] = '\0';
	file_r->path = directory;
	if (mkdir(directory, 0777) < 0 && errno != EEXIST)
		return fail(why, directory);
	file_r->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (file_r->directory < 0)
		return fail(why, directory);
	randombytes_buf(random, sizeof(random));
	sodium_bin2hex(hex, sizeof(hex), random, sizeof(random));
	snprintf(file_r->temporary, sizeof(file_r->temporary), ".cargomail-%s",
	    hex);
	file_r->fd = openat(file_r->directory, file_r->temporary,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (file_r->fd < 0) {
		file_r->temporary[0] = '\0';
		fail(why, directory);
		close(file_r->directory);
		file_r->directory = -1;
		return why != NULL ? why->outcome : OUTCOME_TEMPFAIL;
	}
	return OUTCOME_OK;
}

/* Never replaces: 0, or -1 with errno (EEXIST: taken). */
static int
give_name(const struct new_file *file, const char *name)
{
	if (renameat2(file->directory, file->temporary, file->directory, name,
		RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	/* A file system without that flag has link() as a rule. */
	if (linkat(file->directory, file->temporary, file->directory, name, 0) <
	    0)
		return -1;
	unlinkat(file->directory, file->temporary, 0);
	return 0;
}

enum outcome
new_file_commit(struct new_file *file, const char *name, char **path_r,
    struct reason *why)
{
	char *candidate = x_strdup(name);
	unsigned number = 1;
	int named;

	while ((named = give_name(file, candidate)) < 0 && errno == EEXIST &&
	    number < MAX_NUMBER) {
		free(candidate);
		candidate = file_name_number(name, ++number);
	}
	if (named < 0) {
		fail(why, candidate);
		free(candidate);
		return why != NULL ? why->outcome : OUTCOME_TEMPFAIL;
	}
	file->temporary[0] = '\0';
	*path_r = strcmp(file->path, ".") == 0 ?
	    x_strdup(candidate) :
	    x_asprintf("%s/%s", file->path, candidate);
	free(candidate);
	return OUTCOME_OK;
}

void
new_file_close(struct new_file *file)
{
	if (file->temporary[0] != '\0')
		unlinkat(file->directory, file->temporary, 0);
	if (file->fd >= 0)
		close(file->fd);
	if (file->directory >= 0)
		close(file->directory);
	file->fd = file->directory = -1;
	file->temporary[0] = '\0';
}
