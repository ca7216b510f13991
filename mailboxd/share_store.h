/* SPDX-License-Identifier: ISC
 *
 * The rows of a share and the transactions that make and withdraw it. What an
 * owner shares becomes his own (resource_keep.h) before all else. Then the
 * recipients' rows come, in batches; the share counts once its own row
 * stands, which is written last; its pages come behind it, in batches too
 * (page_store.h), so that whoever repeats a request adds what is missing. Each
 * recipient row carries the digest of the content that it was written for, so
 * that rows which a broken attempt with other recipients left behind entitle
 * nobody.
 */
#ifndef SHARE_STORE_H
#define SHARE_STORE_H

#include <stdbool.h>

#include <cjson/cJSON.h>

#include "cargo_api.h"
#include "store.h"

#define SHARE_BATCH 80 /* recipients of one transaction */
#define SHARE_PAGE_BATCH 40 /* pages of one */
#define SHARE_KEEP_BATCH 40 /* resources that become kept in one */

/* A page for a recipient whose domain has no Cargomail. */
struct share_page {
	char *recipient; /* in normal form */
	char key[SHA256_HEX_SIZE]; /* digest of the secret in its address */
};

struct share {
	char account[STORE_ID_SIZE];
	char id[CARGO_API_SHARE_ID_LEN + 1];
	char broker[256]; /* "" if the owner shares */
	char user[256]; /* for whom a broker shares; "" if the owner does */
	char *message; /* Message-ID without brackets */
	char *category; /* NULL if none */
	int64_t expires;
	char **recipients; /* in normal form, sorted, no two alike */
	size_t recipient_count;
	char (*hashes)[SHA256_HEX_SIZE]; /* sorted, no two alike */
	size_t hash_count;
	char content[SHA256_HEX_SIZE]; /* digest of all this */
	struct share_page *pages; /* by key, no two alike; not of the digest */
	size_t page_count;
	int64_t now;
	/* Of the transactions. */
	size_t next; /* first recipient of the next batch */
	size_t next_page; /* and first page */
	bool keeping; /* result: the last batch was of resources */
	bool stands; /* result: the share stood before the last batch */
	bool made; /* result: one of the batches made it */
	size_t added; /* result: pages that the last batch made */
	bool complete; /* result: the share stands, and all pages */
};

/* Goes on to the batch behind the last one. */
void share_next(struct share *share);

/* Reads the body of a PUT. OK, or PERMFAIL "malformed", "too-large". The
 * share is to be freed in any case. */
enum outcome
share_parse(const cJSON *body, struct share *share_r, struct reason *why);
void share_free(struct share *share);

/* Work function, arg struct share: keeps the next batch of resources, writes
 * the next batch of recipients, the share row, or the next batch of pages.
 * Call until `complete`, each time after share_next. Refused "conflict",
 * "not-found", "too-large". */
enum outcome share_store_put(struct store_txn *txn, void *arg);

/* Work function, arg struct share (account, id, broker, now): withdraws.
 * Refused "not-found"; a broker's for all but its own. Then lapse_share lets
 * go of what was put for it. */
enum outcome share_store_revoke(struct store_txn *txn, void *arg);

#endif
