/* SPDX-License-Identifier: ISC
 *
 * fsck: compares rows with rows and rows with files, both ways, and the
 * record chains. Reads only; may run beside the serving daemon. Every
 * finding has a fixed word:
 *
 *  row            torn, unknown or misnamed row
 *  blob-missing   a blob row without its file
 *  blob-size      file and row differ in size
 *  blob-hash      (deep) the bytes are not that hash
 *  blob-orphan    a file that no row names (the next start removes it)
 *  part-orphan    a part without upload row, or the reverse
 *  holder         holder row without resource row, or the reverse
 *  resource-size  resource and blob row differ in size
 *  quota          used or reserved is not the sum
 *  message        message, timeline, notice, use or failure disagree
 *  address        address rows disagree
 *  queue          pull, due row or message disagree
 *  page           a page has no share, or page and due row disagree
 *  lapse          a use row of a share and its due row disagree, a due row of a
 *                 share that was not withdrawn, or a resource that neither its
 *                 owner nor a message nor a share wants
 *  record         the chain is broken
 */
#ifndef STORE_CHECK_H
#define STORE_CHECK_H

#include "store.h"

struct store_check_options {
	bool deep; /* read and hash every blob */
};

struct store_check_result {
	int64_t rows, blobs, bytes, accounts, records;
	int64_t findings;
};

/* One finding; strings live during the call. */
typedef void store_finding_fn(void *arg, const char *word, const char *key,
    const char *text);

/* Blocks, for as long as it takes: from a disk thread (store_background) or
 * a tool. 0, or -1 with `why` if it could not be carried through. */
int store_check(struct store *store, const struct store_check_options *options,
    store_finding_fn *finding, void *arg, struct store_check_result *result_r,
    struct reason *why);

#endif
