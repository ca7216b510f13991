/* SPDX-License-Identifier: ISC
 *
 * The admin socket of each daemon, /run/cargomail/<daemon>.sock: root and
 * the group cargomail-admin ask by cargomailctl. SOCK_SEQPACKET; a request
 * is {"verb":"status", ...}, the answer one object or, for long listings,
 * several packets of which the last has "last":true. Where a verb takes a
 * text that is larger than a packet, the request is one with "more":true,
 * followed by {"text":PART,"more":true} and at last {"text":PART}. Runs on the
 * daemon's libevent loop and never blocks it: what a client is slow to read
 * waits in memory, up to CONTROL_WAITING_MAX.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#include <event2/event.h>

#include <cjson/cJSON.h>

#define CONTROL_DIRECTORY "/run/cargomail"
#define CONTROL_WAITING_MAX (64 << 20) /* bytes of answers, a connection */
#define CONTROL_ITEMS_MAX 40000 /* bytes of items in a packet */

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

/* Lets the requests of a verb have a text of up to `max` bytes in packets of
 * its own, handed to it as the member "text". Other verbs take none. */
void control_set_text(struct control *control, const char *verb, size_t max);

/* Sends one object (taken over) as a packet; `last` ends the answer. The
 * connection may be gone: then nothing happens. */
void
control_reply(struct control_connection *connection, cJSON *answer, int last);

/* Sends the items of an array (taken over) as member `name` of as many
 * packets as they need, of one if there are none. The answer goes on. */
void control_reply_items(struct control_connection *connection,
    const char *name, cJSON *items);

/* True if there is a socket of that name: the daemon belongs on this host. */
bool control_exists(const char *daemon);

/* The client's side (cargomailctl), blocking: one request (taken over), then
 * one call per packet of the answer, each of which may take `timeout_ms`: the
 * socket may be there, held for a daemon that does not start. -1 with
 * *error_r (free()) when the daemon is not there. */
int control_connect(const char *daemon, int timeout_ms, char **error_r);
cJSON *control_ask(int fd, cJSON *request, char **error_r);
cJSON *control_next(int fd, char **error_r);

/* The same with a text (NULL: none), of characters that stand for themselves
 * in JSON (base64). */
cJSON *
control_ask_text(int fd, cJSON *request, const char *text, char **error_r);

#endif
