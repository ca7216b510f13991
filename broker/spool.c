/* SPDX-License-Identifier: ISC
 *
 * The unlinked spool file: see spool.h.
 */
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"

#define SPOOL_BUFFER 65536

struct spool {
	int fd;
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
	int fd = open_unnamed(directory);
	struct spool *spool;

	if (fd < 0)
		return NULL;
	spool = x_malloc(sizeof(*spool));
	spool->fd = fd;
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

int
spool_finish(struct spool *spool)
{
	void *map;

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
	return spool->map != NULL ? spool->map : "";
}

void
spool_free(struct spool **spool)
{
	struct spool *old = *spool;

	if (old == NULL)
		return;
	if (old->map != NULL)
		munmap(old->map, (size_t)old->size);
	close(old->fd);
	x_free(spool);
}
