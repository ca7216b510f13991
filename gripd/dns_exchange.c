/* SPDX-License-Identifier: ISC
 *
 * One question, one server. Reads hostile packets, bounded by the size of an
 * UDP buffer or by a TCP length of 64 KiB. A forger must guess the random id
 * and the random port of a socket that lives for one question.
 */
#include "dns_exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <sodium.h>

#include "memory.h"

#define UDP_MAX 4096
#define TCP_MAX 65535
#define IGNORED_MAX 100 /* stray packets, then the server counts as dead */

struct dns_exchange {
	struct event_base *base;
	struct dns_server server;
	struct dns_question question;
	int timeout_ms;
	dns_exchange_done *done;
	void *arg;

	int udp;
	struct event *udp_event;
	unsigned ignored;
	struct bufferevent *tcp;
	struct event *timer; /* time-out, or a failure found while starting */
	const char *failure; /* told by the timer; NULL: the time is over */
};

static void
close_transports(struct dns_exchange *exchange)
{
	if (exchange->udp_event != NULL)
		event_free(exchange->udp_event);
	exchange->udp_event = NULL;
	if (exchange->udp != -1)
		close(exchange->udp);
	exchange->udp = -1;
	if (exchange->tcp != NULL)
		bufferevent_free(exchange->tcp);
	exchange->tcp = NULL;
}

void
dns_exchange_cancel(struct dns_exchange **exchange)
{
	struct dns_exchange *e = *exchange;

	if (e == NULL)
		return;
	close_transports(e);
	if (e->timer != NULL)
		event_free(e->timer);
	free(e);
	*exchange = NULL;
}

static void
finish(struct dns_exchange *exchange, struct dns_answer *answer)
{
	dns_exchange_done *done = exchange->done;
	void *arg = exchange->arg;

	dns_exchange_cancel(&exchange);
	done(arg, answer);
}

static void
finish_failed(struct dns_exchange *exchange, const char *detail)
{
	struct dns_answer answer = { 0 };

	dns_answer_fail(&answer, detail);
	finish(exchange, &answer);
}

static void
set_timer(struct dns_exchange *exchange, int milliseconds)
{
	struct timeval tv = { milliseconds / 1000, milliseconds % 1000 * 1000 };

	event_add(exchange->timer, &tv);
}

/* A failure before the loop runs is told from the loop. */
static void
fail_later(struct dns_exchange *exchange, const char *detail)
{
	close_transports(exchange);
	exchange->failure = detail;
	set_timer(exchange, 0);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct dns_exchange *exchange = arg;

	(void)fd;
	(void)what;
	finish_failed(exchange,
	    exchange->failure != NULL ? exchange->failure : "time-out");
}

/* ---- TCP (RFC 7766) ---- */

static void
on_tcp_read(struct bufferevent *tcp, void *arg)
{
	struct dns_exchange *exchange = arg;
	struct evbuffer *input = bufferevent_get_input(tcp);
	struct dns_answer answer;
	uint8_t prefix[2], *packet;
	size_t len;

	if (evbuffer_copyout(input, prefix, 2) != 2)
		return;
	len = (size_t)prefix[0] << 8 | prefix[1];
	if (evbuffer_get_length(input) < 2 + len)
		return;
	packet = evbuffer_pullup(input, (ev_ssize_t)(2 + len));
	if (packet == NULL ||
	    dns_answer_parse(&exchange->question, packet + 2, len, &answer) !=
		0)
		finish_failed(exchange, "a bad answer by TCP");
	else if (answer.status == DNS_TRUNCATED)
		finish_failed(exchange, "a truncated answer by TCP");
	else
		finish(exchange, &answer);
}

static void
on_tcp_event(struct bufferevent *tcp, short what, void *arg)
{
	(void)tcp;
	if ((what & (BEV_EVENT_ERROR | BEV_EVENT_EOF)) != 0)
		finish_failed(arg, "the TCP connection failed");
}

