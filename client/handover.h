/* SPDX-License-Identifier: ISC
 *
 * Handing a message to the mail system by a sendmail command. It counts as
 * taken only when the command says so by exit code 0.
 */
#ifndef HANDOVER_H
#define HANDOVER_H

#include <stddef.h>

#include "outcome.h"

/*
 * Runs `command` (words by white space, no shell) with "-f", `sender`, "--"
 * and the recipients behind, and the message (CRLF or LF; given out with LF,
 * as sendmail wants it) on its standard input. TEMPFAIL "handover" if it
 * cannot be run or says no for now, PERMFAIL "no-user" or "no-host" (its
 * exit codes 67 and 68) or "handover" if the code is another that stays.
 */
enum outcome
handover_send(const char *command, const char *sender, char *const *recipients,
    size_t count, const char *message, size_t len, struct reason *why);

#endif
