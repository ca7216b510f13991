/* SPDX-License-Identifier: ISC
 *
 * Asks gripd from an event loop. Requests wait in one list until their
 * answer, time-out, or the end of the connection; those not yet sent have
 * their packet with them. Callbacks only run from the loop: what fails while
 * being asked is put aside and reported by a deferred event.
 *
 * Trust: packets of gripd go through grip_protocol.
 */
#include "local_asker.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "grip_protocol.h"
#include "json_strict.h"
#include "log.h"
#include "memory.h"
#include "unix_socket.h"

#define ASKER_BACKOFF_MIN_MS 100
#define ASKER_BACKOFF_MAX_MS 5000
#define ASKER_HELLO_MS 5000
#define ASKER_BATCH 64 /* packets read in one turn of the loop */

struct asker_request {
	TAILQ_ENTRY(asker_request) link;
	struct local_asker *asker;
	uint64_t id;
	char *packet; /* NULL once sent */
	struct event *timeout;
	local_asker_callback *callback;
	void *arg;
	struct reason failure; /* for those put aside */
};

TAILQ_HEAD(asker_list, asker_request);

enum asker_state { ASKER_IDLE, ASKER_BACKOFF, ASKER_HELLO, ASKER_READY };

struct local_asker {
	struct event_base *base;
	char *path;
	char *protocol;
	enum asker_state state;
	int fd;
	struct event *readable, *writable;
	struct event *timer; /* end of the back-off, or of the hello */
	struct event *deferred; /* reports `failed` */
	int backoff_ms;
	uint64_t last_id;
	size_t count; /* in pending and failed */
	struct asker_list pending;
	struct asker_list failed;
};

static void asker_connect(struct local_asker *asker);

/* ---- requests ---- */

static void
asker_request_free(struct asker_request *request)
{
	request->asker->count--;
	event_free(request->timeout);
	free(request->packet);
	free(request);
}

static struct asker_request *
asker_find(struct asker_list *list, uint64_t id)
{
	struct asker_request *request;

	TAILQ_FOREACH(request, list, link)
	if (request->id == id)
		return request;
	return NULL;
}

/* Takes the request off its list first: the callback may ask or cancel. */
static void
asker_finish(struct asker_list *list, struct asker_request *request,
    const cJSON *answer, const struct reason *why)
{
	local_asker_callback *callback = request->callback;
	void *arg = request->arg;

	TAILQ_REMOVE(list, request, link);
	asker_request_free(request);
	callback(arg, why->outcome, why->outcome == OUTCOME_OK ? answer : NULL,
	    why);
}

static void
asker_put_aside(struct asker_request *request, const struct reason *why)
{
	request->failure = *why;
	event_del(request->timeout);
	TAILQ_INSERT_TAIL(&request->asker->failed, request, link);
	event_active(request->asker->deferred, EV_TIMEOUT, 0);
}

/* One at a time from the head: a callback may cancel any of the others. */
static void
asker_on_deferred(evutil_socket_t fd, short what, void *arg)
{
	struct local_asker *asker = arg;
	struct asker_request *request;
	struct reason why;
	size_t turns = asker->count;

	(void)fd;
	(void)what;
	while (turns-- > 0 && (request = TAILQ_FIRST(&asker->failed)) != NULL) {
		why = request->failure;
		asker_finish(&asker->failed, request, NULL, &why);
	}
}

static void
asker_on_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct asker_request *request = arg;
	struct reason why;

	(void)fd;
	(void)what;
	reason_set(&why, OUTCOME_TEMPFAIL, "gripd", "no answer in time");
	asker_finish(&request->asker->pending, request, NULL, &why);
}

/* ---- connection ---- */

static void
asker_set_timer(struct local_asker *asker, int ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	event_add(asker->timer, &tv);
}

static void
asker_close(struct local_asker *asker)
{
	if (asker->readable != NULL)
		event_free(asker->readable);
	if (asker->writable != NULL)
		event_free(asker->writable);
	asker->readable = asker->writable = NULL;
	if (asker->fd != -1)
		close(asker->fd);
	asker->fd = -1;
	event_del(asker->timer);
}

/* The connection is over: everything pending fails, the next attempt waits.
 * Safe from anywhere, since no callback runs here. */
