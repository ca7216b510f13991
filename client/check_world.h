/* SPDX-License-Identifier: ISC
 *
 * The host as it is, for check.h: admin sockets, programs, users, disks, and
 * HTTPS to addresses that gripd has looked up. Speaks no DNS itself.
 */
#ifndef CHECK_WORLD_H
#define CHECK_WORLD_H

#include "check.h"

extern const struct check_world check_world_real;

#endif
