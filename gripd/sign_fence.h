/* SPDX-License-Identifier: ISC
 *
 * The signer keeps its directories of certificates open beyond the chroot, to
 * read them again. A descriptor of a directory is a way out of a chroot, so a
 * Landlock ruleset then lets the process read files below those directories
 * and open nothing else, and no TCP where the kernel knows to forbid it.
 */
#ifndef SIGN_FENCE_H
#define SIGN_FENCE_H

#include <stddef.h>

/*
 * For good, after no-new-privs is set. `fds` are directories. 0 if the fence
 * stands; -1 with errno, ENOSYS or EOPNOTSUPP if the kernel has no Landlock.
 */
int sign_fence_raise(const int *fds, size_t count);

#endif