static void
asker_fail(struct local_asker *asker, const struct reason *why)
{
	struct asker_request *request;

	asker_close(asker);
	while ((request = TAILQ_FIRST(&asker->pending)) != NULL) {
		TAILQ_REMOVE(&asker->pending, request, link);
		asker_put_aside(request, why);
	}
	asker->state = ASKER_BACKOFF;
	asker_set_timer(asker, asker->backoff_ms);
	asker->backoff_ms *= 2;
	if (asker->backoff_ms > ASKER_BACKOFF_MAX_MS)
		asker->backoff_ms = ASKER_BACKOFF_MAX_MS;
}

static void
asker_fail_text(struct local_asker *asker, const char *word, const char *text)
{
	struct reason why;

	reason_set(&why, OUTCOME_TEMPFAIL, word, "%s: %s", asker->path, text);
	asker_fail(asker, &why);
}

static void
asker_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct local_asker *asker = arg;

	(void)fd;
	(void)what;
	if (asker->state == ASKER_HELLO) {
		asker_fail_text(asker, "gripd", "no hello in time");
		return;
	}
	asker->state = ASKER_IDLE;
	if (!TAILQ_EMPTY(&asker->pending))
		asker_connect(asker);
}

/* Sends what has not been sent, until the socket is full. */
static void
asker_flush(struct local_asker *asker)
{
	struct asker_request *request;

	TAILQ_FOREACH(request, &asker->pending, link)
	{
		if (request->packet == NULL)
			continue;
		if (unix_socket_send(asker->fd, request->packet,
			strlen(request->packet)) == 0) {
			x_free(&request->packet);
			continue;
		}
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			event_add(asker->writable, NULL);
		else
			asker_fail_text(asker, "gripd", strerror(errno));
		return;
	}
}

static void
asker_on_writable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	asker_flush(arg);
}

static void
asker_take_hello(struct local_asker *asker, const char *packet, size_t len)
{
	struct reason why;

	if (grip_protocol_hello_parse(asker->protocol, packet, len, &why) !=
	    OUTCOME_OK) {
		asker_fail(asker, &why);
		return;
	}
	event_del(asker->timer);
	asker->state = ASKER_READY;
	asker->backoff_ms = ASKER_BACKOFF_MIN_MS;
	asker_flush(asker);
}

/* An id that is not pending any more is the late answer to a request that
 * was cancelled or timed out; ids are never used again. */
static void
asker_take_answer(struct local_asker *asker, const char *packet, size_t len)
{
	struct asker_request *request;
	cJSON *answer = NULL;
	struct reason why;
	int64_t id;

	if (grip_protocol_answer_parse(packet, len, &id, &answer, &why) != 0) {
		asker_fail(asker, &why);
		return;
	}
	request = asker_find(&asker->pending, (uint64_t)id);
	if (request != NULL)
		asker_finish(&asker->pending, request, answer, &why);
	cJSON_Delete(answer);
}

static void
asker_on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct local_asker *asker = arg;
	char packet[GRIP_PROTOCOL_PACKET_MAX];
	ssize_t n;

	(void)fd;
	(void)what;
	for (int i = 0; i < ASKER_BATCH && asker->fd != -1; i++) {
		n = unix_socket_receive(asker->fd, packet, sizeof(packet));
		if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (n <= 0)
			asker_fail_text(asker, "gripd",
			    n == 0 ? "connection closed" : strerror(errno));
		else if (asker->state == ASKER_HELLO)
			asker_take_hello(asker, packet, (size_t)n);
		else
			asker_take_answer(asker, packet, (size_t)n);
	}
}

static int
asker_send_hello(struct local_asker *asker)
{
	char *hello = grip_protocol_hello_format(asker->protocol);
	int rc;

	if (hello == NULL)
		return -1;
	rc = unix_socket_send(asker->fd, hello, strlen(hello));
	free(hello);
	return rc;
}

/* connect() on a Unix socket is done at once or fails at once; only a full
 * backlog could block, so the time-out is short. */
