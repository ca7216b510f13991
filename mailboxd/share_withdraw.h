/* SPDX-License-Identifier: ISC
 *
 * A share is withdrawn, by its owner, his broker or the administrator: the
 * transactions one after the other.
 */
#ifndef SHARE_WITHDRAW_H
#define SHARE_WITHDRAW_H

#include "mailboxd.h"
#include "share_store.h"

/*
 * Withdraws a share (account, id, now, broker; taken over) and lets go of
 * what was put for it. `id` stands in the log. `done` comes on the loop: OK,
 * also if it was withdrawn before; refused "not-found".
 */
void share_withdraw(struct mailboxd *mailboxd, struct share *share,
    const char *id, store_done_fn *done, void *arg);

#endif
