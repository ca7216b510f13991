/* SPDX-License-Identifier: ISC
 *
 * What every daemon's main does alike: options, sd_notify, sockets passed by
 * systemd, signals. Foreground only; no pid files, no self-supervision.
 */
#ifndef DAEMON_H
#define DAEMON_H

#include <stdbool.h>
#include <stddef.h>

struct daemon_options {
	const char *config; /* -c FILE */
	const char *role; /* -r WORD, NULL if not given */
	bool check; /* -n: check the configuration and exit */
	bool debug; /* -d: log debug lines */
};

/* Parses the common options; prints usage and exits 64 on a bad one.
 * `options_r->config` must hold the default. Only daemons that pass
 * `with_role` take -r. */
void daemon_options(int argc, char **argv, bool with_role,
    struct daemon_options *options_r);

/* Opens the way to systemd before the chroot hides it. SIGPIPE is ignored.
 * A nofile soft limit is raised to the hard one. Ends with a clear line if
 * the clock cannot be right. After log_open(). */
void daemon_prepare(void);

/* READY=1, and from then on signs of life for systemd's watchdog, if it wants
 * them, as long as the loop runs; STOPPING=1. No-ops without systemd. */
struct event_base;
void daemon_notify_ready(struct event_base *base);
void daemon_notify_stopping(void);

/* What `systemctl status` shows of it: one line, in the words of the log. */
void daemon_notify_status(const char *text);

/* The descriptors that systemd passed under this name (LISTEN_FDNAMES), at
 * most `max`; their number. */
size_t daemon_passed_sockets(const char *name, int *fds_r, size_t max);

/* The first of them, or -1. */
int daemon_passed_socket(const char *name);

#endif