static void
asker_connect(struct local_asker *asker)
{
	asker->fd = unix_socket_connect(asker->path, SOCK_SEQPACKET, 50);
	if (asker->fd == -1 || evutil_make_socket_nonblocking(asker->fd) != 0 ||
	    asker_send_hello(asker) != 0) {
		asker_fail_text(asker, "gripd", strerror(errno));
		return;
	}
	asker->readable = event_new(asker->base, asker->fd,
	    EV_READ | EV_PERSIST, asker_on_readable, asker);
	asker->writable = event_new(asker->base, asker->fd, EV_WRITE,
	    asker_on_writable, asker);
	event_add(asker->readable, NULL);
	asker->state = ASKER_HELLO;
	asker_set_timer(asker, ASKER_HELLO_MS);
}

/* ---- public ---- */

struct local_asker *
local_asker_new(struct event_base *base, const char *socket_path,
    const char *protocol)
{
	struct local_asker *asker = x_calloc(1, sizeof(*asker));

	asker->base = base;
	asker->path = x_strdup(socket_path);
	asker->protocol = x_strdup(protocol);
	asker->fd = -1;
	asker->backoff_ms = ASKER_BACKOFF_MIN_MS;
	TAILQ_INIT(&asker->pending);
	TAILQ_INIT(&asker->failed);
	asker->timer = event_new(base, -1, 0, asker_on_timer, asker);
	asker->deferred = event_new(base, -1, 0, asker_on_deferred, asker);
	return asker;
}

static void
asker_list_free(struct asker_list *list)
{
	struct asker_request *request;

	while ((request = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, request, link);
		asker_request_free(request);
	}
}

void
local_asker_free(struct local_asker **asker)
{
	if (*asker == NULL)
		return;
	asker_close(*asker);
	asker_list_free(&(*asker)->pending);
	asker_list_free(&(*asker)->failed);
	event_free((*asker)->timer);
	event_free((*asker)->deferred);
	free((*asker)->path);
	free((*asker)->protocol);
	x_free(asker);
}

/* NULL if it is too large. */
static char *
asker_packet(cJSON *request, uint64_t id)
{
	char *packet = NULL;

	if (request != NULL &&
	    json_add_integer(request, "id", (int64_t)id) == 0)
		packet = json_format(request);
	if (packet == NULL)
		log_panic("out of memory for a request to gripd");
	cJSON_Delete(request);
	if (strlen(packet) > GRIP_PROTOCOL_PACKET_MAX)
		x_free(&packet);
	return packet;
}

uint64_t
local_asker_ask(struct local_asker *asker, cJSON *request, int timeout_ms,
    local_asker_callback *callback, void *arg)
{
	struct timeval tv = { timeout_ms / 1000, timeout_ms % 1000 * 1000 };
	struct asker_request *entry = x_calloc(1, sizeof(*entry));
	struct reason why = { OUTCOME_OK, "", "" };

	entry->asker = asker;
	entry->id = ++asker->last_id;
	entry->packet = asker_packet(request, entry->id);
	entry->callback = callback;
	entry->arg = arg;
	entry->timeout = event_new(asker->base, -1, 0, asker_on_timeout, entry);
	asker->count++;
	if (entry->packet == NULL)
		reason_set(&why, OUTCOME_PERMFAIL, "form",
		    "the request is larger than a packet");
	else if (asker->count > LOCAL_ASKER_PENDING_MAX)
		reason_set(&why, OUTCOME_TEMPFAIL, "busy",
		    "too many requests wait for gripd");
	if (why.outcome != OUTCOME_OK) {
		asker_put_aside(entry, &why);
		return entry->id;
	}
	event_add(entry->timeout, &tv);
	TAILQ_INSERT_TAIL(&asker->pending, entry, link);
	if (asker->state == ASKER_READY)
		asker_flush(asker);
	else if (asker->state == ASKER_IDLE)
		asker_connect(asker);
	return entry->id;
}

void
local_asker_cancel(struct local_asker *asker, uint64_t id)
{
	struct asker_list *list = &asker->pending;
	struct asker_request *request = asker_find(list, id);

	if (request == NULL) {
		list = &asker->failed;
		request = asker_find(list, id);
	}
	if (request == NULL)
		return;
	TAILQ_REMOVE(list, request, link);
	asker_request_free(request);
}
