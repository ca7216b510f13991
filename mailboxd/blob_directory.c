/* SPDX-License-Identifier: ISC
 *
 * Blobs in a directory: `ab/<hash>.<unique>`, 0400; while they are written
 * and may be resumed, `part/<name>`. Locators come from rows; their shape
 * is checked before they become a path.
 *
 * The row makes the blob, not the name: a locator is never used twice, and
 * until a row names it nobody opens the file. So what need not be resumed
 * is written under its locator at once, what was resumed is renamed first,
 * and then name and bytes are synced together, many small files by one
 * syncfs(2). What a crash leaves half-written the sweep removes.
 */
#include "blob.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"

/* From so many on, one syncfs is cheaper than syncing each. It writes out
 * whatever else is dirty on that file system too. */
#define GROUP_MIN 3

#define LOCATOR_HASH 3 /* where the hash begins */
#define LOCATOR_DOT (LOCATOR_HASH + 64)
#define LOCATOR_LEN (LOCATOR_DOT + 1 + 24)

/* Bytes after which the kernel is told to begin writing. */
#define WRITE_OUT (8 << 20)

struct blob_directory {
	struct blob_store store; /* first */
	int root, parts; /* descriptors of the directories */
	blob_fault_fn *fault;
	void *fault_arg;
};

struct blob_writer {
	struct blob_directory *directory;
	int fd;
	int64_t len, told; /* bytes written; of them, sent on their way */
	bool is_part; /* in part/, else named by its locator */
	char name[BLOB_LOCATOR_SIZE];
};

static enum outcome
directory_failed(struct reason *why, const char *what, const char *name,
    int error)
{
	bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;

	return reason_set(why, OUTCOME_TEMPFAIL,
	    full ? "no-space" : "unavailable", "%s %s: %s", what, name,
	    strerror(error));
}

/* 0, or -1 with errno when the crash test wants this step to fail. */
static int
directory_fault(struct blob_directory *directory, const char *point)
{
	int error;

	if (directory->fault == NULL)
		return 0;
	error = directory->fault(directory->fault_arg, point);
	if (error == 0)
		return 0;
	errno = error;
	return -1;
}

static bool
is_hex(const char *text, size_t len)
{
	return strspn(text, "0123456789abcdef") >= len;
}

static bool
locator_valid(const char *locator)
{
	return strlen(locator) == LOCATOR_LEN && is_hex(locator, 2) &&
	    locator[2] == '/' && is_hex(locator + LOCATOR_HASH, 64) &&
	    locator[LOCATOR_DOT] == '.' &&
	    is_hex(locator + LOCATOR_DOT + 1, 24) &&
	    strncmp(locator, locator + LOCATOR_HASH, 2) == 0;
}

static bool
part_valid(const char *part)
{
	size_t len = strlen(part);

	return len > 0 && len <= BLOB_PART_MAX && is_hex(part, len);
}

/* ---- writing ---- */

static int
part_open(struct blob_directory *directory, const char *part, int64_t offset)
{
	struct stat st;
	int fd;

	if (directory_fault(directory, "part-create") == -1)
		return -1;
	fd = openat(directory->parts, part,
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1)
		goto bad;
	if (!S_ISREG(st.st_mode) || st.st_size < offset) {
		errno = ERANGE;
		goto bad;
	}
	if ((st.st_size > offset && ftruncate(fd, offset) == -1) ||
	    lseek(fd, offset, SEEK_SET) == -1)
		goto bad;
	return fd;
bad:
	close(fd);
	return -1;
}

static struct blob_writer *
writer_new(struct blob_directory *directory, int fd, const char *name)
{
	struct blob_writer *writer = x_calloc(1, sizeof(*writer));

	writer->directory = directory;
	writer->fd = fd;
	snprintf(writer->name, sizeof(writer->name), "%s", name);
	return writer;
}

static enum outcome
directory_begin(struct blob_store *blobs, const char *locator,
    struct blob_writer **writer_r, struct reason *why)
{
	struct blob_directory *directory = (struct blob_directory *)blobs;
	int fd;

