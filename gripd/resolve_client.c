/* SPDX-License-Identifier: ISC
 *
 * Connections of the resolver's clients. Reads hostile packets, one at a time
 * and at most 64 KiB. Nothing here can end the daemon: the worst a client
 * gets is the end of its connection.
 */
#include "resolve_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "grip_protocol.h"
#include "log.h"
#include "memory.h"
#include "resolve_cargomail.h"
#include "resolve_names.h"
#include "resolve_verify.h"
#include "unix_socket.h"

struct packet {
	STAILQ_ENTRY(packet) entry;
	char *text;
};

struct resolve_client {
	struct resolve_world *world;
	enum peer peer;
	int fd;
	struct event *readable, *writable;
	bool greeted; /* its hello was good */
	bool busy; /* a packet is being read: free later */
	bool dead;
	size_t in_flight;
	TAILQ_HEAD(, resolve_request) requests;
	STAILQ_HEAD(, packet) packets; /* answers that found no room */
	void (*gone)(void *arg);
	void *arg;
	char buffer[GRIP_PROTOCOL_PACKET_MAX];
};

static const struct {
	const char *verb;
	void (*start)(struct resolve_request *request);
} handlers[] = {
	{ "verify", resolve_verify_start },
	{ "addresses", resolve_addresses_start },
	{ "keys", resolve_keys_start },
	{ "cargomail", resolve_cargomail_start },
};

#define HANDLER_COUNT (sizeof(handlers) / sizeof(handlers[0]))

/* ---- the end ---- */

static void
free_request(struct resolve_request *request)
{
	TAILQ_REMOVE(&request->client->requests, request, entry);
	request->client->in_flight--;
	if (request->release != NULL)
		request->release(request);
	cJSON_Delete(request->json);
	free(request);
}

void
resolve_client_free(struct resolve_client **client)
{
	struct resolve_client *c = *client;
	struct packet *packet;

	if (c == NULL)
		return;
	while (!TAILQ_EMPTY(&c->requests))
		free_request(TAILQ_FIRST(&c->requests));
	while ((packet = STAILQ_FIRST(&c->packets)) != NULL) {
		STAILQ_REMOVE_HEAD(&c->packets, entry);
		free(packet->text);
		free(packet);
	}
	event_free(c->readable);
	event_free(c->writable);
	close(c->fd);
	x_free(client);
}

/* While one of its packets is being read, the reader frees it. */
static void
drop(struct resolve_client *client)
{
	void (*gone)(void *) = client->gone;
	void *arg = client->arg;

	client->dead = true;
	if (client->busy)
		return;
	resolve_client_free(&client);
	if (gone != NULL)
		gone(arg);
}

static void
drop_garbage(struct resolve_client *client, const char *text)
{
	struct log_line line;

	log_begin(&line, LOG_WARNING, "-", "drop");
	log_string(&line, LOG_KEY_CLIENT, peer_user(client->peer));
	log_string(&line, LOG_KEY_DETAIL, text);
	log_end(&line);
	drop(client);
}

/* ---- sending ---- */

static bool
is_full(const struct resolve_client *client)
{
	return !STAILQ_EMPTY(&client->packets) ||
	    client->in_flight >= client->world->requests_max;
}

static void
update_events(struct resolve_client *client)
{
	if (is_full(client))
		event_del(client->readable);
	else
		event_add(client->readable, NULL);
	if (STAILQ_EMPTY(&client->packets))
		event_del(client->writable);
	else
		event_add(client->writable, NULL);
}

/* Sends now or queues; takes `text` over. False if the connection is gone. */
static bool
send_packet(struct resolve_client *client, char *text)
{
	struct packet *packet;

	if (STAILQ_EMPTY(&client->packets)) {
		if (unix_socket_send(client->fd, text, strlen(text)) == 0) {
			free(text);
			return true;
		}
		if (errno != EAGAIN) {
			free(text);
			return false;
		}
	}
	packet = x_calloc(1, sizeof(*packet));
	packet->text = text;
	STAILQ_INSERT_TAIL(&client->packets, packet, entry);
	return true;
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct resolve_client *client = arg;
	struct packet *packet;

	(void)what;
	while ((packet = STAILQ_FIRST(&client->packets)) != NULL) {
		if (unix_socket_send(fd, packet->text, strlen(packet->text)) !=
		    0) {
			if (errno != EAGAIN) {
				drop(client);
				return;
			}
			break;
		}
		STAILQ_REMOVE_HEAD(&client->packets, entry);
		free(packet->text);
		free(packet);
	}
	update_events(client);
}

