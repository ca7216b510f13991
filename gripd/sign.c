/* SPDX-License-Identifier: ISC
 *
 * The signer's loop: sockets, connections, the admin's status. What packets
 * mean is sign_answer's. One packet a turn of the loop for each connection,
 * so that a client with many requests does not hold up the others; a client
 * that does not take its answers is dropped.
 */
#include "sign.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/event.h>

#include "clock.h"
#include "control.h"
#include "daemon.h"
#include "log.h"
#include "memory.h"
#include "metrics_verb.h"
#include "peer_list.h"
#include "sign_admin.h"
#include "sign_answer.h"
#include "sign_fence.h"
#include "sign_metrics.h"
#include "sign_ring.h"
#include "unix_socket.h"

/* The broker has a process for each LMTP connection of Postfix. */
#define SIGN_CONNECTIONS_MAX 512 /* for each client */

struct sign_door {
	struct sign *sign;
	struct peer_listener listener;
	struct sign_caller caller;
	struct event *event;
	size_t connections;
};

struct sign_connection {
	LIST_ENTRY(sign_connection) link;
	struct sign_door *door;
	struct event *event;
	int fd;
	bool greeted;
};

struct sign {
	struct sign_ring *ring;
	struct metrics *metrics;
	struct sign_door doors[PEER_LISTENERS_MAX];
	size_t door_count;
	int control_fd;
	struct control *control;
	struct event_base *base;
	struct event *signals[3];
	LIST_HEAD(, sign_connection) connections;
};

/* ---- before privileges are dropped ---- */

static struct sign_ring *
sign_open_ring(const struct gripd_config *config, char **error_r)
{
	return sign_ring_open(config->policy_file, config->keys_directory,
	    getenv("CREDENTIALS_DIRECTORY"), error_r);
}

int
sign_check(const struct gripd_config *config, char **error_r)
{
	struct sign_ring *ring = sign_open_ring(config, error_r);

	if (ring == NULL)
		return -1;
	*error_r = NULL;
	for (size_t i = 0; *error_r == NULL && i < ring->policy.count; i++)
		if (ring->items[i].missing != NULL)
			*error_r = x_strdup(ring->items[i].missing);
	sign_ring_close(&ring);
	return *error_r == NULL ? 0 : -1;
}

static enum grip_role
sign_role(enum peer client)
{
	static const enum grip_role roles[PEER_COUNT] = {
		[PEER_BROKER] = GRIP_ROLE_BROKER,
		[PEER_RETRIEVAL] = GRIP_ROLE_AGENT,
		[PEER_MAILBOX] = GRIP_ROLE_MAILBOX,
	};

	/* The zero of the others is a role too: they must never get here. */
	if (client != PEER_BROKER && client != PEER_RETRIEVAL &&
	    client != PEER_MAILBOX)
		log_panic("no role for client %d of the signer", (int)client);
	return roles[client];
}

static void
sign_close(struct sign **sign)
{
	if (*sign == NULL)
		return;
	for (size_t i = 0; i < (*sign)->door_count; i++)
		close((*sign)->doors[i].listener.fd);
	if ((*sign)->control == NULL && (*sign)->control_fd != -1)
		close((*sign)->control_fd);
	sign_ring_close(&(*sign)->ring);
	metrics_free(&(*sign)->metrics);
	x_free(sign);
}

struct sign *
sign_open(const struct gripd_config *config, char **error_r)
{
	struct peer_listener listeners[PEER_LISTENERS_MAX];
	struct sign *sign = x_calloc(1, sizeof(*sign));

	sign->control_fd = -1;
	sign->metrics = metrics_new("gripd-sign", sign_metrics, clock_now());
	sign->ring = sign_open_ring(config, error_r);
	if (sign->ring == NULL ||
	    peer_list_listen(PEER_SIGN, config->base_directory, listeners,
		&sign->door_count, error_r) != 0) {
		sign_close(&sign);
		return NULL;
	}
	for (size_t i = 0; i < sign->door_count; i++) {
		struct sign_door *door = &sign->doors[i];

		door->sign = sign;
		door->listener = listeners[i];
		door->caller.ring = sign->ring;
		door->caller.role = sign_role(listeners[i].route->client);
		door->caller.user = peer_user(listeners[i].route->client);
		door->caller.metrics = sign->metrics;
	}
	sign->control_fd = control_listen("gripd-sign", error_r);
	if (sign->control_fd == -1)
		sign_close(&sign);
	return sign;
}

