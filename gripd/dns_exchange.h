/* SPDX-License-Identifier: ISC
 *
 * One question to one DNS server over libevent: UDP from a fresh connected
 * socket, then TCP if the answer was truncated, within a time. Packets that
 * do not answer the question are ignored.
 */
#ifndef DNS_EXCHANGE_H
#define DNS_EXCHANGE_H

#include <sys/socket.h>

#include <event2/event.h>

#include "dns_answer.h"

struct dns_server {
	struct sockaddr_storage address;
	socklen_t len;
};

struct dns_exchange;

/* Called once from the loop, never from dns_exchange_start; the exchange is
 * gone then. The answer is the callee's to keep or to free. */
typedef void dns_exchange_done(void *arg, struct dns_answer *answer);

/* `timeout_ms` holds for each of the two transports. */
struct dns_exchange *dns_exchange_start(struct event_base *base,
    const struct dns_server *server, const struct dns_question *question,
    int timeout_ms, dns_exchange_done *done, void *arg);

/* Ends it without a call; NULL is fine. Sets it to NULL. */
void dns_exchange_cancel(struct dns_exchange **exchange);

#endif
