/* SPDX-License-Identifier: ISC
 *
 * The user's password, from the command that the configuration names.
 */
#ifndef PASSWORD_H
#define PASSWORD_H

#include "outcome.h"

/* The first line that `command` (run by /bin/sh -c, with our terminal)
 * prints. The caller wipes and frees it: password_free. PERMFAIL "password"
 * if it fails or prints nothing. */
enum outcome
password_run(const char *command, char **password_r, struct reason *why);
void password_free(char **password);

#endif
