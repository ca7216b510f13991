/* SPDX-License-Identifier: ISC
 *
 * A DNS server on loopback, on the loop of the test: every answer is what the
 * test's function puts together. UDP and TCP on one port.
 */
#ifndef DNS_FAKE_H
#define DNS_FAKE_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "dns_client.h"
#include "dns_packet.h"

struct dns_fake;

/* Fills *p for this query; nothing is sent if it stays empty. `id` is the
 * query's. */
typedef void dns_fake_answer(struct dns_fake *fake, unsigned id,
    const char *name, unsigned type, bool tcp, struct dns_packet *p);

struct dns_fake {
	struct event_base *base;
	int udp, tcp;
	struct event *udp_event, *tcp_event;
	dns_fake_answer *answer;
	unsigned queries; /* that came in */
};

/* The query's id, name and type; packet_start's reverse. */
static inline void
fake_query(const uint8_t *q, unsigned *id_r, char name_r[256], unsigned *type_r)
{
	const uint8_t *p = q + 12;
	char *out = name_r;

	*id_r = (unsigned)q[0] << 8 | q[1];
	while (*p != 0) {
		memcpy(out, p + 1, *p);
		out += *p;
		*out++ = '.';
		p += 1 + *p;
	}
	out[-1] = '\0';
	*type_r = (unsigned)p[1] << 8 | p[2];
}

static inline void
fake_udp(evutil_socket_t fd, short what, void *arg)
{
	struct dns_fake *fake = arg;
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	struct dns_packet p = { .len = 0 };
	uint8_t query[512];
	char name[256];
	unsigned id, type;

	(void)what;
	if (recvfrom(fd, query, sizeof(query), 0, (struct sockaddr *)&from,
		&from_len) < 12)
		return;
	fake->queries++;
	fake_query(query, &id, name, &type);
	fake->answer(fake, id, name, type, false, &p);
	if (p.len > 0)
		sendto(fd, p.data, p.len, 0, (struct sockaddr *)&from,
		    from_len);
}

/* Reads the query and answers; loopback brings it in one piece. */
static inline void
fake_tcp_query(evutil_socket_t client, short what, void *arg)
{
	struct dns_fake *fake = arg;
	struct dns_packet p = { .len = 0 };
	uint8_t query[512], prefix[2];
	char name[256];
	unsigned id, type;

	(void)what;
	if (recv(client, query, sizeof(query), 0) > 14) {
		fake->queries++;
		fake_query(query + 2, &id, name, &type);
		fake->answer(fake, id, name, type, true, &p);
		prefix[0] = (uint8_t)(p.len >> 8);
		prefix[1] = (uint8_t)p.len;
		if (p.len > 0) {
			send(client, prefix, 1, 0);
			send(client, prefix + 1, 1, 0);
			send(client, p.data, p.len, 0);
		}
	}
	close(client);
}

static inline void
fake_tcp(evutil_socket_t fd, short what, void *arg)
{
	struct dns_fake *fake = arg;

	(void)what;
	event_base_once(fake->base, accept(fd, NULL, NULL), EV_READ,
	    fake_tcp_query, fake, NULL);
}

static inline void
dns_fake_start(struct dns_fake *fake, struct event_base *base,
    dns_fake_answer *answer, struct dns_server *server_r)
{
	struct sockaddr_in *address = (struct sockaddr_in *)&server_r->address;
	socklen_t len = sizeof(*address);

	memset(server_r, 0, sizeof(*server_r));
	address->sin_family = AF_INET;
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fake->base = base;
	fake->answer = answer;
	fake->queries = 0;
	/* The kernel's choice of a TCP port may be taken for UDP. */
	for (;;) {
		address->sin_port = 0;
		fake->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		fake->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (bind(fake->tcp, (struct sockaddr *)address, len) == 0 &&
		    listen(fake->tcp, 5) == 0 &&
		    getsockname(fake->tcp, (struct sockaddr *)address, &len) ==
			0 &&
		    bind(fake->udp, (struct sockaddr *)address, len) == 0)
			break;
		close(fake->tcp);
		close(fake->udp);
	}
	server_r->len = len;
	fake->udp_event =
	    event_new(base, fake->udp, EV_READ | EV_PERSIST, fake_udp, fake);
	fake->tcp_event =
	    event_new(base, fake->tcp, EV_READ | EV_PERSIST, fake_tcp, fake);
	event_add(fake->udp_event, NULL);
	event_add(fake->tcp_event, NULL);
}

static inline void
dns_fake_stop(struct dns_fake *fake)
{
	event_free(fake->udp_event);
	event_free(fake->tcp_event);
	close(fake->udp);
	close(fake->tcp);
}

#endif
