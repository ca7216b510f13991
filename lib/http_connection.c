/* SPDX-License-Identifier: ISC
 *
 * One HTTP connection of the server: its making, waiting and end; see
 * http_connection.h.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>

#include "clock.h"
#include "http_connection.h"
#include "memory.h"

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	http_connection_run(arg);
}

static void
watch(struct http_connection *c, bool on)
{
	if (on && !c->read_on)
		event_add(c->readable, NULL);
	else if (!on && c->read_on)
		event_del(c->readable);
	c->read_on = on;
}

void
http_connection_set_deadline(struct http_connection *c, unsigned ms)
{
	c->deadline = clock_monotonic_ms() + ms;
}

void
http_connection_start_rate(struct http_connection *c)
{
	c->deadline = 0;
	c->rate_since = clock_monotonic_ms();
	c->rate_bytes = 0;
}

void
http_connection_set_idle(struct http_connection *c, bool idle)
{
	if (idle == c->is_idle)
		return;
	c->is_idle = idle;
	if (!idle) {
		TAILQ_REMOVE(&c->server->idle, c, idle);
		return;
	}
	TAILQ_INSERT_TAIL(&c->server->idle, c, idle);
	http_server_connection_idle(c->server);
}

void
http_connection_run(struct http_connection *c)
{
	/* Zero time, through the timer queue: other descriptors are polled
	 * before it is this one's turn again. */
	static const struct timeval soon = { 0, 0 };
	enum http_step step = HTTP_STEP_MORE;
	size_t work = 0;

	c->busy = true;
	while (step == HTTP_STEP_MORE && work < HTTP_WORK_MAX)
		step = http_connection_step(c, &work);
	c->busy = false;
	if (step == HTTP_STEP_DEAD) {
		http_connection_free(c);
		return;
	}
	watch(c, step == HTTP_STEP_READ || step == HTTP_STEP_HANDLER);
	if (step == HTTP_STEP_WRITE)
		event_add(c->writable, NULL);
	else if (step == HTTP_STEP_MORE)
		event_add(c->again, &soon);
}

void
http_connection_wake(struct http_connection *c)
{
	if (!c->busy)
		event_active(c->again, EV_TIMEOUT, 0);
}

bool
http_connection_in_time(struct http_connection *c, int64_t now)
{
	const struct http_server_limits *limits = &c->server->limits;

	if (c->deadline != 0)
		return now < c->deadline;
	if ((c->state != HTTP_STATE_BODY && c->state != HTTP_STATE_SEND) ||
	    (c->state == HTTP_STATE_BODY && c->x->paused)) {
		/* It is our turn, not the peer's. */
		c->rate_since = now;
		c->rate_bytes = 0;
		return true;
	}
	if (now - c->rate_since < limits->rate_grace_ms)
		return true;
	if (c->rate_bytes * 1000 <
	    (int64_t)limits->min_rate * (now - c->rate_since))
		return false;
	c->rate_since = now;
	c->rate_bytes = 0;
	return true;
}

void
http_client_format(const struct sockaddr_storage *peer,
    char text_r[HTTP_CLIENT_SIZE])
{
	char text[INET6_ADDRSTRLEN];
	const void *p = peer;
	const struct sockaddr_in *in = p;
	const struct sockaddr_in6 *in6 = p;

	snprintf(text_r, HTTP_CLIENT_SIZE, "unix");
	if (peer->ss_family == AF_INET &&
	    inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text)) != NULL)
		snprintf(text_r, HTTP_CLIENT_SIZE, "%s:%u", text,
		    ntohs(in->sin_port));
	if (peer->ss_family == AF_INET6 &&
	    inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text)) != NULL)
		snprintf(text_r, HTTP_CLIENT_SIZE, "[%s]:%u", text,
		    ntohs(in6->sin6_port));
}

/* Binds TLS to the descriptor, where the door has it. */
static int
set_stream(struct http_connection *c, int fd)
{
	int one = 1;

	c->stream.fd = fd;
	if (c->door->tls == NULL)
		return 0;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c->stream.ssl = tls_server_accept(c->door->tls);
	if (c->stream.ssl == NULL || SSL_set_fd(c->stream.ssl, fd) != 1) {
		SSL_free(c->stream.ssl);
		ERR_clear_error();
		return -1;
	}
	return 0;
}

struct http_connection *
http_connection_new(const struct http_door *door, int fd,
    const struct sockaddr_storage *peer, int place)
{
	struct http_server *server = door->server;
	struct http_connection *c = x_calloc(1, sizeof(*c));

	c->server = server;
	c->door = door;
	c->out.file = -1;
	if (set_stream(c, fd) != 0) {
		close(fd);
		client_count_leave(server->clients, &place);
		free(c);
		return NULL;
	}
	buffer_init(&c->in, HTTP_HEAD_MAX);
	c->state = door->flags & HTTP_LISTEN_PROXY ? HTTP_STATE_PROXY :
						     HTTP_STATE_HANDSHAKE;
	c->id = ++server->stats.accepted;
	c->readable =
	    event_new(server->base, fd, EV_READ | EV_PERSIST, on_event, c);
	c->writable = event_new(server->base, fd, EV_WRITE, on_event, c);
	c->again = event_new(server->base, -1, 0, on_event, c);
	if (c->readable == NULL || c->writable == NULL || c->again == NULL)
		abort(); /* for want of memory */
	c->place = place;
	http_client_format(peer, c->client);
	http_connection_set_deadline(c, server->limits.head_ms);
	TAILQ_INSERT_TAIL(&server->all, c, all);
	server->stats.connections++;
	return c;
}

void
http_connection_free(struct http_connection *c)
{
	struct http_server *server = c->server;
	struct http_exchange *x = c->x;

	/* Whatever `gone` does, this connection runs no more. */
	c->busy = true;
	c->x = NULL;
	if (x != NULL)
		http_exchange_free(x);
	if (c->data != NULL && server->handler->connection_free != NULL)
		server->handler->connection_free(c->data);
	http_connection_set_idle(c, false);
	TAILQ_REMOVE(&server->all, c, all);
	event_free(c->readable);
	event_free(c->writable);
	event_free(c->again);
	http_output_free(c);
	http_stream_close(&c->stream);
	client_count_leave(server->clients, &c->place);
	buffer_free(&c->in);
	OPENSSL_free(c->certificate);
	free(c);
	http_server_connection_gone(server);
}
