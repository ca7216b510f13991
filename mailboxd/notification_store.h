/* SPDX-License-Identifier: ISC
 *
 * What a notification becomes: message, timeline, notice (idempotence),
 * pull, reserved quota and the placeholder as a resource, in one
 * transaction.
 */
#ifndef NOTIFICATION_STORE_H
#define NOTIFICATION_STORE_H

#include <stdbool.h>

#include "account_make.h"
#include "cargo_api.h"
#include "cargo_notification.h"
#include "resource_commit.h"
#include "store.h"

/* The claims of token B that are kept, and the token. Borrowed. */
struct notification_claims {
	const char *iss, *sender, *recipient, *mailbox, *origin, *share,
	    *message, *agent, *token;
	int64_t expires; /* the token's, which is the share's */
};

struct notification_work {
	struct notification_claims claims;
	const struct cargo_notification *notification;
	struct resource_commit placeholder; /* account, blob, now are set */
	struct account_make make; /* the account, if it has to be made */
	bool local; /* the origin is this server */
	char known
	    [STORE_ID_SIZE]; /* it must be this message; "": it may be new */
	char queue_id[CARGO_API_QUEUE_ID_SIZE]; /* "": none was said */
	char id[STORE_ID_SIZE]; /* of the message; result */
	bool existed; /* result: it was notified before */
};

/* Chooses the id of the message and what is the same for each run. */
void notification_work_init(struct notification_work *work);

/* Work function. Refused "quota", "too-large", "no-account",
 * "account-limit", "not-found" (not the known one). */
enum outcome notification_store_work(struct store_txn *txn, void *arg);

#endif
