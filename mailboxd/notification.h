/* SPDX-License-Identifier: ISC
 *
 * POST /v1/notifications: a broker says, by token B, that something is
 * waiting for an account of ours. 202 once it is on disk.
 */
#ifndef NOTIFICATION_H
#define NOTIFICATION_H

#include "visit.h"

void notification_serve(struct visit *visit);

#endif
