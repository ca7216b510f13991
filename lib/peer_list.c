/* SPDX-License-Identifier: ISC
 *
 * Who may talk to whom. The list below is the whole truth about local
 * connections; everything else is refused because there is no socket.
 */
#include "peer_list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon.h"
#include "log.h"
#include "memory.h"
#include "privileges.h"
#include "unix_socket.h"

static const struct {
	const char *directory, *user;
} peer_rooms[PEER_COUNT] = {
	[PEER_SIGN] = { "sign", "cargomail-sign" },
	[PEER_RESOLVE] = { "resolve", "cargomail-resolve" },
	[PEER_MAILBOX] = { "mailbox", "cargomail-mailbox" },
	[PEER_RETRIEVAL] = { "retrieval", "cargomail-retrieval" },
	[PEER_BROKER] = { "broker", "cargomail-broker" },
};

static const struct peer_route peer_routes[] = {
	{ PEER_SIGN, PEER_BROKER, "/run/sign.sock", SOCK_SEQPACKET },
	{ PEER_SIGN, PEER_RETRIEVAL, "/run/sign.sock", SOCK_SEQPACKET },
	{ PEER_SIGN, PEER_MAILBOX, "/run/sign.sock", SOCK_SEQPACKET },
	{ PEER_RESOLVE, PEER_BROKER, "/run/resolve.sock", SOCK_SEQPACKET },
	{ PEER_RESOLVE, PEER_MAILBOX, "/run/resolve.sock", SOCK_SEQPACKET },
	{ PEER_RESOLVE, PEER_RETRIEVAL, "/run/resolve.sock", SOCK_SEQPACKET },
	{ PEER_MAILBOX, PEER_RETRIEVAL, "/run/pull.sock", SOCK_STREAM },
	{ PEER_MAILBOX, PEER_BROKER, "/run/mailbox.sock", SOCK_STREAM },
};

#define PEER_ROUTES (sizeof(peer_routes) / sizeof(peer_routes[0]))

const struct peer_route *
peer_list(size_t *count_r)
{
	*count_r = PEER_ROUTES;
	return peer_routes;
}

const char *
peer_user(enum peer peer)
{
	return peer_rooms[peer].user;
}

const char *
peer_directory(enum peer peer)
{
	return peer_rooms[peer].directory;
}

/* Binds the socket of one route, or takes systemd's. The descriptor, -1 with
 * *error_r, or -2 if that client is not installed here. */
static int
peer_bind(const struct peer_route *route, const char *base, uid_t *uid_r,
    char **error_r)
{
	struct unix_socket_owner owner = { .mode = 0600 };
	const char *room = peer_directory(route->client);
	struct stat st;
	char *path;
	int fd = -2;

	if (privileges_find_user(peer_user(route->client), &owner.uid,
		&owner.gid) != 0)
		return -2;
	*uid_r = owner.uid;
	path = x_asprintf("%s-%s", peer_directory(route->server), room);
	fd = daemon_passed_socket(path);
	free(path);
	if (fd != -1)
		return fd;
	path = x_asprintf("%s/%s", base, room);
	fd = stat(path, &st) != 0 ? -2 : -1;
	free(path);
	if (fd == -2)
		return -2;
	path = x_asprintf("%s/%s/run", base, room);
	if (stat(path, &st) != 0) {
		*error_r = x_asprintf("%s: %s; create-users makes it", path,
		    strerror(errno));
		free(path);
		return -1;
	}
	free(path);
	path = x_asprintf("%s/%s%s", base, room, route->socket);
	fd = unix_socket_listen(path, route->type, &owner);
	if (fd == -1)
		*error_r = x_asprintf("cannot listen on %s: %s", path,
		    strerror(errno));
	free(path);
	return fd;
}

int
peer_list_listen(enum peer server, const char *base,
    struct peer_listener listeners_r[PEER_LISTENERS_MAX], size_t *count_r,
    char **error_r)
{
	size_t count = 0;

	for (size_t i = 0; i < PEER_ROUTES; i++) {
		int fd;

		if (peer_routes[i].server != server)
			continue;
		fd = peer_bind(&peer_routes[i], base, &listeners_r[count].uid,
		    error_r);
		if (fd == -1) {
			while (count > 0)
				close(listeners_r[--count].fd);
			return -1;
		}
		if (fd == -2)
			continue;
		listeners_r[count].route = &peer_routes[i];
		listeners_r[count++].fd = fd;
	}
	*count_r = count;
	return 0;
}

bool
peer_list_admits(const struct peer_listener *listener, int fd)
{
	struct log_line line;
	uid_t uid = (uid_t)-1;
	char text[80];

	if (unix_socket_peer(fd, &uid) == 0 && uid == listener->uid)
		return true;
	snprintf(text, sizeof(text), "uid %d at the socket of %s", (int)uid,
	    peer_user(listener->route->client));
	log_begin(&line, LOG_WARNING, "-", "refuse");
	log_string(&line, LOG_KEY_REASON, "peer");
	log_string(&line, LOG_KEY_DETAIL, text);
	log_end(&line);
	return false;
}

int
peer_list_accept(const struct peer_listener *listener)
{
	int fd =
	    accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd == -1 || peer_list_admits(listener, fd))
		return fd;
	close(fd);
	return -1;
}

void
peer_enter_room(enum peer peer, const char *base, const char *extra_group)
{
	char *room = x_asprintf("%s/%s", base, peer_directory(peer));
	const struct privileges privileges = { .user = peer_user(peer),
		.root = room,
		.extra_group = extra_group };

	privileges_drop(&privileges);
	free(room);
}

const char *
peer_socket_path(enum peer server, enum peer client)
{
	for (size_t i = 0; i < PEER_ROUTES; i++)
		if (peer_routes[i].server == server &&
		    peer_routes[i].client == client)
			return peer_routes[i].socket;
	return NULL;
}
