/* SPDX-License-Identifier: ISC
 *
 * The parent's side: accepts connections of Postfix on the sockets and gives
 * each to a process of its own, a bounded number at a time; beyond that
 * Postfix waits in the socket's queue. The parent reads no byte of mail.
 */
#ifndef CONNECTION_H
#define CONNECTION_H

#include <sys/types.h>

#include <event2/event.h>

#include "breaker.h"
#include "broker_config.h"
#include "destination_map.h"
#include "metrics.h"
#include "probe.h"

struct connection_list;

#define CONNECTION_SPOOL "/spool" /* in the chroot */
#define CONNECTION_ANY_PEER ((uid_t)-1) /* the socket's mode decides */

/* Where mail comes from: one socket each. */
enum connection_kind {
	CONNECTION_IN, /* from outside */
	CONNECTION_OUT, /* submitted */
	CONNECTION_KINDS
};

struct connection_options {
	const struct broker_config *config;
	const struct destination_map *map;
	const struct destination_map *origins; /* NULL without CONNECTION_OUT */
	const unsigned char *secret; /* share_secret.h */
	struct breaker *breaker;
	struct metrics *metrics; /* broker_metrics */
	uid_t peer; /* who may connect: Postfix's user */
	struct probe *probe;
};

/* Begins to accept on the sockets (taken over; -1: none). */
struct connection_list *connection_start(struct event_base *base,
    const int fds[CONNECTION_KINDS], const struct connection_options *options);

/* Accepts no more and waits for what is under way, at most `seconds`; then
 * ends it: Postfix still has those messages. */
void connection_stop(struct connection_list **list, int seconds);

/* Number of processes now. */
size_t connection_count(const struct connection_list *list);

#endif
