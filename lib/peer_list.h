/* SPDX-License-Identifier: ISC
 *
 * Who may talk to whom: one list in one place. A server binds one socket for
 * each of its clients inside that client's chroot; unit files mirror this
 * list and a test tries every pair that is not on it.
 */
#ifndef PEER_LIST_H
#define PEER_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Rooms under base_directory and the users who live there. */
enum peer {
	PEER_SIGN,
	PEER_RESOLVE,
	PEER_MAILBOX,
	PEER_RETRIEVAL,
	PEER_BROKER,
	PEER_COUNT
};

struct peer_route {
	enum peer server;
	enum peer client;
	const char *socket; /* as the client sees it: "/run/sign.sock" */
	int type; /* SOCK_STREAM or SOCK_SEQPACKET */
};

/* The whole list; *count_r entries. */
const struct peer_route *peer_list(size_t *count_r);

const char *peer_user(enum peer peer); /* "cargomail-broker" */
const char *peer_directory(enum peer peer); /* "broker" */

/* The non-blocking listeners of one server, one for each client. */
struct peer_listener {
	const struct peer_route *route;
	uid_t uid; /* the client's: anybody else is refused */
	int fd;
};

#define PEER_LISTENERS_MAX 4

/* Binds the server's sockets below `base` (or takes those that systemd
 * passed by name, "sign-broker" for server and client); -1 with *error_r
 * (free()). Called as root, before the chroot. A client whose room does not
 * exist is not installed here and is skipped. */
int peer_list_listen(enum peer server, const char *base,
    struct peer_listener listeners_r[PEER_LISTENERS_MAX], size_t *count_r,
    char **error_r);

/* True if the connection is of the route's client by the peer's uid; else it
 * is logged. */
bool peer_list_admits(const struct peer_listener *listener, int fd);

/* Accepts one connection, verified to be of the route's client (or refused
 * and logged); non-blocking, close-on-exec. -1 if there is none. */
int peer_list_accept(const struct peer_listener *listener);

/* Enters the peer's room below `base` as its user, for good; `extra_group`
 * may be NULL. After this no file outside the room is there. Ends the program
 * if it cannot (privileges_drop). */
void peer_enter_room(enum peer peer, const char *base, const char *extra_group);

/* The path of a server's socket as the client sees it after its chroot:
 * "/run/sign.sock". NULL if the pair is not on the list. */
const char *peer_socket_path(enum peer server, enum peer client);

#endif
