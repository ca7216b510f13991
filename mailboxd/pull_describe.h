/* SPDX-License-Identifier: ISC
 *
 * A pull as the administrator sees it: where it stands and why.
 */
#ifndef PULL_DESCRIBE_H
#define PULL_DESCRIBE_H

#include <cjson/cJSON.h>

#include "store.h"

/* A line of the queue (caller's): {"message", "mailbox", "origin", "share",
 * "attempt", "next", "expires", "state", "resources", "bytes", "have"}, and
 * "local" if the origin is this server. NULL
 * if it came to its end, or on trouble. */
cJSON *pull_describe_line(struct store_view *view, const char *message);

/* All of it (caller's), the same members and those of the message, the last
 * failure and what is known of the origin; and the array of its resources:
 * {"hash", "size", "type", "name", "state", "have", "problem"}. Both NULL as
 * above. Token B is not in it. */
cJSON *pull_describe(struct store_view *view, const char *message,
    cJSON **resources_r);

#endif
