/* SPDX-License-Identifier: ISC
 *
 * The processes of renotify: see renotify_child.h. A child sends one packet,
 * its answer; one that dies without it is a temporary failure.
 */
#include "renotify_child.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"
#include "json_strict.h"
#include "memory.h"
#include "notify.h"
#include "unix_socket.h"

#define CHILDREN_MAX 4
#define CHILD_SECONDS 290 /* cargomailctl waits for 300 */
#define ANSWER_MAX 4096

struct child {
	struct renotify_children *children;
	struct control_connection *connection; /* NULL: a free slot */
	struct event *event;
	pid_t pid;
	int fd;
};

struct renotify_children {
	struct event_base *base;
	struct renotify_options options;
	struct child list[CHILDREN_MAX];
};

struct renotify_children *
renotify_children_new(struct event_base *base,
    const struct renotify_options *options)
{
	struct renotify_children *children = x_calloc(1, sizeof(*children));

	children->base = base;
	children->options = *options;
	return children;
}

static cJSON *
compose(enum outcome outcome, const struct reason *why)
{
	cJSON *answer = cJSON_CreateObject();

	json_add_string(answer, "outcome", outcome_name(outcome));
	if (outcome != OUTCOME_OK) {
		json_add_string(answer, "reason", why->word);
		json_add_string(answer, "detail", why->text);
	}
	return answer;
}

static void
end_child(struct child *child, cJSON *answer)
{
	control_reply(child->connection, answer, 1);
	event_free(child->event);
	close(child->fd);
	child->connection = NULL;
}

void
renotify_children_free(struct renotify_children **children)
{
	struct reason why;
	size_t i;

	if (*children == NULL)
		return;
	reason_set(&why, OUTCOME_TEMPFAIL, "stopping", "the broker stops");
	for (i = 0; i < CHILDREN_MAX; i++) {
		if ((*children)->list[i].connection == NULL)
			continue;
		kill((*children)->list[i].pid, SIGTERM);
		end_child(&(*children)->list[i],
		    compose(OUTCOME_TEMPFAIL, &why));
	}
	x_free(children);
}

/* ---- the child ----------------------------------------------------------- */

static void
run_child(const struct renotify_options *options, const cJSON *request)
{
	struct renotify renotify = {
		.config = options->config,
		.map = options->map,
		.metrics = options->metrics,
		.notify = notify_new(options->config, options->breaker),
		.notify_send = notify_send,
		.now = clock_now(),
	};
	struct destination destination;
	struct notify_answer said;
	enum outcome outcome;
	struct reason why;
	cJSON *answer;
	char *text;

	outcome = renotify_run(&renotify, request, &said, &destination, &why);
	answer = compose(outcome, &why);
	json_add_string(answer, "message", said.message);
	json_add_string(answer, "destination", destination.url.text);
	text = json_format(answer);
	if (text != NULL)
		(void)unix_socket_send(CHILD_FD, text, strlen(text));
	free(text);
	cJSON_Delete(answer);
	notify_free(&renotify.notify);
}

/* ---- the parent ---------------------------------------------------------- */

static void
on_answer(evutil_socket_t fd, short what, void *arg)
{
	struct child *child = arg;
	char packet[ANSWER_MAX];
	cJSON *answer = NULL;
	struct reason why;
	ssize_t len = 0;

	if (what & EV_TIMEOUT)
		kill(child->pid, SIGKILL);
	else
		len = unix_socket_receive(fd, packet, sizeof(packet));
	if (len > 0)
		answer = json_parse(packet, (size_t)len, NULL);
	if (answer == NULL) {
		reason_set(&why, OUTCOME_TEMPFAIL, "died",
		    "the process that notifies %s",
		    what & EV_TIMEOUT ? "took too long" : "died");
		answer = compose(OUTCOME_TEMPFAIL, &why);
	}
	end_child(child, answer);
}

static int
start_child(struct child *child, const cJSON *request)
{
	const struct timeval patience = { CHILD_SECONDS, 0 };
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return -1;
	child->pid = child_fork(fds[1]);
	if (child->pid == 0) {
		run_child(&child->children->options, request);
		_exit(0);
	}
	close(fds[1]);
	if (child->pid < 0) {
		close(fds[0]);
		return -1;
	}
	child->fd = fds[0];
	child->event =
	    event_new(child->children->base, fds[0], EV_READ, on_answer, child);
	event_add(child->event, &patience);
	return 0;
}

void
renotify_children_serve(struct renotify_children *children,
    struct control_connection *connection, const cJSON *request)
{
	struct child *child = children->list;
	struct reason why;

	while (
	    child < children->list + CHILDREN_MAX && child->connection != NULL)
		child++;
	if (child == children->list + CHILDREN_MAX) {
		reason_set(&why, OUTCOME_TEMPFAIL, "busy",
		    "%d notifications are under way", CHILDREN_MAX);
		control_reply(connection, compose(OUTCOME_TEMPFAIL, &why), 1);
		return;
	}
	child->children = children;
	if (start_child(child, request) == 0) {
		child->connection = connection;
		return;
	}
	reason_set(&why, OUTCOME_TEMPFAIL, "fork", "%s", strerror(errno));
	control_reply(connection, compose(OUTCOME_TEMPFAIL, &why), 1);
}
