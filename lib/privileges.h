/* SPDX-License-Identifier: ISC
 *
 * Giving up root for good: chroot, groups, user, verification, capability
 * sets, no-new-privs, not dumpable. Started unprivileged (by systemd, which
 * did the same from outside) it only verifies. Each daemon calls it once,
 * after opening what it needs and before it reads a hostile byte.
 */
#ifndef PRIVILEGES_H
#define PRIVILEGES_H

#include <sys/types.h>

struct privileges {
	const char *user; /* to become */
	const char *root; /* directory to chroot to */
	const char *extra_group; /* supplementary group, or NULL */
};

/* Looks up a user; 0, or -1 if there is none. Only before the chroot. */
int privileges_find_user(const char *user, uid_t *uid_r, gid_t *gid_r);

/* Does it or ends the program with one line (log_fatal). */
void privileges_drop(const struct privileges *privileges);

/* For whom needs even less (the MIME box, metrics by HTTP): no new files, no
 * sockets, `cpu_seconds` of CPU, then a small seccomp list: read, write, exit,
 * memory. 0, or -1. */
int privileges_lock_child(int cpu_seconds);

#endif
