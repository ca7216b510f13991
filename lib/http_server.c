/* SPDX-License-Identifier: ISC
 *
 * Accepting, time and the end of the HTTP server; see http_server.h.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "http_connection.h"
#include "memory.h"

#define ACCEPT_BATCH 64
#define TICK_MS 500

const struct http_server_limits http_server_default_limits = {
	.max_connections = 4096,
	.head_ms = 10000,
	.idle_ms = 60000,
	.linger_ms = 5000,
	.min_rate = 1024,
	.rate_grace_ms = 20000,
};

/* Doors are shut while there is no room; the kernel queues meanwhile. */
static void
set_accepting(struct http_server *server, bool accepting)
{
	unsigned i;

	if (server->accepting == accepting)
		return;
	server->accepting = accepting;
	for (i = 0; i < server->doors; i++) {
		if (accepting)
			event_add(server->door[i].event, NULL);
		else
			event_del(server->door[i].event);
	}
}

/* True if there is room for one more, or can be made. */
static bool
has_room(const struct http_server *server)
{
	return server->stats.connections < server->limits.max_connections ||
	    !TAILQ_EMPTY(&server->idle);
}

/* The connection that is idle for the longest goes. */
static void
make_room(struct http_server *server)
{
	struct http_connection *longest = TAILQ_FIRST(&server->idle);

	if (server->stats.connections < server->limits.max_connections)
		return;
	http_stream_shutdown(&longest->stream);
	http_connection_free(longest);
}

void
http_server_refuse(const struct http_door *door, const char *client,
    const char *word, const char *text)
{
	struct http_server *server = door->server;
	struct reason why;

	server->stats.refused++;
	if (server->handler->refused == NULL)
		return;
	reason_set(&why, OUTCOME_PERMFAIL, word, "%s", text);
	server->handler->refused(server->context, door->number, client, &why);
}

/* Whether this one may come in. Behind a load balancer nobody is known yet
 * and all are let in. */
static bool
admit(const struct http_door *door, int fd, const struct sockaddr_storage *peer,
    int *place_r)
{
	const struct http_server *server = door->server;
	char client[HTTP_CLIENT_SIZE];
	const void *address = peer;

	*place_r = CLIENT_COUNT_NONE;
	if (server->handler->accepted != NULL &&
	    !server->handler->accepted(server->context, fd, door->number))
		return false;
	if ((door->flags & HTTP_LISTEN_PROXY) != 0 ||
	    client_count_enter(server->clients, address, place_r))
		return true;
	http_client_format(peer, client);
	http_server_refuse(door, client, "clients", HTTP_TOO_MANY);
	return false;
}

static void
on_accept(evutil_socket_t listener, short what, void *arg)
{
	struct http_door *door = arg;
	struct http_server *server = door->server;
	struct sockaddr_storage peer;
	struct http_connection *c;
	socklen_t len;
	unsigned i;
	int fd, place;

	(void)what;
	for (i = 0; i < ACCEPT_BATCH; i++) {
		if (!has_room(server)) {
			set_accepting(server, false);
			return;
		}
		memset(&peer, 0, sizeof(peer));
		len = sizeof(peer);
		fd = accept4(listener, (struct sockaddr *)&peer, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) {
			/* Out of descriptors: the tick tries again. */
			if (errno == EMFILE || errno == ENFILE ||
			    errno == ENOBUFS || errno == ENOMEM)
				set_accepting(server, false);
			return;
		}
		if (!admit(door, fd, &peer, &place)) {
			close(fd);
			continue;
		}
		make_room(server);
		c = http_connection_new(door, fd, &peer, place);
		if (c != NULL)
			http_connection_run(c);
	}
}

static void
on_stopped(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *server = arg;
	void (*stopped)(void *) = server->stopped;

	(void)fd;
	(void)what;
	server->stopped = NULL;
	if (stopped != NULL)
		stopped(server->stopped_arg);
}

void
http_server_connection_idle(struct http_server *server)
{
	if (!server->stopping)
		set_accepting(server, true);
}

void
http_server_connection_gone(struct http_server *server)
{
	server->stats.connections--;
	if (!server->stopping)
		set_accepting(server, true);
	else if (server->stats.connections == 0)
		event_active(server->stopped_event, EV_TIMEOUT, 0);
}

