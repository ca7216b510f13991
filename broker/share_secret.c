/* SPDX-License-Identifier: ISC
 *
 * The secret in the names of shares: see share_secret.h.
 */
#include "share_secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "log.h"
#include "memory.h"

/* 0, or -1 if there is none, or what is there is no secret. */
static int
read_secret(const char *path, unsigned char secret_r[SHARE_SECRET_LEN])
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t len;
	char more;

	if (fd < 0)
		return -1;
	len = read(fd, secret_r, SHARE_SECRET_LEN);
	if (len == SHARE_SECRET_LEN && read(fd, &more, 1) != 0)
		len = -1;
	close(fd);
	return len == SHARE_SECRET_LEN ? 0 : -1;
}

/* Whole or not at all. */
static int
write_secret(const char *directory, const char *path,
    const unsigned char secret[SHARE_SECRET_LEN])
{
	char *new = x_asprintf("%s.new", path);
	int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd, result = -1;

	unlink(new);
	fd = open(new, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    0600);
	if (fd >= 0 && dir >= 0 &&
	    write(fd, secret, SHARE_SECRET_LEN) == SHARE_SECRET_LEN &&
	    fsync(fd) == 0 && rename(new, path) == 0 && fsync(dir) == 0)
		result = 0;
	if (fd >= 0)
		close(fd);
	if (dir >= 0)
		close(dir);
	free(new);
	return result;
}

void
share_secret_open(const char *directory,
    unsigned char secret_r[SHARE_SECRET_LEN])
{
	char *path = x_asprintf("%s/secret", directory);

	if (read_secret(path, secret_r) < 0) {
		randombytes_buf(secret_r, SHARE_SECRET_LEN);
		if (write_secret(directory, path, secret_r) < 0)
			log_text(LOG_WARNING, "-", "secret",
			    "cannot keep %s: %s", path, strerror(errno));
	}
	free(path);
}
