/* SPDX-License-Identifier: ISC
 *
 * The body of POST /v1/notifications:
 *
 *   {"category":"healthcare",
 *    "resources":[{"hash":HEX,"size":N,"type":"video/mp4","name":"a.mp4"}],
 *    "placeholder":BASE64}
 *
 * "category" and "name" are left out where there is none. Who it is from and
 * for stands only in token B. Reads hostile bytes (through json_strict).
 */
#ifndef CARGO_NOTIFICATION_H
#define CARGO_NOTIFICATION_H

#include <stddef.h>
#include <stdint.h>

#include "cargo_placeholder.h"
#include "encoding.h"
#include "outcome.h"

#define CARGO_MAX_NOTIFICATION (2 * 1024 * 1024) /* bytes */

struct cargo_notified {
	char hash[SHA256_HEX_SIZE];
	int64_t size;
	char *type;
	char *name; /* NULL if there is none */
};

struct cargo_notification {
	char *category; /* NULL if there is none */
	struct cargo_notified *resources;
	size_t count;
	char *placeholder; /* the message's bytes */
	size_t placeholder_len;
};

/* The body as text, owned by the caller (free()); NULL for want of memory. */
char *cargo_notification_compose(const struct cargo_placeholder *placeholder,
    const char *message, size_t len);

/* Parses a body: syntax and limits only. PERMFAIL "form" or "limit". */
enum outcome cargo_notification_parse(const char *body, size_t len,
    struct cargo_notification **notification_r, struct reason *why);

/* Compares with the parsed placeholder that it carries: the same resources
 * in the same order and the same category. PERMFAIL "disagree". */
enum outcome
cargo_notification_compare(const struct cargo_notification *notification,
    const struct cargo_placeholder *placeholder, struct reason *why);

void cargo_notification_free(struct cargo_notification **notification);

#endif
