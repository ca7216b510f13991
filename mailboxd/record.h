/* SPDX-License-Identifier: ISC
 *
 * The account's records: an append-only chain that says what happened. The
 * leaf is the stored JSON bytes; head = SHA-256(head || leaf), from 32 zero
 * bytes on; the head stands in the account row and moves in the same
 * transaction. Personal detail that may have to be erased stands apart, in
 * detail/<n>, and is not part of the chain.
 */
#ifndef RECORD_H
#define RECORD_H

#include <cjson/cJSON.h>

#include "store_account.h"

/* head_r = SHA-256(head || leaf). The two heads may be the same memory. */
void record_chain(const uint8_t head[SHA256_LEN], const void *leaf, size_t len,
    uint8_t head_r[SHA256_LEN]);

/*
 * Appends a record {"time", "kind", ids and hashes of `leaf`} and moves the
 * account's chain; the caller puts the account row. `leaf` and `detail` are
 * taken over; `leaf` (may be NULL) must not have "time" or "kind"; `detail`
 * NULL: none. One or two keys.
 */
enum outcome record_append(struct store_txn *txn, struct store_account *account,
    const char *kind, int64_t now, cJSON *leaf, cJSON *detail);

#endif