	*writer_r = NULL;
	if (!locator_valid(locator))
		return directory_failed(why, "begin", locator, EINVAL);
	if (directory_fault(directory, "blob-create") == -1)
		return directory_failed(why, "begin", locator, errno);
	fd = openat(directory->root, locator,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400);
	if (fd == -1)
		return directory_failed(why, "begin", locator, errno);
	*writer_r = writer_new(directory, fd, locator);
	return OUTCOME_OK;
}

static enum outcome
directory_begin_part(struct blob_store *blobs, const char *part, int64_t offset,
    struct blob_writer **writer_r, struct reason *why)
{
	struct blob_directory *directory = (struct blob_directory *)blobs;
	int fd;

	*writer_r = NULL;
	if (!part_valid(part))
		return directory_failed(why, "begin", part, EINVAL);
	fd = part_open(directory, part, offset);
	if (fd == -1 && errno == ERANGE)
		return reason_set(why, OUTCOME_TEMPFAIL, "range",
		    "part %s is shorter than it was", part);
	if (fd == -1)
		return directory_failed(why, "begin", part, errno);
	*writer_r = writer_new(directory, fd, part);
	(*writer_r)->is_part = true;
	(*writer_r)->len = (*writer_r)->told = offset;
	return OUTCOME_OK;
}

static enum outcome
directory_write(struct blob_writer *writer, const void *data, size_t len,
    struct reason *why)
{
	const char *at = data;
	ssize_t n;

