/* SPDX-License-Identifier: ISC
 *
 * The admin socket of each daemon, /run/cargomail/<daemon>.sock: root and
 * the group cargomail-admin ask by cargomailctl. SOCK_SEQPACKET; a request
 * is {"verb":"status", ...}, the answer one object or, for long listings,
 * several packets of which the last has "last":true. Runs on the daemon's
 * libevent loop; blocking replies are small.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdbool.h>

#include <event2/event.h>

#include <cjson/cJSON.h>

struct control_connection;

/*
 * A verb: `handle` answers now or later by control_reply(). `request` stays
 * the module's. `context` is what control_start was given.
 */
struct control_verb {
	const char *name;
	void (*handle)(void *context, struct control_connection *connection,
	    const cJSON *request);
};

struct control;

/* Opens the socket as root, before the chroot ("/run/cargomail" is made if
 * missing). The descriptor, or -1 with *error_r (free()). Takes the one
 * passed by systemd as "control" if there is one. */
int control_listen(const char *daemon, char **error_r);

/* Serves it; `verbs` ends with a NULL name. Freed by control_stop. */
struct control *control_start(struct event_base *base, int fd,
    const struct control_verb *verbs, void *context);
void control_stop(struct control **control);

/* Sends one object (taken over) as a packet; `last` ends the answer. The
 * connection may be gone: then nothing happens. */
void
control_reply(struct control_connection *connection, cJSON *answer, int last);

/* True if there is a socket of that name: the daemon belongs on this host. */
bool control_exists(const char *daemon);

/* The client's side (cargomailctl), blocking: one request (taken over), then
 * one call per packet of the answer, each of which may take `timeout_ms`: the
 * socket may be there, held for a daemon that does not start. -1 with
 * *error_r (free()) when the daemon is not there. */
int control_connect(const char *daemon, int timeout_ms, char **error_r);
cJSON *control_ask(int fd, cJSON *request, char **error_r);
cJSON *control_next(int fd, char **error_r);

#endif
