/* SPDX-License-Identifier: ISC
 *
 * The far side of a work_pool: the process that forks children.
 */
#ifndef WORK_PROCESS_H
#define WORK_PROCESS_H

/* One packet, with a descriptor if `passed` is not -1. 0, or -1 with errno. */
int work_process_send(int fd, const char *packet, int passed);

#endif