	while (len > 0) {
		if (directory_fault(writer->directory, "blob-write") == -1)
			n = -1;
		else
			n = write(writer->fd, at, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return directory_failed(why, "write", writer->name,
			    errno);
		at += n;
		len -= (size_t)n;
		writer->len += n;
	}
	/* So that the sync at the end finds little left to do. */
	if (writer->len - writer->told >= WRITE_OUT) {
		sync_file_range(writer->fd, writer->told,
		    writer->len - writer->told, SYNC_FILE_RANGE_WRITE);
		writer->told = writer->len;
	}
	return OUTCOME_OK;
}

static ssize_t
directory_reread(struct blob_writer *writer, void *data_r, size_t len,
    int64_t offset)
{
	return pread(writer->fd, data_r, len, offset);
}

static enum outcome
directory_sync(struct blob_writer *writer, struct reason *why)
{
	if (directory_fault(writer->directory, "part-sync") == -1 ||
	    fsync(writer->fd) == -1 ||
	    (writer->is_part && fsync(writer->directory->parts) == -1))
		return directory_failed(why, "sync", writer->name, errno);
	return OUTCOME_OK;
}

static void
directory_keep(struct blob_writer *writer)
{
	close(writer->fd);
	free(writer);
}

static void
directory_abort(struct blob_writer *writer)
{
	unlinkat(writer->is_part ? writer->directory->parts :
				   writer->directory->root,
	    writer->name, 0);
	directory_keep(writer);
}

/* ---- committing ---- */

static void
commit_rename(struct blob_directory *directory, struct blob_commit *commit)
{
	struct blob_writer *writer = commit->writer;

	if (!locator_valid(commit->locator)) {
		commit->outcome = directory_failed(&commit->why, "commit",
		    commit->locator, EINVAL);
		return;
	}
	if (!writer->is_part)
		return;
	if (fchmod(writer->fd, 0400) == -1 ||
	    directory_fault(directory, "blob-rename") == -1 ||
	    renameat(directory->parts, writer->name, directory->root,
		commit->locator) == -1)
		commit->outcome = directory_failed(&commit->why, "rename",
		    commit->locator, errno);
}

/* Bytes and name of one file. */
static int
commit_sync_one(struct blob_directory *directory, struct blob_commit *commit)
{
	char name[3] = { commit->locator[0], commit->locator[1], '\0' };
	int fd, bad;

	if (directory_fault(directory, "blob-sync") == -1 ||
	    fsync(commit->writer->fd) == -1)
		return -1;
	fd = openat(directory->root, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return -1;
	bad = directory_fault(directory, "blob-directory-sync") == -1 ||
	    fsync(fd) == -1;
	close(fd);
	return bad ? -1 : 0;
}

static int
commit_sync_group(struct blob_directory *directory)
{
	if (directory_fault(directory, "blob-group-sync") == -1)
		return -1;
	return syncfs(directory->root);
}

static void
commit_end(struct blob_directory *directory, struct blob_commit *commit)
{
	struct blob_writer *writer = commit->writer;

	/* Whichever name it has by now. */
	if (commit->outcome != OUTCOME_OK) {
		if (writer->is_part)
			unlinkat(directory->parts, writer->name, 0);
		if (locator_valid(commit->locator))
			unlinkat(directory->root, commit->locator, 0);
	}
	directory_keep(writer);
	commit->writer = NULL;
}

static void
directory_commit(struct blob_store *blobs, struct blob_commit *commits,
    size_t count)
{
	struct blob_directory *directory = (struct blob_directory *)blobs;
	int grouped = 1, error = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		commits[i].outcome = OUTCOME_OK;
		commit_rename(directory, &commits[i]);
	}
	if (count >= GROUP_MIN)
		grouped = commit_sync_group(directory);
	error = errno;
	for (i = 0; i < count; i++) {
		if (commits[i].outcome == OUTCOME_OK) {
			if (grouped == 1 &&
			    commit_sync_one(directory, &commits[i]) == -1)
				commits[i].outcome =
				    directory_failed(&commits[i].why, "sync",
					commits[i].locator, errno);
			if (grouped == -1)
				commits[i].outcome =
				    directory_failed(&commits[i].why, "sync",
					commits[i].locator, error);
		}
		commit_end(directory, &commits[i]);
	}
}

/* ---- reading, deleting, listing ---- */

static int
directory_get(struct blob_store *blobs, const char *locator)
{
	struct blob_directory *directory = (struct blob_directory *)blobs;

	if (!locator_valid(locator)) {
		errno = EINVAL;
		return -1;
	}
	return openat(directory->root, locator,
	    O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

static enum outcome
directory_delete(struct blob_store *blobs, const char *locator,
    struct reason *why)
{
	struct blob_directory *directory = (struct blob_directory *)blobs;

	if (!locator_valid(locator))
		return directory_failed(why, "delete", locator, EINVAL);
	if (directory_fault(directory, "blob-delete") == -1 ||
	    (unlinkat(directory->root, locator, 0) == -1 && errno != ENOENT))
		return directory_failed(why, "delete", locator, errno);
	return OUTCOME_OK;
}

static enum outcome
directory_delete_part(struct blob_store *blobs, const char *part,
    struct reason *why)
{
	struct blob_directory *directory = (struct blob_directory *)blobs;

	if (!part_valid(part))
		return directory_failed(why, "delete", part, EINVAL);
	if (unlinkat(directory->parts, part, 0) == -1 && errno != ENOENT)
		return directory_failed(why, "delete", part, errno);
	return OUTCOME_OK;
}

struct listing {
	bool (*row)(void *arg, const char *name, int64_t size);
	void *arg;
	const char *prefix; /* "ab/", or "" */
	bool (*valid)(const char *name);
};

/* 1 done, 0 stopped by the row function, -1 with errno. */
static int
list_one(struct blob_directory *directory, const char *name,
    const struct listing *listing)
{
	char path[NAME_MAX + 8];
	struct dirent *entry;
	struct stat st;
	int fd, result = 1;
	int64_t size;
	DIR *dir;

	fd = openat(directory->root, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return -1;
	dir = fdopendir(fd);
	if (dir == NULL) {
		close(fd);
		return -1;
	}
	while (result == 1 && (errno = 0, entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		/* Gone meanwhile: a part that was renamed, or a sweep. */
		if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == -1)
			continue;
		snprintf(path, sizeof(path), "%s%s", listing->prefix,
		    entry->d_name);
		size = S_ISREG(st.st_mode) && listing->valid(path) ?
		    (int64_t)st.st_size :
		    -1;
		result = listing->row(listing->arg, path, size);
	}
	if (result == 1 && errno != 0)
		result = -1;
	closedir(dir);
	return result;
}

static enum outcome
directory_list(struct blob_store *blobs,
    bool (*row)(void *arg, const char *locator, int64_t size), void *arg,
    struct reason *why)
{
	struct blob_directory *directory = (struct blob_directory *)blobs;
	struct listing listing = { row, arg, NULL, locator_valid };
	char name[3], prefix[4];
	int i, result = 1;

	listing.prefix = prefix;
	for (i = 0; i < 256 && result == 1; i++) {
		snprintf(name, sizeof(name), "%02x", (unsigned)i & 0xff);
		snprintf(prefix, sizeof(prefix), "%s/", name);
		result = list_one(directory, name, &listing);
	}
	return result >= 0 ? OUTCOME_OK :
			     directory_failed(why, "list", name, errno);
}

static enum outcome
directory_list_parts(struct blob_store *blobs,
    bool (*row)(void *arg, const char *part, int64_t size), void *arg,
    struct reason *why)
{
	struct blob_directory *directory = (struct blob_directory *)blobs;
	struct listing listing = { row, arg, "", part_valid };

	return list_one(directory, "part", &listing) >= 0 ?
	    OUTCOME_OK :
	    directory_failed(why, "list", "part", errno);
}

static int64_t
directory_space(struct blob_store *blobs)
{
	struct blob_directory *directory = (struct blob_directory *)blobs;
	struct statvfs vfs;

	if (fstatvfs(directory->root, &vfs) == -1)
		return -1;
	return (int64_t)vfs.f_bavail * (int64_t)vfs.f_frsize;
}

static void
directory_close(struct blob_store *blobs)
{
	struct blob_directory *directory = (struct blob_directory *)blobs;

	if (directory->parts != -1)
		close(directory->parts);
	if (directory->root != -1)
		close(directory->root);
	free(directory);
}

static const struct blob_ops directory_ops = {
	.begin = directory_begin,
	.begin_part = directory_begin_part,
	.write = directory_write,
	.reread = directory_reread,
	.sync = directory_sync,
	.commit = directory_commit,
	.keep = directory_keep,
	.abort = directory_abort,
	.get = directory_get,
	.delete = directory_delete,
	.delete_part = directory_delete_part,
	.list = directory_list,
	.list_parts = directory_list_parts,
	.space = directory_space,
	.close = directory_close,
};

static int
open_directory(int at, const char *name)
{
	if (mkdirat(at, name, 0700) == -1 && errno != EEXIST)
		return -1;
	return openat(at, name,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* The 256 directories; "part" is made last and says that they are there. */
static int
open_all(struct blob_directory *directory)
{
	char name[3];
	int i;

	if (faccessat(directory->root, "part", F_OK, 0) == -1) {
		for (i = 0; i < 256; i++) {
			snprintf(name, sizeof(name), "%02x",
			    (unsigned)i & 0xff);
			if (mkdirat(directory->root, name, 0700) == -1 &&
			    errno != EEXIST)
				return -1;
		}
		if (fsync(directory->root) == -1)
			return -1;
	}
	directory->parts = open_directory(directory->root, "part");
	if (directory->parts == -1)
		return -1;
	return fsync(directory->root);
}

struct blob_store *
blob_directory_open(const char *path, blob_fault_fn *fault, void *fault_arg,
    struct reason *why)
{
	struct blob_directory *directory = x_calloc(1, sizeof(*directory));

	directory->store.ops = &directory_ops;
	directory->fault = fault;
	directory->fault_arg = fault_arg;
	directory->parts = -1;
	directory->root = open_directory(AT_FDCWD, path);
	if (directory->root == -1 || open_all(directory) == -1) {
		directory_failed(why, "open", path, errno);
		directory_close(&directory->store);
		return NULL;
	}
	return &directory->store;
}
