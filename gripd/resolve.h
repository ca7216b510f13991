/* SPDX-License-Identifier: ISC
 *
 * The resolver role: the only speaker of DNS and the only reader of foreign
 * tokens. Holds no key and no file.
 */
#ifndef RESOLVE_H
#define RESOLVE_H

#include "gripd_config.h"

struct resolve;

/* Looks at the configuration only, for -n. 0, or -1 with *error_r (free()). */
int resolve_check(const struct gripd_config *config, char **error_r);

/* As root, before the chroot: sockets, addresses of the DNS servers. Borrows
 * `config`. NULL with *error_r (free()). */
struct resolve *resolve_open(const struct gripd_config *config, char **error_r);

/* After privileges were dropped: tells systemd and runs until SIGTERM or
 * SIGINT; SIGHUP drops the cached verdicts. Frees *resolve and sets it to
 * NULL. 0, or -1 if the loop could not be made. */
int resolve_serve(struct resolve **resolve);

#endif
