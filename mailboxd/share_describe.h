/* SPDX-License-Identifier: ISC
 *
 * Shares as the administrator sees them. Whose a share is stands in its key
 * alone, and two accounts may use one id.
 */
#ifndef SHARE_DESCRIBE_H
#define SHARE_DESCRIBE_H

#include <cjson/cJSON.h>

#include "store.h"

/* A line of a list (caller's): {"share", "account", "owner", "message",
 * "category", "broker", "since", "expires", "revoked", "state", "resources",
 * "recipients"}; members that have no value are absent. NULL if there is
 * none, or on trouble. */
cJSON *share_describe(struct store_view *view, const char *account,
    const char *share, int64_t now);

/* All shares of an account, added to `list`. 0, -1 trouble. */
int share_describe_all(struct store_view *view, const char *account,
    int64_t now, cJSON *list);

/* Its resources {"hash", "size", "type", "name"}, its recipients
 * {"recipient"}, and its pages {"recipient", "page":true, "downloads"}, each
 * an object of its own in `list`. 0, -1 trouble. */
int share_describe_content(struct store_view *view, const char *account,
    const char *share, cJSON *list);

/*
 * Whose share is it? Looks in every account; where `address` is not "", in
 * its account only. 1 and the account; 0 none, 2 more than one, -1 trouble.
 */
int share_describe_find(struct store_view *view, const char *share,
    const char *address, char account_r[STORE_ID_SIZE]);

#endif
