/* SPDX-License-Identifier: ISC
 *
 * An owner makes a resource his own. See keeper.h.
 */
#include "keeper.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "memory.h"
#include "resource_keep.h"

struct keeper {
	struct resource_keep what;
	struct visit *visit;
	void (*serve)(struct visit *visit);
};

static enum outcome
work(struct store_txn *txn, void *arg)
{
	struct keeper *keeper = arg;

	return resource_keep_work(txn, &keeper->what);
}

static void
done(void *arg, enum outcome outcome, const struct reason *why)
{
	struct keeper *keeper = arg;

	if (outcome != OUTCOME_OK)
		visit_refuse(keeper->visit, why);
	else if (keeper->visit->x != NULL)
		keeper->serve(keeper->visit);
	visit_release(keeper->visit);
	free(keeper);
}

void
keeper_serve(struct visit *visit, void (*serve)(struct visit *visit))
{
	struct keeper *keeper = x_calloc(1, sizeof(*keeper));

	strcpy(keeper->what.account, visit->caller.account);
	strcpy(keeper->what.hash, visit->subject);
	keeper->what.now = clock_now();
	keeper->visit = visit_hold(visit);
	keeper->serve = serve;
	store_submit(visit->mailboxd->store, work, done, keeper);
}
