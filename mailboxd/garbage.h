/* SPDX-License-Identifier: ISC
 *
 * What nobody holds any more. There are no counters: whoever removes the
 * last holder row turns the blob row into a garbage row in the same
 * transaction, and the sweep deletes the file once that row is due (readers
 * that opened it before are served to the end) and then the row. A crash in
 * between repeats the sweep. Broken uploads end the same way.
 */
#ifndef GARBAGE_H
#define GARBAGE_H

#include "store.h"

/* Seconds from letting go to deleting: longer than any request needs from
 * reading a row to opening the file. */
#define GARBAGE_DELAY 60

/* In a work function: the account no longer holds this blob (it need not
 * have). One to three keys. The resource row and quota are the caller's. */
enum outcome garbage_drop_holder(struct store_txn *txn, const char *hash,
    const char *account, int64_t now);

/* In a work function: a file that no row names becomes garbage. */
enum outcome garbage_add(struct store_txn *txn, const char *locator,
    int64_t size, int64_t due);

/* Deletes what is due and uploads that have expired, in the background.
 * Call it every few seconds on the event loop; while a sweep runs it does
 * nothing. `done` (may be NULL) tells how many files went; -1, from within
 * the call, that a sweep was running. */
void garbage_sweep(struct store *store, int64_t now,
    void (*done)(void *arg, int64_t files), void *arg);

/* The same at an administrator's word, and then what a crash left behind and
 * could not be removed when the store was opened (store_sweep.c). */
void garbage_collect(struct store *store, int64_t now,
    void (*done)(void *arg, int64_t files), void *arg);

#endif