/* ---- connections ---- */

static void
sign_connection_free(struct sign_connection *connection)
{
	connection->door->connections--;
	LIST_REMOVE(connection, link);
	event_free(connection->event);
	close(connection->fd);
	free(connection);
}

/* True if the client may go on. A hello that is refused is told why. */
static bool
sign_greet(struct sign_connection *connection, const char *packet, size_t len)
{
	struct reason why;
	char *answer;
	bool ok;

	ok = grip_protocol_hello_parse(GRIP_PROTOCOL_SIGN, packet, len, &why) ==
	    OUTCOME_OK;
	answer = ok ? grip_protocol_hello_format(GRIP_PROTOCOL_SIGN) :
		      grip_protocol_error_format("this is grip-sign version 1");
	if (!ok)
		log_text(LOG_WARNING, "-", "refuse", "%s: %s",
		    connection->door->caller.user, why.text);
	if (answer == NULL ||
	    unix_socket_send(connection->fd, answer, strlen(answer)) != 0)
		ok = false;
	free(answer);
	connection->greeted = ok;
	return ok;
}

static bool
sign_serve_packet(struct sign_connection *connection, const char *packet,
    size_t len)
{
	char *answer;
	bool ok;

	if (!connection->greeted)
		return sign_greet(connection, packet, len);
	answer =
	    sign_answer(&connection->door->caller, packet, len, clock_now());
	if (answer == NULL)
		return false;
	/* Not taken because its buffer is full is as bad as gone. */
	ok = unix_socket_send(connection->fd, answer, strlen(answer)) == 0;
	free(answer);
	return ok;
}

static void
sign_on_packet(evutil_socket_t fd, short what, void *arg)
{
	struct sign_connection *connection = arg;
	char packet[GRIP_PROTOCOL_PACKET_MAX];
	ssize_t n;

	(void)what;
	n = unix_socket_receive(fd, packet, sizeof(packet));
	if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return;
	if (n <= 0 || !sign_serve_packet(connection, packet, (size_t)n))
		sign_connection_free(connection);
}

static void
sign_on_connect(evutil_socket_t listening, short what, void *arg)
{
	struct sign_connection *connection;
	struct sign_door *door = arg;
	int fd = peer_list_accept(&door->listener);

	(void)listening;
	(void)what;
	if (fd == -1)
		return;
	if (door->connections >= SIGN_CONNECTIONS_MAX) {
		log_text(LOG_WARNING, "-", "refuse",
		    "%s has too many connections", door->caller.user);
		close(fd);
		return;
	}
	connection = x_calloc(1, sizeof(*connection));
	connection->door = door;
	connection->fd = fd;
	connection->event = event_new(door->sign->base, fd,
	    EV_READ | EV_PERSIST, sign_on_packet, connection);
	LIST_INSERT_HEAD(&door->sign->connections, connection, link);
	door->connections++;
	event_add(connection->event, NULL);
}

/* ---- admin ---- */

static void
sign_set_gauges(const struct sign *sign)
{
	int64_t connections = 0;

	for (size_t i = 0; i < sign->door_count; i++)
		connections += (int64_t)sign->doors[i].connections;
	metrics_set(sign->metrics, SIGN_CONNECTIONS, NULL, connections);
	metrics_set(sign->metrics, SIGN_EXPIRY, NULL,
	    sign_admin_expiry(sign->ring));
}

static void
sign_show_metrics(void *context, struct control_connection *connection,
    const cJSON *request)
{
	const struct sign *sign = context;

	(void)request;
	sign_set_gauges(sign);
	metrics_verb_reply(sign->metrics, connection);
}

static void
sign_status(void *context, struct control_connection *connection,
    const cJSON *request)
{
	const struct sign *sign = context;

	(void)request;
	sign_set_gauges(sign);
	sign_admin_status(sign->ring, metrics_status(sign->metrics),
	    connection);
}