static void
start_tcp(struct dns_exchange *exchange)
{
	struct sockaddr *address = (struct sockaddr *)&exchange->server.address;
	uint8_t query[2 + DNS_QUERY_MAX];
	int len;

	close_transports(exchange);
	exchange->question.id = (uint16_t)randombytes_random();
	len = dns_query_format(&exchange->question, query + 2);
	exchange->tcp = bufferevent_socket_new(exchange->base, -1,
	    BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	if (len < 0 || exchange->tcp == NULL) {
		fail_later(exchange, "cannot ask by TCP");
		return;
	}
	query[0] = (uint8_t)(len >> 8);
	query[1] = (uint8_t)len;
	bufferevent_setcb(exchange->tcp, on_tcp_read, NULL, on_tcp_event,
	    exchange);
	bufferevent_setwatermark(exchange->tcp, EV_READ, 2, 2 + TCP_MAX);
	set_timer(exchange, exchange->timeout_ms);
	if (bufferevent_write(exchange->tcp, query, 2 + (size_t)len) != 0 ||
	    bufferevent_enable(exchange->tcp, EV_READ | EV_WRITE) != 0 ||
	    bufferevent_socket_connect(exchange->tcp, address,
		(int)exchange->server.len) != 0)
		fail_later(exchange, "cannot connect by TCP");
}

/* ---- UDP ---- */

static void
on_udp(evutil_socket_t fd, short what, void *arg)
{
	struct dns_exchange *exchange = arg;
	struct dns_answer answer;
	uint8_t packet[UDP_MAX];
	ssize_t len;

	(void)what;
	len = recv(fd, packet, sizeof(packet), 0);
	if (len == -1) {
		if (errno != EAGAIN && errno != EINTR)
			finish_failed(exchange, strerror(errno));
		return;
	}
	if (dns_answer_parse(&exchange->question, packet, (size_t)len,
		&answer) != 0) {
		if (++exchange->ignored > IGNORED_MAX)
			finish_failed(exchange, "too many stray packets");
		return;
	}
	if (answer.status == DNS_TRUNCATED)
		start_tcp(exchange);
	else
		finish(exchange, &answer);
}

static void
start_udp(struct dns_exchange *exchange)
{
	struct sockaddr *address = (struct sockaddr *)&exchange->server.address;
	uint8_t query[DNS_QUERY_MAX];
	int len;

	exchange->question.id = (uint16_t)randombytes_random();
	len = dns_query_format(&exchange->question, query);
	if (len < 0) {
		fail_later(exchange, "the name cannot be asked");
		return;
	}
	exchange->udp = socket(address->sa_family,
	    SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (exchange->udp == -1 ||
	    connect(exchange->udp, address, exchange->server.len) != 0 ||
	    send(exchange->udp, query, (size_t)len, 0) != len) {
		fail_later(exchange, "cannot send to the server");
		return;
	}
	exchange->udp_event = event_new(exchange->base, exchange->udp,
	    EV_READ | EV_PERSIST, on_udp, exchange);
	if (exchange->udp_event == NULL ||
	    event_add(exchange->udp_event, NULL) != 0) {
		fail_later(exchange, "no event");
		return;
	}
	set_timer(exchange, exchange->timeout_ms);
}

struct dns_exchange *
dns_exchange_start(struct event_base *base, const struct dns_server *server,
    const struct dns_question *question, int timeout_ms,
    dns_exchange_done *done, void *arg)
{
	struct dns_exchange *exchange = x_calloc(1, sizeof(*exchange));

	exchange->base = base;
	exchange->server = *server;
	exchange->question = *question;
	exchange->timeout_ms = timeout_ms;
	exchange->done = done;
	exchange->arg = arg;
	exchange->udp = -1;
	exchange->timer = evtimer_new(base, on_timer, exchange);
	if (exchange->timer == NULL)
		abort(); /* out of memory, as x_calloc */
	start_udp(exchange);
	return exchange;
}
