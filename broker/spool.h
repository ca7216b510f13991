/* SPDX-License-Identifier: ISC
 *
 * One message, in memory while it is small, else in a file without a name:
 * when the process dies, however it dies, nothing is left. The broker has no
 * queue; the message is Postfix's until Postfix has taken it back.
 */
#ifndef SPOOL_H
#define SPOOL_H

#include <stddef.h>
#include <stdint.h>

struct spool;

/* Its file is made in `directory` (within the chroot) when there is more than
 * fits the buffer. */
struct spool *spool_new(const char *directory, int64_t max);
void spool_free(struct spool **spool);

/* Adds bytes. Failures are kept: later additions do nothing. */
void spool_add(struct spool *spool, const void *data, size_t len);

/* Writes what is buffered, if there is a file, and maps it. 0; -1 with errno
 * if there is no room or another trouble (EFBIG: larger than max). */
int spool_finish(struct spool *spool);

/* After spool_finish: the message, read-only; owned by the spool. */
const char *spool_data(const struct spool *spool, size_t *len_r);

#endif