static void
sign_identities(void *context, struct control_connection *connection,
    const cJSON *request)
{
	const struct sign *sign = context;

	(void)request;
	sign_admin_identities(sign->ring, connection);
}

static const struct control_verb sign_control_verbs[] = {
	{ "status", sign_status },
	{ "metrics", sign_show_metrics },
	{ "identities", sign_identities },
	{ NULL, NULL },
};

/* ---- the loop ---- */

static void
sign_on_reload(evutil_socket_t number, short what, void *arg)
{
	struct sign *sign = arg;
	size_t kept;

	(void)number;
	(void)what;
	kept = sign_ring_reload(sign->ring);
	log_text(LOG_INFO, "-", "reload",
	    "%zu certificate chains read, %zu left as they were",
	    sign->ring->policy.count - kept, kept);
}

static void
sign_on_stop(evutil_socket_t number, short what, void *arg)
{
	struct sign *sign = arg;

	(void)number;
	(void)what;
	event_base_loopbreak(sign->base);
}

/* A kernel without Landlock leaves what the chroot and the uid give. */
static int
sign_raise_fence(const struct sign *sign)
{
	int fds[2];
	size_t count = key_files_directories(sign->ring->files, fds);

	if (sign_fence_raise(fds, count) == 0)
		return 0;
	if (errno == ENOSYS || errno == EOPNOTSUPP) {
		log_text(LOG_WARNING, "-", "start",
		    "the kernel has no Landlock");
		return 0;
	}
	log_text(LOG_ERROR, "-", "start", "Landlock: %s", strerror(errno));
	return -1;
}

/* They are not shown to the daemons whose they are until a reload. */
static void
sign_tell_missing(const struct sign *sign)
{
	struct log_line line;

	for (size_t i = 0; i < sign->ring->policy.count; i++) {
		const struct sign_identity *item = &sign->ring->items[i];

		if (item->missing == NULL)
			continue;
		log_begin(&line, LOG_WARNING, "-", "wait");
		log_string(&line, LOG_KEY_IDENTITY, item->shown.name);
		log_string(&line, LOG_KEY_DETAIL, item->missing);
		log_end(&line);
	}
}

static void
sign_start(struct sign *sign)
{
	LIST_INIT(&sign->connections);
	for (size_t i = 0; i < sign->door_count; i++) {
		struct sign_door *door = &sign->doors[i];

		door->event = event_new(sign->base, door->listener.fd,
		    EV_READ | EV_PERSIST, sign_on_connect, door);
		event_add(door->event, NULL);
	}
	sign->control = control_start(sign->base, sign->control_fd,
	    sign_control_verbs, sign);
	sign->signals[0] =
	    evsignal_new(sign->base, SIGHUP, sign_on_reload, sign);
	sign->signals[1] =
	    evsignal_new(sign->base, SIGTERM, sign_on_stop, sign);
	sign->signals[2] = evsignal_new(sign->base, SIGINT, sign_on_stop, sign);
	for (size_t i = 0; i < 3; i++)
		event_add(sign->signals[i], NULL);
}

static void
sign_stop(struct sign *sign)
{
	struct sign_connection *connection;

	while ((connection = LIST_FIRST(&sign->connections)) != NULL)
		sign_connection_free(connection);
	for (size_t i = 0; i < sign->door_count; i++)
		event_free(sign->doors[i].event);
	for (size_t i = 0; i < 3; i++)
		event_free(sign->signals[i]);
	control_stop(&sign->control);
	sign->control_fd = -1; /* was the control module's */
	event_base_free(sign->base);
}

int
sign_serve(struct sign **sign)
{
	(*sign)->base = event_base_new();
	if ((*sign)->base == NULL || sign_raise_fence(*sign) != 0) {
		if ((*sign)->base != NULL)
			event_base_free((*sign)->base);
		sign_close(sign);
		return EX_OSERR;
	}
	sign_start(*sign);
	log_text(LOG_INFO, "-", "start", "%zu identities",
	    (*sign)->ring->policy.count);
	sign_tell_missing(*sign);
	daemon_notify_ready((*sign)->base);
	event_base_dispatch((*sign)->base);
	daemon_notify_stopping();
	sign_stop(*sign);
	sign_close(sign);
	return EX_OK;
}
