/* SPDX-License-Identifier: ISC
 *
 * Our side of the pool: requests wait in order, as many as the socket takes
 * are on their way, answers are matched by id. The process is in
 * work_process.c.
 *
 *   request  {"id":N,"request":{...}}, perhaps with a descriptor
 *   answer   {"id":N,"answer":{...}}, or without "answer" if the child died
 */
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "json_strict.h"
#include "log.h"
#include "memory.h"
#include "unix_socket.h"
#include "work_pool.h"
#include "work_process.h"

struct request {
	struct request *next;
	int64_t id;
	work_pool_callback *callback; /* NULL: cancelled */
	void *arg;
	char *packet; /* NULL once sent */
	int fd;
};

struct work_pool {
	int fd;
	struct event *readable, *writable;
	struct request *first;
	unsigned count;
	int64_t last_id;
};

static void
request_unload(struct request *request)
{
	if (request->packet != NULL) {
		/* It may have held a password. */
		sodium_memzero(request->packet, strlen(request->packet));
		x_free(&request->packet);
	}
	if (request->fd != -1)
		close(request->fd);
	request->fd = -1;
}

/* Sends what the socket takes; the rest goes when it is writable again. */
static void
send_waiting(struct work_pool *pool)
{
	struct request *request;

	for (request = pool->first; request != NULL; request = request->next) {
		if (request->packet == NULL)
			continue;
		if (work_process_send(pool->fd, request->packet, request->fd) ==
		    -1) {
			if (errno != EAGAIN && errno != EINTR)
				log_fatal(75, "a work process is gone");
			event_add(pool->writable, NULL);
			return;
		}
		request_unload(request);
	}
}

static void
on_writable(evutil_socket_t fd, short events, void *arg)
{
	(void)fd;
	(void)events;
	send_waiting(arg);
}

static void
finish(struct work_pool *pool, int64_t id, const cJSON *answer)
{
	struct request **link, *request;

	for (link = &pool->first; *link != NULL; link = &(*link)->next)
		if ((*link)->id == id)
			break;
	request = *link;
	if (request == NULL)
		return;
	*link = request->next;
	pool->count--;
	if (request->callback != NULL)
		request->callback(request->arg, answer);
	request_unload(request);
	free(request);
}

static void
on_readable(evutil_socket_t fd, short events, void *arg)
{
	struct work_pool *pool = arg;
	char *packet = x_malloc(UNIX_PACKET_MAX);
	cJSON *reply;
	int64_t id;
	ssize_t len;

	(void)events;
	len = unix_socket_receive(fd, packet, UNIX_PACKET_MAX);
	if (len == 0 || (len == -1 && errno != EAGAIN && errno != EINTR))
		log_fatal(75, "a work process is gone");
	if (len > 0) {
		reply = json_parse(packet, (size_t)len, NULL);
		if (json_integer(reply, "id", 1, JSON_MAX_INTEGER, &id) == 0)
			finish(pool, id, json_object(reply, "answer"));
		cJSON_Delete(reply);
	}
	free(packet);
}

struct work_pool *
work_pool_new(struct event_base *base, int fd)
{
	struct work_pool *pool = x_calloc(1, sizeof(*pool));

	pool->fd = fd;
	pool->readable =
	    event_new(base, fd, EV_READ | EV_PERSIST, on_readable, pool);
	pool->writable = event_new(base, fd, EV_WRITE, on_writable, pool);
	if (pool->readable == NULL || pool->writable == NULL ||
	    event_add(pool->readable, NULL) == -1)
		log_panic("cannot watch a work process");
	return pool;
}

void
work_pool_free(struct work_pool **pool_p)
{
	struct work_pool *pool = *pool_p;
	struct request *request;

	if (pool == NULL)
		return;
	while ((request = pool->first) != NULL) {
		pool->first = request->next;
		request_unload(request);
		free(request);
	}
	event_free(pool->readable);
	event_free(pool->writable);
	close(pool->fd);
	x_free(pool_p);
}

int
work_pool_ask(struct work_pool *pool, cJSON *body, int fd,
    work_pool_callback *callback, void *arg)
{
	struct request **link, *request;
	cJSON *packet;

	if (pool->count >= WORK_POOL_WAITING) {
		cJSON_Delete(body);
		if (fd != -1)
			close(fd);
		return -1;
	}
	request = x_calloc(1, sizeof(*request));
	request->id = ++pool->last_id;
	request->callback = callback;
	request->arg = arg;
	request->fd = fd;
	packet = cJSON_CreateObject();
	if (json_add_integer(packet, "id", request->id) == -1 ||
	    json_add_item(packet, "request", body) == -1 ||
	    (request->packet = json_format(packet)) == NULL)
		log_panic("out of memory");
	cJSON_Delete(packet);
	for (link = &pool->first; *link != NULL; link = &(*link)->next)
		;
	*link = request;
	pool->count++;
	send_waiting(pool);
	return 0;
}

void
work_pool_cancel(struct work_pool *pool, const void *arg)
{
	struct request *request;

	for (request = pool->first; request != NULL; request = request->next)
		if (request->arg == arg)
			request->callback = NULL;
}
