/* SPDX-License-Identifier: ISC
 *
 * The rows of a share and the transactions that make and withdraw it. The
 * recipients' rows come first, in batches; the share counts once its own row
 * stands, which is written last. Each recipient row carries the digest of
 * the content that it was written for, so that rows which a broken attempt
 * with other recipients left behind entitle nobody.
 */
#ifndef SHARE_STORE_H
#define SHARE_STORE_H

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "cargo_api.h"
#include "store.h"

#define SHARE_BATCH 80 /* recipients of one transaction */

struct share {
	char account[STORE_ID_SIZE];
	char id[CARGO_API_SHARE_ID_LEN + 1];
	char broker[256]; /* "" if the owner shares */
	char *message; /* Message-ID without brackets */
	char *category; /* NULL if none */
	int64_t expires;
	char **recipients; /* in normal form, sorted, no two alike */
	size_t recipient_count;
	char (*hashes)[SHA256_HEX_SIZE]; /* sorted, no two alike */
	size_t hash_count;
	char content[SHA256_HEX_SIZE]; /* digest of all this */
	int64_t now;
	/* Of the transactions. */
	size_t next; /* first recipient of the next batch */
	bool existed; /* result: the very same share stands already */
	bool complete; /* result: the share stands */
};

/* Reads the body of a PUT. OK, or PERMFAIL "malformed", "too-large". The
 * share is to be freed in any case. */
enum outcome
share_parse(const cJSON *body, struct share *share_r, struct reason *why);
void share_free(struct share *share);

/* Work function, arg struct share: writes the next batch, or the share row.
 * Call until `complete`. Refused "conflict", "not-found". */
enum outcome share_store_put(struct store_txn *txn, void *arg);

/* Work function, arg struct share (account, id, broker, now): withdraws.
 * Refused "not-found"; a broker's for all but its own. */
enum outcome share_store_revoke(struct store_txn *txn, void *arg);

#endif
