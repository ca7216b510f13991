/* SPDX-License-Identifier: ISC
 *
 * The end of a share. See share_withdraw.h. It is withdrawn by the first
 * transaction; what could not be let go of then, the sweep will.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lapse.h"
#include "log.h"
#include "memory.h"
#include "share_withdraw.h"

struct withdrawing {
	struct mailboxd *mailboxd;
	struct share *share;
	struct lapse lapse;
	char id[STORE_ID_SIZE];
	store_done_fn *done;
	void *arg;
};

static void
end(struct withdrawing *withdrawing, enum outcome outcome,
    const struct reason *why)
{
	withdrawing->done(withdrawing->arg, outcome, why);
	share_free(withdrawing->share);
	free(withdrawing);
}

static void
log_revoke(const struct withdrawing *withdrawing)
{
	struct log_line line;

	metrics_count(withdrawing->mailboxd->metrics, MAILBOXD_SHARES,
	    "revoked");
	log_begin(&line, LOG_INFO, withdrawing->id, "revoke");
	log_string(&line, LOG_KEY_SHARE, withdrawing->share->id);
	log_string(&line, LOG_KEY_ACCOUNT, withdrawing->share->account);
	log_end(&line);
}

static enum outcome
lapse_work(struct store_txn *txn, void *arg)
{
	struct withdrawing *withdrawing = arg;

	return lapse_share(txn, &withdrawing->lapse);
}

static void
on_lapsed(void *arg, enum outcome outcome, const struct reason *why)
{
	struct withdrawing *withdrawing = arg;
	struct store *store = withdrawing->mailboxd->store;

	if (outcome == OUTCOME_OK) {
		lapse_log(&withdrawing->lapse, withdrawing->id);
		if (withdrawing->lapse.more) {
			store_submit(store, lapse_work, on_lapsed, withdrawing);
			return;
		}
	}
	end(withdrawing, OUTCOME_OK, why);
}

static enum outcome
revoke_work(struct store_txn *txn, void *arg)
{
	struct withdrawing *withdrawing = arg;

	return share_store_revoke(txn, withdrawing->share);
}

static void
on_revoked(void *arg, enum outcome outcome, const struct reason *why)
{
	struct withdrawing *withdrawing = arg;
	struct lapse *lapse = &withdrawing->lapse;

	if (outcome != OUTCOME_OK) {
		end(withdrawing, outcome, why);
		return;
	}
	log_revoke(withdrawing);
	strcpy(lapse->account, withdrawing->share->account);
	strcpy(lapse->share, withdrawing->share->id);
	lapse->now = withdrawing->share->now;
	store_submit(withdrawing->mailboxd->store, lapse_work, on_lapsed,
	    withdrawing);
}

void
share_withdraw(struct mailboxd *mailboxd, struct share *share, const char *id,
    store_done_fn *done, void *arg)
{
	struct withdrawing *withdrawing = x_calloc(1, sizeof(*withdrawing));

	withdrawing->mailboxd = mailboxd;
	withdrawing->share = share;
	withdrawing->done = done;
	withdrawing->arg = arg;
	snprintf(withdrawing->id, sizeof(withdrawing->id), "%s", id);
	store_submit(mailboxd->store, revoke_work, on_revoked, withdrawing);
}
