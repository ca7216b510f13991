/* SPDX-License-Identifier: ISC
 *
 * The admin socket. Whoever may open it is root or in cargomail-admin, but
 * what he sends is checked like everything else: strict JSON, one packet, a
 * known verb. Garbage drops the connection.
 */
#include "control.h"

#include <errno.h>
#include <grp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buffer.h"
#include "daemon.h"
#include "json_strict.h"
#include "log.h"
#include "memory.h"
#include "outcome.h"
#include "unix_socket.h"

#define CONTROL_GROUP "cargomail-admin"
#define CONTROL_MAX_CONNECTIONS 16
#define CONTROL_MAX_TEXTS 4 /* verbs that take a text */

/* A packet that the client was not ready for. */
struct packet {
	struct packet *next;
	size_t len;
	char data[];
};

struct control_connection {
	struct control *control;
	struct control_connection *next;
	struct event *event;
	struct event *writable; /* while packets wait */
	struct packet *first, **last;
	size_t waiting; /* bytes of them */
	cJSON *request; /* whose text is coming; NULL: none */
	struct buffer text;
	int fd; /* -1: the client left before its answer */
	bool busy; /* a request waits for its answer */
};

struct control {
	struct event_base *base;
	struct event *event;
	const struct control_verb *verbs;
	void *context;
	struct control_connection *connections;
	int count;
	int fd;
	struct {
		const char *verb;
		size_t max;
	} texts[CONTROL_MAX_TEXTS];
};

static char *
control_path(const char *daemon)
{
	return x_asprintf("%s/%s.sock", CONTROL_DIRECTORY, daemon);
}

int
control_listen(const char *daemon, char **error_r)
{
	struct unix_socket_owner owner = { 0, 0, 0600 };
	const struct group *group;
	char *path;
	int fd = daemon_passed_socket("control");

	if (fd != -1)
		return fd;
	group = getgrnam(CONTROL_GROUP);
	if (group != NULL) {
		owner.gid = group->gr_gid;
		owner.mode = 0660;
	}
	if (mkdir(CONTROL_DIRECTORY, 0755) != 0 && errno != EEXIST) {
		*error_r = x_asprintf("cannot make %s: %s", CONTROL_DIRECTORY,
		    strerror(errno));
		return -1;
	}
	path = control_path(daemon);
	fd = unix_socket_listen(path, SOCK_SEQPACKET, &owner);
	if (fd == -1)
		*error_r = x_asprintf("cannot listen on %s: %s", path,
		    strerror(errno));
	free(path);
	return fd;
}

static void
control_close(struct control_connection *connection)
{
	struct packet *packet;

	if (connection->fd == -1)
		return;
	event_free(connection->event);
	event_free(connection->writable);
	while ((packet = connection->first) != NULL) {
		connection->first = packet->next;
		free(packet);
	}
	cJSON_Delete(connection->request);
	connection->request = NULL;
	buffer_free(&connection->text);
	close(connection->fd);
	connection->fd = -1;
}

static void
control_free(struct control_connection *connection)
{
	struct control *control = connection->control;
	struct control_connection **at = &control->connections;

	while (*at != connection)
		at = &(*at)->next;
	*at = connection->next;
	control->count--;
	control_close(connection);
	free(connection);
}

/* A connection whose verb is still at work stays until it has answered. */
static void
control_drop(struct control_connection *connection)
{
	if (connection->busy)
		control_close(connection);
	else
		control_free(connection);
}

static void
control_refuse(struct control_connection *connection, const char *what)
{
	cJSON *answer = cJSON_CreateObject();

	json_add_string(answer, "outcome", "permfail");
	json_add_string(answer, "reason", "request");
	json_add_string(answer, "detail", what);
	control_reply(connection, answer, 1);
}

/* ---- requests ------------------------------------------------------------ */

static void
control_dispatch(struct control_connection *connection, const cJSON *request)
{
	const struct control *control = connection->control;
	const char *name = json_string(request, "verb");
	const struct control_verb *verb;

	connection->busy = true;
	for (verb = control->verbs; name != NULL && verb->name != NULL; verb++)
		if (strcmp(verb->name, name) == 0) {
			verb->handle(control->context, connection, request);
			return;
		}
	control_refuse(connection, "unknown verb");
}

