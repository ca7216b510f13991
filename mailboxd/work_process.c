/* SPDX-License-Identifier: ISC
 *
 * The process behind a work_pool: takes a request when a child may be
 * forked, forks it, reaps it. It never looks into a request itself; the
 * child does and answers on the shared socket.
 */
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "json_strict.h"
#include "unix_socket.h"
#include "work_pool.h"
#include "work_process.h"

#define CHILDREN_MAX 16

struct child {
	pid_t pid; /* 0: free */
	int64_t id;
};

struct process {
	work_pool_work *work;
	unsigned parallel, live, cpu_seconds;
	int fd, signals;
	struct child children[CHILDREN_MAX];
	char packet[UNIX_PACKET_MAX];
};

int
work_process_send(int fd, const char *packet, int passed)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec part;
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	struct cmsghdr *header;

	part.iov_base = strdupa(packet);
	part.iov_len = strlen(packet);
	if (passed != -1) {
		message.msg_control = control;
		message.msg_controllen = sizeof(control);
		header = CMSG_FIRSTHDR(&message);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(header), &passed, sizeof(int));
	}
	return sendmsg(fd, &message, MSG_NOSIGNAL) == -1 ? -1 : 0;
}

/* The packet's length, 0 at the end, -1 with errno; *passed_r is -1 or ours
 * to close. */
static ssize_t
receive(struct process *process, int *passed_r)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec part = { process->packet, sizeof(process->packet) };
	struct msghdr message = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control) };
	struct cmsghdr *header;
	ssize_t len;

	*passed_r = -1;
	len = recvmsg(process->fd, &message, MSG_CMSG_CLOEXEC);
	if (len <= 0)
		return len;
	header = CMSG_FIRSTHDR(&message);
	if (header != NULL && header->cmsg_level == SOL_SOCKET &&
	    header->cmsg_type == SCM_RIGHTS)
		memcpy(passed_r, CMSG_DATA(header), sizeof(int));
	return len;
}

/* Writes {"id":N,"answer":...}; without an answer if it is NULL. */
static void
reply(int fd, int64_t id, cJSON *answer)
{
	cJSON *packet = cJSON_CreateObject();
	char *text;

	json_add_integer(packet, "id", id);
	if (answer != NULL)
		json_add_item(packet, "answer", answer);
	text = json_format(packet);
	if (text != NULL)
		(void)unix_socket_send(fd, text, strlen(text));
	free(text);
	cJSON_Delete(packet);
}

static void
run_child(struct process *process, const cJSON *request, int64_t id, int fd)
{
	struct rlimit limit = { process->cpu_seconds, process->cpu_seconds };
	cJSON *answer = cJSON_CreateObject();
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setrlimit(RLIMIT_CPU, &limit);
	if (answer == NULL)
		_exit(1);
	process->work(json_object(request, "request"), fd, answer);
	reply(process->fd, id, answer);
	_exit(0);
}

static void
start(struct process *process, size_t len, int fd)
{
	struct child *child = process->children;
	cJSON *request;
	int64_t id = 0;

	request = json_parse(process->packet, len, NULL);
	sodium_memzero(process->packet, len);
	if (json_integer(request, "id", 1, JSON_MAX_INTEGER, &id) == -1)
		_exit(1); /* our own parent went mad */
	while (child->pid != 0)
		child++;
	child->id = id;
	child->pid = fork();
	if (child->pid == 0)
		run_child(process, request, id, fd);
	cJSON_Delete(request);
	if (child->pid == -1) {
		child->pid = 0;
		reply(process->fd, id, NULL);
	} else {
		process->live++;
	}
}

static void
reap(struct process *process)
{
	struct signalfd_siginfo info;
	int i, status;
	pid_t pid;

	/* Only so that it is not readable any more: waitpid tells the rest. */
	if (read(process->signals, &info, sizeof(info)) < 0)
		return;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (i = 0; i < CHILDREN_MAX; i++) {
			if (process->children[i].pid != pid)
				continue;
			process->children[i].pid = 0;
			process->live--;
			if (status != 0)
				reply(process->fd, process->children[i].id,
				    NULL);
		}
}

static void
serve(struct process *process)
{
	struct pollfd polls[2];
	ssize_t len;
	int passed;

	for (;;) {
		polls[0] = (struct pollfd){ process->signals, POLLIN, 0 };
		/* While all children are busy requests wait at the parent. */
		polls[1] = (struct pollfd){ process->live < process->parallel ?
			    process->fd :
			    -1,
			POLLIN, 0 };
		if (poll(polls, 2, -1) == -1)
			continue;
		if (polls[0].revents != 0)
			reap(process);
		if (polls[1].revents == 0)
			continue;
		len = receive(process, &passed);
		if (len == 0 || (len == -1 && errno != EINTR))
			_exit(0);
		if (len > 0)
			start(process, (size_t)len, passed);
		if (passed != -1)
			close(passed);
	}
}

/* Everything but standard error and the pair belongs to the parent. */
static void
close_others(int keep)
{
	if (keep > 3)
		(void)close_range(3, (unsigned)keep - 1, 0);
	(void)close_range((unsigned)keep + 1, ~0U, 0);
	(void)close(STDIN_FILENO);
	(void)close(STDOUT_FILENO);
}

static void
become_process(struct process *process)
{
	sigset_t children;

	/* It ends when our side closes, not by a terminal's ^C. */
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	close_others(process->fd);
	sigemptyset(&children);
	sigaddset(&children, SIGCHLD);
	sigprocmask(SIG_BLOCK, &children, NULL);
	process->signals = signalfd(-1, &children, SFD_CLOEXEC);
	if (process->signals == -1)
		_exit(1);
	serve(process);
}

int
work_pool_fork(work_pool_work *work, unsigned parallel, unsigned cpu_seconds)
{
	static struct process process; /* of the child: its only one */
	int pair[2];
	pid_t pid;

	if (parallel > CHILDREN_MAX ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		return -1;
	pid = fork();
	if (pid == -1) {
		close(pair[0]);
		close(pair[1]);
		return -1;
	}
	if (pid == 0) {
		process.work = work;
		process.parallel = parallel;
		process.cpu_seconds = cpu_seconds;
		process.fd = pair[1];
		become_process(&process);
	}
	close(pair[1]);
	fcntl(pair[0], F_SETFL, fcntl(pair[0], F_GETFL) | O_NONBLOCK);
	return pair[0];
}
