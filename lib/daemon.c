/* SPDX-License-Identifier: ISC
 *
 * Options, sd_notify(3) and socket passing. The two protocols of systemd are
 * a datagram and three environment variables; libsystemd is not linked for
 * that.
 */
#include "daemon.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/event.h>

#include "clock.h"
#include "log.h"

#define LISTEN_FDS_START 3

/* Connected before the chroot; -1 without systemd. */
static int daemon_notify_fd = -1;

static void
daemon_usage(const char *program, bool with_role)
{
	fprintf(stderr, "usage: %s [-dnV] [-c file]%s\n", program,
	    with_role ? " -r role" : "");
	exit(EX_USAGE);
}

void
daemon_options(int argc, char **argv, bool with_role,
    struct daemon_options *options_r)
{
	int option;

	while ((option = getopt(argc, argv, with_role ? "c:dnr:V" : "c:dnV")) !=
	    -1) {
		switch (option) {
		case 'c':
			options_r->config = optarg;
			break;
		case 'd':
			options_r->debug = true;
			break;
		case 'n':
			options_r->check = true;
			break;
		case 'r':
			options_r->role = optarg;
			break;
		case 'V':
			printf("cargomail %s\n", VERSION);
			exit(EX_OK);
		default:
			daemon_usage(argv[0], with_role);
		}
	}
	if (optind != argc || (with_role && options_r->role == NULL))
		daemon_usage(argv[0], with_role);
}

static void
daemon_notify_open(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t len;
	int fd;

	if (path == NULL || (len = strlen(path)) >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, len);
	if (*path == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return;
	if (connect(fd, (struct sockaddr *)&address,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) !=
	    0) {
		close(fd);
		return;
	}
	daemon_notify_fd = fd;
}

static void
daemon_check_clock(void)
{
	char text[CLOCK_TEXT_SIZE];
	int64_t now = clock_now();

	if (clock_is_plausible(now))
		return;
	clock_format_internet(now, text);
	log_fatal(EX_OSERR, "the clock says %s: set it, then start again",
	    text);
}

void
daemon_prepare(void)
{
	struct rlimit limit;

	daemon_check_clock();
	signal(SIGPIPE, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	daemon_notify_open();
}

static void
daemon_notify(const char *text)
{
	/* Nobody listening is no reason to stop. */
	if (daemon_notify_fd != -1 &&
	    send(daemon_notify_fd, text, strlen(text), MSG_NOSIGNAL) == -1)
		return;
}

/* Microseconds between two signs of life: half of what systemd allows; 0: it
 * does not ask for any. */
static int64_t
daemon_watch_interval(void)
{
	const char *limit = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");

	if (limit == NULL || (pid != NULL && strtol(pid, NULL, 10) != getpid()))
		return 0;
	return strtoll(limit, NULL, 10) / 2;
}

static void daemon_watch(struct event_base *base);

static void
daemon_watch_tick(evutil_socket_t fd, short what, void *base)
{
	(void)fd;
	(void)what;
	daemon_notify("WATCHDOG=1");
	daemon_watch(base);
}

static void
daemon_watch(struct event_base *base)
{
	const int64_t wait = daemon_watch_interval();
	const struct timeval interval = { wait / 1000000, wait % 1000000 };

	if (wait > 0)
		event_base_once(base, -1, EV_TIMEOUT, daemon_watch_tick, base,
		    &interval);
}

void
daemon_notify_ready(struct event_base *base)
{
	daemon_notify("READY=1");
	daemon_watch(base);
}

void
daemon_notify_status(const char *text)
{
	char line[512];

	/* One line each is the protocol. */
	snprintf(line, sizeof(line), "STATUS=%s", text);
	for (char *at = line; *at != '\0'; at++)
		if (*at == '\n')
			*at = ' ';
	daemon_notify(line);
}

void
daemon_notify_stopping(void)
{
	daemon_notify("STOPPING=1");
}

size_t
daemon_passed_sockets(const char *name, int *fds_r, size_t max)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	const char *names = getenv("LISTEN_FDNAMES");
	size_t len = strlen(name), found = 0;
	int fds;

	if (pid == NULL || count == NULL || names == NULL ||
	    strtol(pid, NULL, 10) != getpid())
		return 0;
	fds = (int)strtol(count, NULL, 10);
	for (int i = 0; i < fds && found < max; i++) {
		if (strncmp(names, name, len) == 0 &&
		    (names[len] == ':' || names[len] == '\0')) {
			int fd = LISTEN_FDS_START + i;

			fcntl(fd, F_SETFD, FD_CLOEXEC);
			fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
			fds_r[found++] = fd;
		}
		names = strchr(names, ':');
		if (names == NULL)
			break;
		names++;
	}
	return found;
}

int
daemon_passed_socket(const char *name)
{
	int fd;

	return daemon_passed_sockets(name, &fd, 1) == 1 ? fd : -1;
}