/* How much text the requests of a verb may have. */
static size_t
control_text_max(const struct control *control, const char *verb)
{
	size_t i;

	for (i = 0; i < CONTROL_MAX_TEXTS; i++)
		if (verb != NULL && control->texts[i].verb != NULL &&
		    strcmp(control->texts[i].verb, verb) == 0)
			return control->texts[i].max;
	return 0;
}

/* The text is complete. */
static void
control_end_text(struct control_connection *connection)
{
	cJSON *request = connection->request;

	connection->request = NULL;
	json_add_string(request, "text", buffer_string(&connection->text));
	buffer_free(&connection->text);
	control_dispatch(connection, request);
	cJSON_Delete(request);
}

/* Takes a packet of text. False: the connection is to be dropped. */
static bool
control_add_text(struct control_connection *connection, const cJSON *part,
    const char **error_r)
{
	const char *text = json_string(part, "text");

	*error_r = "a part without text";
	if (text == NULL)
		return false;
	*error_r = "too much text";
	if (buffer_add_string(&connection->text, text) == -1)
		return false;
	if (json_boolean(part, "more") != 1)
		control_end_text(connection);
	return true;
}

/* Takes the first packet of a request with a text. */
static bool
control_begin_text(struct control_connection *connection, cJSON *request,
    const char **error_r)
{
	size_t max =
	    control_text_max(connection->control, json_string(request, "verb"));

	*error_r = "this verb takes no text";
	if (max == 0 ||
	    cJSON_GetObjectItemCaseSensitive(request, "text") != NULL)
		return false;
	buffer_init(&connection->text, max);
	connection->request = cJSON_Duplicate(request, 1);
	if (connection->request == NULL)
		log_panic("out of memory");
	cJSON_DeleteItemFromObjectCaseSensitive(connection->request, "more");
	return true;
}

/* False: the connection is to be dropped. */
static bool
control_take(struct control_connection *connection, cJSON *request,
    const char **error_r)
{
	if (connection->request != NULL)
		return control_add_text(connection, request, error_r);
	if (json_boolean(request, "more") == 1)
		return control_begin_text(connection, request, error_r);
	control_dispatch(connection, request);
	return true;
}

