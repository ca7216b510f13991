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

#include "daemon.h"
#include "json_strict.h"
#include "log.h"
#include "memory.h"
#include "unix_socket.h"

#define CONTROL_DIRECTORY "/run/cargomail"
#define CONTROL_GROUP "cargomail-admin"
#define CONTROL_MAX_CONNECTIONS 16

struct control_connection {
	struct control *control;
	struct control_connection *next;
	struct event *event;
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
	if (connection->fd == -1)
		return;
	event_free(connection->event);
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

static void
control_readable(evutil_socket_t fd, short what, void *arg)
{
	struct control_connection *connection = arg;
	static char packet[UNIX_PACKET_MAX];
	const char *error = NULL;
	cJSON *request = NULL;
	ssize_t len;

	(void)what;
	len = unix_socket_receive(fd, packet, sizeof(packet));
	if (len == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return;
	if (len > 0 && !connection->busy)
		request = json_parse(packet, (size_t)len, &error);
	if (request == NULL) {
		if (error != NULL)
			log_text(LOG_WARNING, "-", "control", "%s", error);
		control_drop(connection);
		return;
	}
	control_dispatch(connection, request);
	cJSON_Delete(request);
}

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
control_reply(struct control_connection *connection, cJSON *answer, int last)
{
	char *text;

	if (last) {
		json_add_boolean(answer, "last", true);
		connection->busy = false;
	}
	text = json_format(answer);
	cJSON_Delete(answer);
	/* A client that does not read, or left, loses its answer. */
	if (connection->fd != -1 && text != NULL &&
	    unix_socket_send(connection->fd, text, strlen(text)) != 0 &&
	    errno != EPIPE)
		log_text(LOG_WARNING, "-", "control", "answer lost: %s",
		    strerror(errno));
	free(text);
	if (last && connection->fd == -1)
		control_free(connection);
}

bool
control_exists(const char *daemon)
{
	char *path = control_path(daemon);
	bool exists = access(path, F_OK) == 0;

	free(path);
	return exists;
}

int
control_connect(const char *daemon, int timeout_ms, char **error_r)
{
	char *path = control_path(daemon);
	int fd = unix_socket_connect(path, SOCK_SEQPACKET, timeout_ms);

	if (fd == -1)
		*error_r = x_asprintf("%s: %s", path, strerror(errno));
	free(path);
	return fd;
}

cJSON *
control_next(int fd, char **error_r)
{
	char *packet = x_malloc(UNIX_PACKET_MAX);
	const char *error = NULL;
	cJSON *answer = NULL;
	ssize_t len = unix_socket_receive(fd, packet, UNIX_PACKET_MAX);

	if (len > 0)
		answer = json_parse(packet, (size_t)len, &error);
	if (answer == NULL)
		*error_r = x_asprintf("no answer: %s",
		    len == 0		? "the daemon closed the connection" :
			error != NULL	? error :
			errno == EAGAIN ? "is it running?" :
					  strerror(errno));
	free(packet);
	return answer;
}

cJSON *
control_ask(int fd, cJSON *request, char **error_r)
{
	char *text = json_format(request);
	int rc = -1;

	cJSON_Delete(request);
	if (text != NULL)
		rc = unix_socket_send(fd, text, strlen(text));
	free(text);
	if (rc != 0) {
		*error_r = x_asprintf("cannot ask: %s", strerror(errno));
		return NULL;
	}
	return control_next(fd, error_r);
}
