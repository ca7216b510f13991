/* SPDX-License-Identifier: ISC
 *
 * The unlinked spool file: see spool.h.
 */
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"

#define SPOOL_BUFFER 65536

struct spool {
	char *directory;
	int fd; /* -1 while the buffer holds it all */
	int error; /* errno of the first failure */
	int64_t size, max;
	char *map;
	size_t held;
	char buffer[SPOOL_BUFFER];
};

/* O_TMPFILE where the file system knows it, else a name for a moment. */
static int
open_unnamed(const char *directory)
{
	int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	char *path;

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return fd;
	path = x_asprintf("%s/messageXXXXXX", directory);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	free(path);
	return fd;
}

struct spool *
spool_new(const char *directory, int64_t max)
{
	struct spool *spool = x_malloc(sizeof(*spool));

	spool->directory = x_strdup(directory);
	spool->fd = -1;
	spool->error = 0;
	spool->size = 0;
	spool->max = max;
	spool->map = NULL;
	spool->held = 0;
	return spool;
}

static void
flush(struct spool *spool)
{
	const char *data = spool->buffer;

	if (spool->fd < 0 && (spool->fd = open_unnamed(spool->directory)) < 0)
		spool->error = errno;
	while (spool->held > 0 && spool->error == 0) {
		ssize_t done = write(spool->fd, data, spool->held);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0) {
			spool->error = done < 0 ? errno : EIO;
			break;
		}
		data += done;
		spool->held -= (size_t)done;
	}
	spool->held = 0;
}

void
spool_add(struct spool *spool, const void *data, size_t len)
{
	const char *from = data;

	if (spool->error == 0 && spool->size + (int64_t)len > spool->max)
		spool->error = EFBIG;
	while (len > 0 && spool->error == 0) {
		size_t part = SPOOL_BUFFER - spool->held;

		if (part > len)
			part = len;
		memcpy(spool->buffer + spool->held, from, part);
		spool->held += part;
		spool->size += (int64_t)part;
		from += part;
		len -= part;
		if (spool->held == SPOOL_BUFFER)
			flush(spool);
	}
}

/* Most mail is small, and making a file is dearer than all else that is done
 * with it. */
static bool
is_held(const struct spool *spool)
{
	return spool->fd < 0 && spool->error == 0;
}

int
spool_finish(struct spool *spool)
{
	void *map;

	if (is_held(spool))
		return 0;
	flush(spool);
	if (spool->error == 0 && spool->size > 0) {
		map = mmap(NULL, (size_t)spool->size, PROT_READ, MAP_PRIVATE,
		    spool->fd, 0);
		if (map == MAP_FAILED)
			spool->error = errno;
		else
			spool->map = map;
	}
	errno = spool->error;
	return spool->error == 0 ? 0 : -1;
}

const char *
spool_data(const struct spool *spool, size_t *len_r)
{
	*len_r = (size_t)spool->size;
	return spool->map != NULL ? spool->map : spool->buffer;
}

void
spool_free(struct spool **spool)
{
	struct spool *old = *spool;

	if (old == NULL)
		return;
	if (old->map != NULL)
		munmap(old->map, (size_t)old->size);
	if (old->fd >= 0)
		close(old->fd);
	free(old->directory);
	x_free(spool);
}
