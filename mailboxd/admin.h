/* SPDX-License-Identifier: ISC
 *
 * What cargomailctl may ask of mailboxd.
 */
#ifndef ADMIN_H
#define ADMIN_H

#include "control.h"
#include "outcome.h"

/* The verbs; the context is struct mailboxd. Ends with a NULL name. */
extern const struct control_verb admin_verbs[];

/* In admin_account.c, for the table. */
struct control_connection;
void admin_account_add(void *context, struct control_connection *connection,
    const cJSON *request);
void admin_account_remove(void *context, struct control_connection *connection,
    const cJSON *request);
void admin_account_enrol(void *context, struct control_connection *connection,
    const cJSON *request);
void admin_account_change(void *context, struct control_connection *connection,
    const cJSON *request);

/* Ends an answer: {"outcome", "reason", "detail"} and `object` (taken over;
 * may be NULL). */
void admin_reply(struct control_connection *connection, enum outcome outcome,
    const struct reason *why, cJSON *object);

#endif
