/* SPDX-License-Identifier: ISC
 *
 * Unix sockets between the daemons. What arrives is hostile until the
 * protocol above has looked at it; here only sizes and credentials count.
 */
#include "unix_socket.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static int
unix_socket_address(const char *path, struct sockaddr_un *address_r)
{
	memset(address_r, 0, sizeof(*address_r));
	address_r->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(address_r->sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(address_r->sun_path, path);
	return 0;
}

static int
unix_socket_fail(int fd)
{
	int saved = errno;

	close(fd);
	errno = saved;
	return -1;
}

/* True if somebody serves it, of whatever type: not ours to take away. */
static bool
unix_socket_is_live(const struct sockaddr_un *address, int type)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool live;

	if (fd == -1)
		return false;
	live = connect(fd, (const struct sockaddr *)address,
		   sizeof(*address)) == 0 ||
	    errno == EAGAIN || errno == EPROTOTYPE;
	close(fd);
	return live;
}

int
unix_socket_listen(const char *path, int type,
    const struct unix_socket_owner *owner)
{
	struct sockaddr_un address;
	struct stat st;
	mode_t mask;
	int fd, rc;

	if (unix_socket_address(path, &address) != 0)
		return -1;
	if (lstat(path, &st) == 0) {
		if (!S_ISSOCK(st.st_mode)) {
			errno = EEXIST;
			return -1;
		}
		if (unix_socket_is_live(&address, type)) {
			errno = EADDRINUSE;
			return -1;
		}
		unlink(path);
	}
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	/* Nobody may connect between bind and chown. */
	mask = umask(0777);
	rc = bind(fd, (struct sockaddr *)&address, sizeof(address));
	umask(mask);
	if (rc != 0 || lchown(path, owner->uid, owner->gid) != 0 ||
	    chmod(path, owner->mode) != 0 || listen(fd, 128) != 0)
		return unix_socket_fail(fd);
	return fd;
}

int
unix_socket_connect(const char *path, int type, int timeout_ms)
{
	struct sockaddr_un address;
	struct timeval tv;
	int fd;

	if (unix_socket_address(path, &address) != 0)
		return -1;
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	tv.tv_sec = timeout_ms / 1000;
	tv.tv_usec = timeout_ms % 1000 * 1000;
	if ((timeout_ms > 0 &&
		(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)) ||
		    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv,
			sizeof(tv)))) ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		return unix_socket_fail(fd);
	return fd;
}

int
unix_socket_peer(int fd, uid_t *uid_r)
{
	struct ucred credentials;
	socklen_t len = sizeof(credentials);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &len) != 0)
		return -1;
	*uid_r = credentials.uid;
	return 0;
}

int
unix_socket_send(int fd, const void *data, size_t len)
{
	ssize_t n;

	do
		n = send(fd, data, len, MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return -1;
	if ((size_t)n != len) {
		errno = EMSGSIZE;
		return -1;
	}
	return 0;
}

ssize_t
unix_socket_receive(int fd, void *data_r, size_t max)
{
	ssize_t n;

	do /* MSG_TRUNC makes the result the packet's true length */
		n = recv(fd, data_r, max, MSG_TRUNC);
	while (n == -1 && errno == EINTR);
	if (n > (ssize_t)max) {
		errno = EMSGSIZE;
		return -1;
	}
	return n;
}
