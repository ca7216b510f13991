/* SPDX-License-Identifier: ISC
 *
 * What the verbs of cargomail(1) share. Each is given the configuration and
 * its own argument vector (argv[0] is its name) and returns an exit code of
 * sysexits.h; trouble goes to standard error, one line.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include "client_config.h"
#include "outcome.h"
#include "session.h"

int client_send(const struct client_config *config, int argc, char **argv);
int client_open(const struct client_config *config, int argc, char **argv);
int client_ls(const struct client_config *config, int argc, char **argv);
int client_get(const struct client_config *config, int argc, char **argv);
int client_put(const struct client_config *config, int argc, char **argv);
int client_rm(const struct client_config *config, int argc, char **argv);

/* Says on standard error what failed ("what" may be NULL) and returns the
 * exit code: 75 for what is temporary, else by the reason's word. */
int client_fail(const char *what, const struct reason *why);

/* One line on standard error, escaped. Returns `code`. */
int client_complain(int code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The exit code alone. */
int client_exit_code(const struct reason *why);

/* Opens a session with each mailbox of the list, or the one called `only`
 * (NULL: all), and calls `visit` until it returns other than -1, which is
 * then returned; -1 if it never did, or an exit code if a session cannot be
 * had. */
int client_each_mailbox(const struct client_config *config, const char *only,
    int (*visit)(struct session *session, void *context), void *context);

#endif
