/* SPDX-License-Identifier: ISC
 *
 * Waiting until the mailbox has what a placeholder names.
 */
#ifndef OPEN_WAIT_H
#define OPEN_WAIT_H

#include <stdint.h>

#include "cargo_placeholder.h"
#include "outcome.h"
#include "session.h"

/* Until nothing is pending any more, at most `seconds`; then TEMPFAIL
 * "pending". What failed or is unknown shows when it is asked for. A size
 * that is lost (-1) is filled in where the mailbox has the resource under
 * the placeholder's share. */
enum outcome open_wait(struct session *session,
    struct cargo_placeholder *placeholder, int64_t seconds, struct reason *why);

#endif
