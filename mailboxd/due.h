/* SPDX-License-Identifier: ISC
 *
 * What happens at its time: rows due/<time>/<kind>/... say when something is
 * to be looked at, and a sweep hands each that is due to the function of its
 * kind: a page goes (page_store.h), what a broker put may have to go
 * (lapse.h). Each row is a transaction of its own that makes true and removes
 * the row together, so a crash repeats it and one that cannot be done holds
 * up no other; it comes again a day later.
 *
 * (Pulls have a queue, queue/<shard>/due: a lease is more than a time.
 * Garbage has its own rows: a file goes with it, so a disk thread.)
 */
#ifndef DUE_H
#define DUE_H

#include "store.h"

#define DUE_BATCH 100 /* rows of one sweep */
#define DUE_AGAIN 86400 /* seconds until what failed is due again */

/* Looks at what is due, in the background; call it every few seconds on the
 * event loop. `sent_keep` as in lapse.h. */
void due_sweep(struct store *store, int64_t sent_keep, int64_t now);

#endif
