/* SPDX-License-Identifier: ISC
 *
 * Unix sockets between the daemons. The place of a socket is the permission;
 * the peer's uid is checked all the same at every connection.
 */
#ifndef UNIX_SOCKET_H
#define UNIX_SOCKET_H

#include <stddef.h>
#include <sys/types.h>

struct unix_socket_owner {
	uid_t uid;
	gid_t gid;
	mode_t mode;
};

#define UNIX_PACKET_MAX 65536

/* Binds (replacing a stale socket, never anything else: EADDRINUSE if it is
 * served) and listens, non-blocking and close-on-exec. `type` is SOCK_STREAM
 * or SOCK_SEQPACKET. The descriptor, or -1 with errno. */
int unix_socket_listen(const char *path, int type,
    const struct unix_socket_owner *owner);

/* Connects, close-on-exec; `timeout_ms` is then set for every send and
 * receive (0: none). The descriptor, or -1 with errno. */
int unix_socket_connect(const char *path, int type, int timeout_ms);

/* The peer's uid by SO_PEERCRED; -1 if it cannot be told. */
int unix_socket_peer(int fd, uid_t *uid_r);

/* One packet, whole or not at all. 0, or -1 with errno. */
int unix_socket_send(int fd, const void *data, size_t len);

/* One packet into at most `max` bytes: its length; 0 if the peer closed; -1
 * with errno (EMSGSIZE: it was larger, the connection is of no more use). */
ssize_t unix_socket_receive(int fd, void *data_r, size_t max);

#endif