/* Once the server stops: nothing is owed to those without an exchange, and
 * at the end of its time nothing to anybody. */
static bool
must_go(const struct http_connection *c, int64_t now)
{
	const struct http_server *server = c->server;

	return server->stopping &&
	    (now >= server->stop_at ||
		(c->x == NULL && c->state != HTTP_STATE_LINGER));
}

/* Nothing here is urgent to the millisecond, and one timer for all spares
 * two operations on the timer queue for each request. */
static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct http_server *server = arg;
	struct http_connection *c, *next;
	int64_t now = clock_monotonic_ms();

	(void)fd;
	(void)what;
	for (c = TAILQ_FIRST(&server->all); c != NULL; c = next) {
		next = TAILQ_NEXT(c, all);
		if (!must_go(c, now) && http_connection_in_time(c, now))
			continue;
		if (c->x == NULL)
			http_stream_shutdown(&c->stream);
		http_connection_free(c);
	}
	if (!server->stopping)
		set_accepting(server, true);
}

struct http_server *
http_server_new(struct event_base *base,
    const struct http_server_limits *limits, const struct http_handler *handler,
    void *context)
{
	static const struct timeval tick = { 0, TICK_MS * 1000 };
	struct http_server *server = x_calloc(1, sizeof(*server));

	/* OpenSSL writes with write(2): a peer that is gone must not end us. */
	signal(SIGPIPE, SIG_IGN);
	server->base = base;
	server->limits = limits != NULL ? *limits : http_server_default_limits;
	server->clients = client_count_new(server->limits.max_per_client);
	server->handler = handler;
	server->context = context;
	server->scratch = x_malloc(HTTP_SCRATCH);
	server->accepting = true;
	TAILQ_INIT(&server->all);
	TAILQ_INIT(&server->idle);
	server->tick = event_new(base, -1, EV_PERSIST, on_tick, server);
	server->stopped_event = event_new(base, -1, 0, on_stopped, server);
	if (server->tick == NULL || server->stopped_event == NULL)
		abort(); /* for want of memory */
	event_add(server->tick, &tick);
	return server;
}

static bool
is_unix_socket(int fd)
{
	int domain;
	socklen_t len = sizeof(domain);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 &&
	    domain == AF_UNIX;
}

int
http_server_listen(struct http_server *server, int fd, struct tls_server *tls,
    int door_number, unsigned flags)
{
	struct http_door *door = &server->door[server->doors];

	if (server->doors == HTTP_DOORS_MAX || server->stopping ||
	    (tls == NULL && !is_unix_socket(fd)))
		return -1;
	door->server = server;
	door->tls = tls;
	door->number = door_number;
	door->flags = flags;
	door->event =
	    event_new(server->base, fd, EV_READ | EV_PERSIST, on_accept, door);
	if (door->event == NULL)
		abort(); /* for want of memory */
	if (server->accepting)
		event_add(door->event, NULL);
	server->doors++;
	return 0;
}

static void
close_doors(struct http_server *server)
{
	int fd;

	while (server->doors > 0) {
		server->doors--;
		fd = event_get_fd(server->door[server->doors].event);
		event_free(server->door[server->doors].event);
		close(fd);
	}
}

void
http_server_stop(struct http_server *server, unsigned deadline_ms,
    void (*stopped)(void *arg), void *arg)
{
	if (server->stopping)
		return;
	server->stopping = true;
	server->stop_at = clock_monotonic_ms() + deadline_ms;
	server->stopped = stopped;
	server->stopped_arg = arg;
	close_doors(server);
	/* The rest is for the tick: a handler may have called us. */
	event_active(server->tick, EV_TIMEOUT, 0);
	if (server->stats.connections == 0)
		event_active(server->stopped_event, EV_TIMEOUT, 0);
}

void
http_server_free(struct http_server **server)
{
	struct http_server *s = *server;

	if (s == NULL)
		return;
	s->stopping = true;
	close_doors(s);
	while (!TAILQ_EMPTY(&s->all))
		http_connection_free(TAILQ_FIRST(&s->all));
	event_free(s->tick);
	event_free(s->stopped_event);
	client_count_free(&s->clients);
	free(s->spare_chunk);
	free(s->scratch);
	x_free(server);
}

void
http_server_get_stats(const struct http_server *server,
    struct http_server_stats *stats_r)
{
	*stats_r = server->stats;
}