static void
control_readable(evutil_socket_t fd, short what, void *arg)
{
	struct control_connection *connection = arg;
	static char packet[UNIX_PACKET_MAX];
	const char *error = NULL;
	cJSON *request = NULL;
	bool good = false;
	ssize_t len;

	(void)what;
	len = unix_socket_receive(fd, packet, sizeof(packet));
	if (len == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return;
	if (len > 0 && !connection->busy)
		request = json_parse(packet, (size_t)len, &error);
	if (request != NULL)
		good = control_take(connection, request, &error);
	cJSON_Delete(request);
	if (good)
		return;
	if (error != NULL)
		log_text(LOG_WARNING, "-", "control", "%s", error);
	control_drop(connection);
}

/* ---- connections --------------------------------------------------------- */

static void control_writable(evutil_socket_t fd, short what, void *arg);

static void
control_acceptable(evutil_socket_t fd, short what, void *arg)
{
	struct control *control = arg;
	struct control_connection *connection;
	int client;

	(void)what;
	client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (client == -1)
		return;
	if (control->count >= CONTROL_MAX_CONNECTIONS) {
		close(client);
		return;
	}
	connection = x_calloc(1, sizeof(*connection));
	connection->control = control;
	connection->fd = client;
	connection->next = control->connections;
	control->connections = connection;
	control->count++;
	connection->event = event_new(control->base, client,
	    EV_READ | EV_PERSIST, control_readable, connection);
	event_add(connection->event, NULL);
	connection->last = &connection->first;
	connection->writable = event_new(control->base, client,
	    EV_WRITE | EV_PERSIST, control_writable, connection);
}

struct control *
control_start(struct event_base *base, int fd, const struct control_verb *verbs,
    void *context)
{
	struct control *control = x_calloc(1, sizeof(*control));

	control->base = base;
	control->fd = fd;
	control->verbs = verbs;
	control->context = context;
	control->event = event_new(base, fd, EV_READ | EV_PERSIST,
	    control_acceptable, control);
	event_add(control->event, NULL);
	return control;
}

void
control_stop(struct control **control)
{
	if (*control == NULL)
		return;
	while ((*control)->connections != NULL)
		control_free((*control)->connections);
	event_free((*control)->event);
	close((*control)->fd);
	x_free(control);
}

void
control_set_text(struct control *control, const char *verb, size_t max)
{
	size_t i;

	for (i = 0; i < CONTROL_MAX_TEXTS; i++)
		if (control->texts[i].verb == NULL) {
			control->texts[i].verb = verb;
			control->texts[i].max = max;
			return;
		}
	log_panic("more verbs with a text than there is room for");
}

/* ---- answers ------------------------------------------------------------- */

/* 0 sent, 1 not now, -1 lost. */
static int
control_send(struct control_connection *connection, const char *data,
    size_t len)
{
	if (unix_socket_send(connection->fd, data, len) == 0)
		return 0;
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return 1;
	if (errno != EPIPE)
		log_text(LOG_WARNING, "-", "control", "answer lost: %s",
		    strerror(errno));
	return -1;
}

/* The client reads again. */
static void
control_writable(evutil_socket_t fd, short what, void *arg)
{
	struct control_connection *connection = arg;
	struct packet *packet;

	(void)fd;
	(void)what;
	while ((packet = connection->first) != NULL) {
		if (control_send(connection, packet->data, packet->len) == 1)
			return;
		connection->waiting -= packet->len;
		connection->first = packet->next;
		free(packet);
	}
	connection->last = &connection->first;
	event_del(connection->writable);
}

/* Keeps a packet until the client reads. */
static void
control_defer(struct control_connection *connection, const char *data,
    size_t len)
{
	struct packet *packet;

	if (connection->waiting + len > CONTROL_WAITING_MAX) {
		/* No half of an answer that looks whole: it ends here. */
		log_text(LOG_WARNING, "-", "control",
		    "answer lost: the client does not read");
		control_close(connection);
		return;
	}
	packet = x_malloc(sizeof(*packet) + len);
	packet->next = NULL;
	packet->len = len;
	memcpy(packet->data, data, len);
	*connection->last = packet;
	connection->last = &packet->next;
	connection->waiting += len;
	event_add(connection->writable, NULL);
}

void
control_reply(struct control_connection *connection, cJSON *answer, int last)
{
	char *text;
	size_t len;

	if (last) {
		json_add_boolean(answer, "last", true);
		connection->busy = false;
	}
	text = json_format(answer);
	cJSON_Delete(answer);
	len = text != NULL ? strlen(text) : 0;
	/* A client that left loses its answer. */
	if (connection->fd != -1 && text != NULL &&
	    (connection->first != NULL ||
		control_send(connection, text, len) == 1))
		control_defer(connection, text, len);
	free(text);
	if (last && connection->fd == -1)
		control_free(connection);
}

/* Some items as a packet; those that are in it leave the list. */
static cJSON *
control_take_items(const char *name, cJSON *items)
{
	cJSON *packet = cJSON_CreateObject(), *list = cJSON_CreateArray();
	size_t bytes = 0;
	cJSON *item;
	char *text;

	while ((item = cJSON_GetArrayItem(items, 0)) != NULL) {
		text = json_format(item);
		bytes += text != NULL ? strlen(text) : 0;
		free(text);
		if (bytes > CONTROL_ITEMS_MAX && cJSON_GetArraySize(list) > 0)
			break;
		cJSON_AddItemToArray(list, cJSON_DetachItemFromArray(items, 0));
	}
	json_add_item(packet, name, list);
	json_add_string(packet, "outcome", outcome_name(OUTCOME_OK));
	return packet;
}

void
control_reply_items(struct control_connection *connection, const char *name,
    cJSON *items)
{
	do
		control_reply(connection, control_take_items(name, items), 0);
	while (items->child != NULL);
	cJSON_Delete(items);
}
