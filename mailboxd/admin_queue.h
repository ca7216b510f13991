/* SPDX-License-Identifier: ISC
 *
 * Which pull the administrator means.
 */
#ifndef ADMIN_QUEUE_H
#define ADMIN_QUEUE_H

#include "admin_walk.h"
#include "store_keys.h"

/* Takes the request's "message", a message id or the beginning of one, as the
 * walk's subject. 0, or -1: refused, and the walk is freed. */
int admin_queue_subject(struct admin_walk *walk, const cJSON *request);

/* In the walk: the only pending pull of that subject. 0, or -1: refused. */
int admin_queue_find(struct admin_walk *walk, char message_r[STORE_ID_SIZE]);

#endif
