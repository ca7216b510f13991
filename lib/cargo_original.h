/* SPDX-License-Identifier: ISC
 *
 * How the header of a message that was taken apart comes back. Its MIME
 * fields (and the category) had to leave the header of the placeholder; they
 * stand, as they were, in the one part behind the note. There the field
 *
 *   Content-Original: message; order=k12m2k1m1; size=137438; sha256=...
 *
 * says in which order fields that were kept in the header (k) and fields
 * that moved (m) make the original's, and the size and hash of the whole
 * original from the first byte of its header. Transport puts fields on top
 * only, so the kept ones are counted from the bottom.
 *
 * Trust: reads hostile bytes; counts that do not agree make it unusable, and
 * the hash tells whether the result is the original. Whoever writes a
 * placeholder writes the hash, too: so no fields come back but those of the
 * kinds that move, and From and whatever else a reader believes is that of
 * the placeholder, for which its sender was proven.
 */
#ifndef CARGO_ORIGINAL_H
#define CARGO_ORIGINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cargo_placeholder.h"
#include "mail_header.h"

#define CARGO_FIELD_ORIGINAL "Content-Original"
#define CARGO_ORIGINAL_RUNS 100
#define CARGO_ORIGINAL_ID "X-Original-" /* before the Content-ID of a part */

struct cargo_original_run {
	bool moved;
	size_t count; /* fields */
};

struct cargo_original {
	size_t part; /* the one behind the note */
	bool leaf; /* it is the external body itself */
	struct cargo_original_run runs[CARGO_ORIGINAL_RUNS];
	size_t run_count;
	size_t kept, moved; /* fields of each kind */
	int64_t size; /* of the original */
	char hash[SHA256_HEX_SIZE];
};

/* 1: the placeholder has such a field and it can be followed; 0: it has none;
 * -1: it has one that cannot be followed. */
int cargo_original_find(const struct cargo_placeholder *placeholder,
    const char *message, struct cargo_original *original_r);

/* True for fields that leave the header. */
bool cargo_original_is_moved(const struct mail_field *field);

/* True for fields of a placeholder's header that are not the original's. */
bool cargo_original_is_ours(const struct mail_field *field);

/* The next field of the original that was kept (`start`: an offset into the
 * message's header, `len` bytes long) or moved (an offset from 0 on that is
 * only handed back). False at the end. *field_r has the original's name. */
bool cargo_original_next_kept(const char *message, size_t len, size_t *at,
    struct mail_field *field_r);
bool cargo_original_next_moved(const struct cargo_placeholder *placeholder,
    const char *message, const struct cargo_original *original, size_t *at,
    struct mail_field *field_r);

/* A part's own Content-ID was renamed by CARGO_ORIGINAL_ID. True if it is
 * one (or was named so before); *field then begins with the original name. */
bool cargo_original_restore_id(struct mail_field *field);

#endif
