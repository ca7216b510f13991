/* SPDX-License-Identifier: ISC
 *
 * Accepting and forking: see connection.h.
 */
#include "connection.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capability.h"
#include "child.h"
#include "clock.h"
#include "inbound.h"
#include "lmtp_session.h"
#include "log.h"
#include "memory.h"
#include "outbound.h"
#include "peer_list.h"
#include "unix_socket.h"

#define IDLE_MS 300000 /* of a connection that Postfix keeps open */

struct listener {
	struct connection_list *list;
	enum connection_kind kind;
	int fd; /* -1: none */
	struct event *event;
};

struct connection_list {
	struct connection_options options;
	struct listener listeners[CONNECTION_KINDS];
	struct event *child_event;
	pid_t *children; /* 0: free */
	size_t max, count;
};

/* A message in our hands is brought to its end, within connection_stop's
 * time; a connection that Postfix only keeps open may end at once. */
static void
set_busy(bool is_busy)
{
	signal(SIGTERM, is_busy ? SIG_IGN : SIG_DFL);
}

/* What a child works with. */
struct work {
	struct recipient_step step;
	struct inbound inbound;
	struct outbound outbound;
};

/* What is done with a message, by the socket that it came by. */
static const struct {
	void (*deliver)(void *context, struct envelope *envelope,
	    const char *message, size_t len);
	size_t context; /* in struct work */
} steps[CONNECTION_KINDS] = {
	[CONNECTION_IN] = { inbound_deliver, offsetof(struct work, inbound) },
	[CONNECTION_OUT] = { outbound_deliver,
	    offsetof(struct work, outbound) },
};

static void
open_work(struct work *work, const struct connection_options *options)
{
	const struct broker_config *config = options->config;

	work->step = (struct recipient_step){
		.config = config,
		.map = options->map,
		.metrics = options->metrics,
		.notify = notify_new(config, options->breaker),
		.notify_send = notify_send,
		.now = clock_now,
		.release = {
			.config = config,
			.breaker = options->breaker,
			.spool = CONNECTION_SPOOL,
			.source = &release_fetch_source,
			.now = clock_now,
		},
	};
	work->step.release.context = work->step.notify;
	work->inbound = (struct inbound){
		.step = &work->step,
		.smtp_send = smtp_client_send,
		.probe = options->probe,
	};
	work->outbound = (struct outbound){
		.step = &work->step,
		.origins = options->origins,
		.secret = options->secret,
		.capabilities =
		    capability_new(peer_socket_path(PEER_RESOLVE, PEER_BROKER),
			(int)config->gripd_timeout * 1000),
		.origin = {
			.origin = origin_new(config, options->breaker),
			.put = origin_put,
			.share = origin_share,
			.withdraw = origin_withdraw,
			.web = origin_web,
		},
		.ask = capability_find,
		.smtp_send = smtp_client_send,
	};
}

static void
close_work(struct work *work)
{
	origin_free(&work->outbound.origin.origin);
	capability_free(&work->outbound.capabilities);
	notify_free(&work->step.notify);
}

/* The child's whole life: one connection. */
static void
serve(const struct listener *listener, int fd)
{
	const struct connection_options *options = &listener->list->options;
	struct work work;
	struct lmtp_session_options session = {
		.hostname = options->config->hostname,
		.spool = CONNECTION_SPOOL,
		.max_size = options->config->max_message_size,
		.timeout_ms = IDLE_MS,
		.deliver = steps[listener->kind].deliver,
		.context = (char *)&work + steps[listener->kind].context,
		.busy = set_busy,
	};

	open_work(&work, options);
	lmtp_session_run(fd, &session);
	close_work(&work);
}

static int
spawn(const struct listener *listener, int fd)
{
	struct connection_list *list = listener->list;
	size_t slot = 0;
	pid_t child;

	while (list->children[slot] != 0)
		slot++;
	child = child_fork(fd);
	if (child == 0) {
		serve(listener, CHILD_FD);
		_exit(0);
	}
	if (child < 0)
		return -1;
	list->children[slot] = child;
	list->count++;
	return 0;
}

/* Accepts, or leaves whoever comes in the queue, on every socket. */
static void
set_accepting(struct connection_list *list, bool is_on)
{
	for (size_t i = 0; i < CONNECTION_KINDS; i++) {
		if (list->listeners[i].fd < 0)
			continue;
		if (is_on)
			event_add(list->listeners[i].event, NULL);
		else
			event_del(list->listeners[i].event);
	}
}

