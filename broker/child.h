/* SPDX-License-Identifier: ISC
 *
 * A process of its own for work that blocks or reads hostile bytes. It dies
 * with the parent. Whoever has SIGCHLD (connection.h) reaps it.
 */
#ifndef CHILD_H
#define CHILD_H

#include <sys/types.h>

#define CHILD_FD 3

/* As fork(). In the child signals are as for a program of its own, and
 * nothing of the parent's is open but `fd`, as CHILD_FD, and the standard
 * three. */
pid_t child_fork(int fd);

#endif
