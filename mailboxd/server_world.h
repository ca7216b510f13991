/* SPDX-License-Identifier: ISC
 *
 * The sockets of the world, and the certificates that they wait for.
 */
#ifndef SERVER_WORLD_H
#define SERVER_WORLD_H

#include "mailboxd.h"
#include "server.h"

/* Serves sockets->listen from mailboxd->http, with the certificates of gripd:
 * now, or from the loop when they are there. Both must outlive it. */
struct server_world *server_world_new(struct mailboxd *mailboxd,
    const struct server_sockets *sockets);

/* Takes the certificates from gripd anew, in a second. */
void server_world_reload(struct server_world *world);

/* What is served goes on until mailboxd->http is freed. */
void server_world_free(struct server_world **world);

#endif
