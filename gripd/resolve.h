/* SPDX-License-Identifier: ISC
 *
 * The resolver role: the only speaker of DNS and the only reader of foreign
 * tokens. Holds no key and no file.
 */
#ifndef RESOLVE_H
#define RESOLVE_H

#include "gripd_config.h"

struct resolve;

/* As root, before the chroot: sockets, addresses of the DNS servers. Borrows
 * `config`. NULL with *error_r (free()). */
struct resolve *resolve_open(const struct gripd_config *config,
    char **error_r);

/* After privileges were dropped: runs until SIGTERM. Frees *resolve. The
 * exit status. */
int resolve_serve(struct resolve **resolve);

#endif
