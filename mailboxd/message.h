/* SPDX-License-Identifier: ISC
 *
 * What came and went, as its owner sees it: immutable messages, with the
 * state of each resource as the other rows tell it.
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stdbool.h>

#include "visit.h"
#include "wait_list.h"

/* GET /v1/messages[?after=<id>], GET /v1/messages?share=<id>[&wait=N]. */
void message_list_serve(struct visit *visit);

/* GET /v1/messages/<id>[?wait=N]. */
void message_get_serve(struct visit *visit);

/* For the list of those who wait. */
bool message_try(struct visit *visit, bool last);

/*
 * A message with its states: 1 and the object (caller's), 0, -1 trouble.
 * *pending_r says whether something is still to come.
 */
int message_describe(struct store_view *view, const char *account,
    const char *id, int64_t now, cJSON **message_r, bool *pending_r);

#endif
