/* SPDX-License-Identifier: ISC
 *
 * The rows of pages: made with a share, changed by each download, gone a
 * while after the share has expired. A row is found by the digest of the
 * secret that stands in the page's address; the secret itself is stored
 * nowhere. Whether a page may be shown is access.h's business.
 */
#ifndef PAGE_STORE_H
#define PAGE_STORE_H

#include "access.h"
#include "share_store.h"
#include "store.h"

/* Seconds that a row outlives its share, so that who comes late is told that
 * it has expired and not that nothing was ever there. */
#define PAGE_EXPIRED_SHOWN (30 * 86400)

/* Downloads that one page gives: each is a record, and whoever has the
 * secret must not fill the disk with them. */
#define PAGE_DOWNLOADS_MAX 1000

/* The part of share_store_put for a share that stands: makes the batch of
 * pages that begins at share->next_page. Those that are there already are
 * left alone. Refused "conflict" (the key opens another page), "too-large". */
enum outcome page_store_put(struct store_txn *txn, struct share *share);

struct page_download {
	char key[SHA256_HEX_SIZE]; /* digest of the secret */
	char hash[SHA256_HEX_SIZE]; /* of the resource */
	const char *client; /* network address, for the detail */
	int64_t now;
	struct store_blob blob; /* result */
};

/* Work function, arg struct page_download: asks once more whether it may be,
 * and records it. Refused as access_page and access_page_resource say, and
 * "not-allowed" after PAGE_DOWNLOADS_MAX. */
enum outcome page_store_download(struct store_txn *txn, void *arg);

/* In a work function: its time has come, the page goes. One key. */
enum outcome page_store_end(struct store_txn *txn, const char *key);

#endif
