/* SPDX-License-Identifier: ISC
 *
 * Accepting and forking: see connection.h.
 */
#include "connection.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "inbound.h"
#include "lmtp_session.h"
#include "log.h"
#include "memory.h"
#include "unix_socket.h"

#define IDLE_MS 300000 /* of a connection that Postfix keeps open */

struct connection_list {
	struct connection_options options;
	int fd;
	struct event *accept_event, *child_event;
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

/* The child's whole life: one connection. */
static void
serve(const struct connection_options *options, int fd)
{
	const struct broker_config *config = options->config;
	struct recipient_step step = {
		.config = config,
		.map = options->map,
		.breaker = options->breaker,
		.notify = notify_new(config, options->breaker),
		.notify_send = notify_send,
		.now = clock_now,
	};
	struct inbound inbound = {
		.step = &step,
		.smtp_send = smtp_client_send,
	};
	struct lmtp_session_options session = {
		.hostname = config->hostname,
		.spool = "/spool",
		.max_size = config->max_message_size,
		.timeout_ms = IDLE_MS,
		.deliver = inbound_deliver,
		.context = &inbound,
		.busy = set_busy,
	};

	lmtp_session_run(fd, &session);
	notify_free(&step.notify);
}

/* Signals as for a program of its own, and nothing of the parent's open but
 * the connection and standard error. */
static void
become_child(const struct connection_list *list, int fd, pid_t parent)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };
	sigset_t none;

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent || dup2(fd, 3) < 0 ||
	    close_range(4, ~0U, 0) < 0)
		_exit(1);
	serve(&list->options, 3);
	_exit(0);
}

static int
spawn(struct connection_list *list, int fd)
{
	pid_t parent = getpid(), child;
	size_t slot = 0;

	while (list->children[slot] != 0)
		slot++;
	child = fork();
	if (child == 0)
		become_child(list, fd, parent);
	if (child < 0)
		return -1;
	list->children[slot] = child;
	list->count++;
	return 0;
}

static void
on_accept(evutil_socket_t listener, short what, void *arg)
{
	struct connection_list *list = arg;
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	uid_t uid;

	(void)what;
	if (fd < 0)
		return;
	if (unix_socket_peer(fd, &uid) < 0 ||
	    (list->options.peer != CONNECTION_ANY_PEER &&
		uid != list->options.peer && uid != 0))
		log_text(LOG_WARNING, "-", "refused",
		    "connection of uid %d on the LMTP socket", (int)uid);
	else if (spawn(list, fd) < 0)
		log_text(LOG_ERROR, "-", "fork", "%s", strerror(errno));
	close(fd);
	if (list->count == list->max)
		event_del(list->accept_event);
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
		event_add(list->accept_event, NULL);
}

struct connection_list *
connection_start(struct event_base *base, int fd,
    const struct connection_options *options)
{
	struct connection_list *list = x_calloc(1, sizeof(*list));

	list->options = *options;
	list->fd = fd;
	list->max = (size_t)options->config->max_connections;
	list->children = x_calloc(list->max, sizeof(*list->children));
	list->accept_event =
	    event_new(base, fd, EV_READ | EV_PERSIST, on_accept, list);
	list->child_event = evsignal_new(base, SIGCHLD, on_child, list);
	if (list->accept_event == NULL || list->child_event == NULL ||
	    event_add(list->accept_event, NULL) < 0 ||
	    event_add(list->child_event, NULL) < 0)
		log_panic("cannot watch the socket");
	return list;
}

void
connection_stop(struct connection_list **list, int seconds)
{
	struct connection_list *old = *list;
	int64_t deadline = clock_monotonic_ms() + seconds * 1000;

	if (old == NULL)
		return;
	event_free(old->accept_event);
	event_free(old->child_event);
	close(old->fd);
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
