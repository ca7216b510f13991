/* SPDX-License-Identifier: ISC
 *
 * mailboxd from its sockets to its end: what is opened as root, what is
 * opened in its room, and what is served.
 */
#ifndef SERVER_H
#define SERVER_H

#include "mailboxd.h"

#define SERVER_LISTEN_MAX 16

/* What must be opened before the chroot. */
struct server_sockets {
	int listen[SERVER_LISTEN_MAX];
	unsigned listen_count;
	int control;
	int passwords, placeholders; /* work processes */
};

/* As root: binds all sockets (or takes those that systemd passed: "https",
 * maybe several of that name, "control"). 0, or -1 with *error_r (free()). */
int server_bind(struct mailboxd *mailboxd, struct server_sockets *sockets_r,
    char **error_r);

/* In the room, as its user: work processes, store, gripd, TLS; then serves
 * until a signal. The exit code of the program. */
int server_run(struct mailboxd *mailboxd, struct server_sockets *sockets);

#endif