static void
on_accept(evutil_socket_t socket, short what, void *arg)
{
	const struct listener *listener = arg;
	struct connection_list *list = listener->list;
	int fd = accept4(socket, NULL, NULL, SOCK_CLOEXEC);
	uid_t uid;

	(void)what;
	if (fd < 0)
		return;
	if (unix_socket_peer(fd, &uid) < 0 ||
	    (list->options.peer != CONNECTION_ANY_PEER &&
		uid != list->options.peer && uid != 0))
		log_text(LOG_WARNING, "-", "refused",
		    "connection of uid %d on the LMTP socket", (int)uid);
	else if (spawn(listener, fd) < 0)
		log_text(LOG_ERROR, "-", "fork", "%s", strerror(errno));
	close(fd);
	if (list->count == list->max)
		set_accepting(list, false);
}

static void
log_death(pid_t pid, int status)
{
	struct log_line line;

	if (status == 0 || (WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM))
		return;
	log_begin(&line, LOG_ERROR, "-", "died");
	log_number(&line, LOG_KEY_PID, pid);
	if (WIFSIGNALED(status))
		log_string(&line, LOG_KEY_DETAIL, strsignal(WTERMSIG(status)));
	else
		log_number(&line, LOG_KEY_STATUS, WEXITSTATUS(status));
	log_end(&line);
}

static void
reap(struct connection_list *list)
{
	pid_t pid;
	int status;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		log_death(pid, status);
		for (size_t i = 0; i < list->max; i++)
			if (list->children[i] == pid) {
				list->children[i] = 0;
				list->count--;
			}
	}
}

static void
on_child(evutil_socket_t number, short what, void *arg)
{
	struct connection_list *list = arg;

	(void)number;
	(void)what;
	reap(list);
	if (list->count < list->max)
		set_accepting(list, true);
}

static void
listen_on(struct connection_list *list, struct event_base *base, int fd,
    enum connection_kind kind)
{
	struct listener *listener = &list->listeners[kind];

	listener->list = list;
	listener->kind = kind;
	listener->fd = fd;
	if (fd < 0)
		return;
	listener->event =
	    event_new(base, fd, EV_READ | EV_PERSIST, on_accept, listener);
	if (listener->event == NULL || event_add(listener->event, NULL) < 0)
		log_panic("cannot watch a socket");
}

struct connection_list *
connection_start(struct event_base *base, const int fds[CONNECTION_KINDS],
    const struct connection_options *options)
{
	struct connection_list *list = x_calloc(1, sizeof(*list));

	list->options = *options;
	list->max = (size_t)options->config->max_connections;
	list->children = x_calloc(list->max, sizeof(*list->children));
	for (int kind = 0; kind < CONNECTION_KINDS; kind++)
		listen_on(list, base, fds[kind], (enum connection_kind)kind);
	list->child_event = evsignal_new(base, SIGCHLD, on_child, list);
	if (list->child_event == NULL || event_add(list->child_event, NULL) < 0)
		log_panic("cannot watch children");
	return list;
}

void
connection_stop(struct connection_list **list, int seconds)
{
	struct connection_list *old = *list;
	int64_t deadline = clock_monotonic_ms() + seconds * 1000;

	if (old == NULL)
		return;
	for (size_t i = 0; i < CONNECTION_KINDS; i++) {
		if (old->listeners[i].fd < 0)
			continue;
		event_free(old->listeners[i].event);
		close(old->listeners[i].fd);
	}
	event_free(old->child_event);
	while (old->count > 0 && clock_monotonic_ms() < deadline) {
		/* Again and again: a busy child does not hear it. */
		for (size_t i = 0; i < old->max; i++)
			if (old->children[i] != 0)
				kill(old->children[i], SIGTERM);
		usleep(10000);
		reap(old);
	}
	for (size_t i = 0; i < old->max; i++)
		if (old->children[i] != 0) {
			kill(old->children[i], SIGKILL);
			waitpid(old->children[i], NULL, 0);
		}
	free(old->children);
	x_free(list);
}

size_t
connection_count(const struct connection_list *list)
{
	return list->count;
}
