/* SPDX-License-Identifier: ISC
 *
 * How many connections each client has, so that one of them does not take
 * the places of all. A client is an IPv4 address or an IPv6 network of 64
 * bits, since that is what one host may choose from.
 *
 * Counters lie in a table of fixed size, found by a keyed hash: nobody can
 * aim at the counter of another, and memory does not grow with strangers.
 * Two clients that share one by chance are counted together.
 */
#ifndef CLIENT_COUNT_H
#define CLIENT_COUNT_H

#include <stdbool.h>

#include <sys/socket.h>

struct client_count;

#define CLIENT_COUNT_NONE (-1) /* the place of who is not counted */

/* `most` connections for each client; 0: no bound. Aborts for want of
 * memory. */
struct client_count *client_count_new(unsigned most);
void client_count_free(struct client_count **count);

/* One more connection of this client: false if it has too many. *place_r is
 * for client_count_leave. Only IPv4 and IPv6 are counted. */
bool client_count_enter(struct client_count *count,
    const struct sockaddr *client, int *place_r);

/* The connection is gone; *place becomes CLIENT_COUNT_NONE. */
void client_count_leave(struct client_count *count, int *place);

#endif
