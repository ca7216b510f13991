/* SPDX-License-Identifier: ISC
 *
 * What a broker put into a user's account is let go once the share that it
 * put it for is no more: at once when the share is withdrawn, LAPSE_GRACE
 * after the put if it never came to stand (or stands without it), and
 * `sent_keep` after it has expired. The user knows of none of this; without it
 * his account would run full.
 *
 * A use row use/<hash>/<share> is the reason why the account holds the
 * resource, and goes first. The resource goes with the last of them: not if
 * the owner put, fetched or shared it himself ("kept"), not if a message or
 * another share has a use row too.
 *
 * When a use row is looked at stands in the row ("due") and in the index
 * due/<time>/use/...; a share that stands moves both to its own end when it is
 * first looked at, so making it costs nothing.
 *
 * The content of rows is ours; hashes, shares and sizes in them came from
 * brokers.
 */
#ifndef LAPSE_H
#define LAPSE_H

#include <stdbool.h>
#include <stdint.h>

#include "store.h"

/* Seconds that a broker has from the put of a resource to the share. A later
 * attempt that finds it gone puts it again. */
#define LAPSE_GRACE 86400

/* Resources of one transaction, seven keys each. */
#define LAPSE_BATCH 12

struct lapse {
	char account[STORE_ID_SIZE];
	char share[32];
	char hash[SHA256_HEX_SIZE]; /* of the use row that is due */
	int64_t when; /* the time of its index row */
	int64_t sent_keep; /* seconds that it outlives its share */
	int64_t now;
	/* Results. */
	const char *reason; /* "not-shared", "revoked", "expired" */
	size_t count; /* resources that the account no longer holds */
	struct {
		char hash[SHA256_HEX_SIZE];
		int64_t size;
	} gone[LAPSE_BATCH];
	bool more; /* of this share: call again */
};

/* In a work function: what was just put for a share is looked at after
 * LAPSE_GRACE. Writes the use row. Three keys. */
enum outcome
lapse_put(struct store_txn *txn, const struct lapse *put, const char *broker);

/* In a work function: a share was withdrawn (at share->now, its "revoked").
 * One key; lapse_share then lets go of what was put for it. */
enum outcome lapse_revoked(struct store_txn *txn, const struct lapse *share);

/* Work function, arg struct lapse (account, share, now): lets go of a batch
 * of what was put for a share that was withdrawn. Call while `more`. */
enum outcome lapse_share(struct store_txn *txn, void *arg);

/* Work function, arg struct lapse (all but results): looks at a use row. */
enum outcome lapse_use(struct store_txn *txn, void *arg);

/* In a work function: it could not be looked at, and is to be at now +
 * `seconds`. */
enum outcome lapse_use_later(struct store_txn *txn, const struct lapse *use,
    int64_t seconds);

/* 1 if a use row that may end is all that the account holds it for, 0, -1
 * trouble. */
int
lapse_threatens(struct store_view *view, const char *account, const char *hash);

/* One line for each resource that went, under this id. */
void lapse_log(const struct lapse *lapse, const char *id);

#endif
