/* SPDX-License-Identifier: ISC
 *
 * A new password, never from a command line: made here, asked for on the
 * terminal without echo, or the first line of standard input.
 */
#ifndef CTL_PASSWORD_H
#define CTL_PASSWORD_H

#include <stdbool.h>

#define CTL_PASSWORD_MIN 6
#define CTL_PASSWORD_MAX 256

/* Fills password_r; wipe it after use (explicit_bzero). `generate`: 120
 * random bits in 20 characters. 0, or -1 with a line on standard error. */
int ctl_password_get(const char *whose, bool generate,
    char password_r[CTL_PASSWORD_MAX + 1]);

#endif
