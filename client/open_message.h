/* SPDX-License-Identifier: ISC
 *
 * A placeholder becomes the message that it stands for. The resources and
 * the rebuilt message are unlinked temporary files first: a pipe cannot be
 * taken back, so nothing goes out before everything is right.
 */
#ifndef OPEN_MESSAGE_H
#define OPEN_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "cargo_placeholder.h"
#include "outcome.h"
#include "session.h"

/* Fetches all resources and rebuilds into *fd_r (the caller's), at its end.
 * *exact_r as of cargo_rebuild(). Nothing is left if it fails. */
enum outcome open_message_rebuild(struct session *session,
    const struct cargo_placeholder *placeholder, const char *message,
    size_t len, int *fd_r, bool *exact_r, struct reason *why);

/* Copies all of `fd`, from its start, to `out`. TEMPFAIL "write" or
 * "local". */
enum outcome open_message_copy(int fd, int out, struct reason *why);

/* Writes all bytes. 0, or -1 with errno. */
int open_message_write(int out, const void *data, size_t len);

/* False if a converter took the message apart and the result is not byte
 * for byte what was sent; what cargomail(1) sent was never a message. */
bool
open_message_faithful(const struct cargo_placeholder *placeholder, bool exact);

#endif