void
resolve_request_finish(struct resolve_request *request, enum outcome outcome,
    const struct reason *why, cJSON *fields)
{
	struct resolve_client *client = request->client;
	struct reason large;
	char *text;

	text = grip_protocol_answer_format(request->id, outcome, why, fields);
	if (text == NULL) {
		reason_set(&large, OUTCOME_TEMPFAIL, "internal",
		    "the answer does not fit into a packet");
		text = grip_protocol_answer_format(request->id,
		    OUTCOME_TEMPFAIL, &large, NULL);
	}
	free_request(request);
	if (text == NULL)
		abort(); /* out of memory */
	if (!send_packet(client, text))
		drop(client);
	else if (!client->busy)
		update_events(client);
}

/* ---- reading ---- */

static void
dispatch(struct resolve_client *client, int64_t id, const char *verb,
    cJSON *json)
{
	struct resolve_request *request = x_calloc(1, sizeof(*request));
	struct reason why;

	request->world = client->world;
	request->client = client;
	request->peer = client->peer;
	request->id = id;
	request->json = json;
	TAILQ_INSERT_TAIL(&client->requests, request, entry);
	client->in_flight++;
	for (size_t i = 0; i < HANDLER_COUNT; i++)
		if (strcmp(handlers[i].verb, verb) == 0) {
			handlers[i].start(request);
			return;
		}
	resolve_request_finish(request,
	    reason_set(&why, OUTCOME_PERMFAIL, "form", "unknown verb"), &why,
	    NULL);
}

static void
read_hello(struct resolve_client *client, size_t len)
{
	struct reason why;
	char *text;

	if (grip_protocol_hello_parse(GRIP_PROTOCOL_RESOLVE, client->buffer,
		len, &why) != OUTCOME_OK) {
		text = grip_protocol_error_format(why.text);
		if (text != NULL)
			unix_socket_send(client->fd, text, strlen(text));
		free(text);
		drop_garbage(client, why.text);
		return;
	}
	client->greeted = true;
	text = grip_protocol_hello_format(GRIP_PROTOCOL_RESOLVE);
	if (text == NULL || !send_packet(client, text))
		drop(client);
}

static void
read_request(struct resolve_client *client, size_t len)
{
	struct grip_protocol_request request;
	struct reason why;
	enum outcome outcome;
	char *text;

	outcome = grip_protocol_request_parse(GRIP_PROTOCOL_RESOLVE,
	    client->buffer, len, &request, &why);
	if (outcome == OUTCOME_OK) {
		dispatch(client, request.id, request.verb->name, request.json);
		return;
	}
	if (request.id < 0) {
		drop_garbage(client, why.text);
		return;
	}
	text = grip_protocol_answer_format(request.id, outcome, &why, NULL);
	if (text == NULL || !send_packet(client, text))
		drop(client);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct resolve_client *client = arg;
	ssize_t len;

	(void)what;
	len = unix_socket_receive(fd, client->buffer, sizeof(client->buffer));
	if (len == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	client->busy = true;
	if (len == -1 && errno == EMSGSIZE)
		drop_garbage(client, "a packet above the limit");
	else if (len <= 0)
		drop(client);
	else if (client->greeted)
		read_request(client, (size_t)len);
	else
		read_hello(client, (size_t)len);
	client->busy = false;
	if (client->dead)
		drop(client);
	else
		update_events(client);
}

struct resolve_client *
resolve_client_new(struct resolve_world *world, int fd, enum peer peer,
    void (*gone)(void *arg), void *arg)
{
	struct resolve_client *client = x_calloc(1, sizeof(*client));

	client->world = world;
	client->peer = peer;
	client->fd = fd;
	client->gone = gone;
	client->arg = arg;
	TAILQ_INIT(&client->requests);
	STAILQ_INIT(&client->packets);
	client->readable = event_new(world->base, fd, EV_READ | EV_PERSIST,
	    on_readable, client);
	client->writable = event_new(world->base, fd, EV_WRITE | EV_PERSIST,
	    on_writable, client);
	if (client->readable == NULL || client->writable == NULL)
		abort(); /* out of memory, as x_calloc */
	event_add(client->readable, NULL);
	return client;
}
