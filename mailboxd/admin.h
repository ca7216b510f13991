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

/* For the table, from admin_<subject>.c. */
typedef void admin_fn(void *context, struct control_connection *connection,
    const cJSON *request);
admin_fn admin_status;
admin_fn admin_metrics;
admin_fn admin_queue;
admin_fn admin_queue_show;
admin_fn admin_queue_retry;
admin_fn admin_queue_drop;
admin_fn admin_renotify;
admin_fn admin_share_list;
admin_fn admin_share_show;
admin_fn admin_share_revoke;
admin_fn admin_account_list;
admin_fn admin_account_add;
admin_fn admin_account_remove;
admin_fn admin_account_enrol;
admin_fn admin_account_change;
admin_fn admin_session_begin;
admin_fn admin_session_end;
admin_fn admin_fsck;
admin_fn admin_gc;

/* Ends an answer: {"outcome", "reason", "detail"} and `object` (taken over;
 * may be NULL). */
void admin_reply(struct control_connection *connection, enum outcome outcome,
    const struct reason *why, cJSON *object);

#endif
