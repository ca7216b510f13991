/* SPDX-License-Identifier: ISC
 *
 * From a placeholder and its resources back to the message: raw bytes of the
 * placeholder are spliced, each external body of ours is replaced by the
 * part that it stands for, encoded by its recipe, or in our own way where
 * there is none. Constant memory, however large the resources are; the hash
 * and size of each are checked as it passes.
 */
#ifndef CARGO_REBUILD_H
#define CARGO_REBUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "cargo_placeholder.h"

/*
 * `read` gives the next bytes of resource `index` (in order, from its start;
 * 0 at the end, -1 on error); resources are asked for one after the other.
 * `write` takes the next bytes of the message; -1 on error.
 */
struct cargo_rebuild_io {
	ssize_t (*read)(void *context, size_t index, void *data_r, size_t max);
	int (*write)(void *context, const void *data, size_t len);
	void *context;
};

/*
 * Rebuilds. A message that a converter took apart comes back as it was from
 * the first byte of its header on, below the fields that transport put on
 * top since; *exact_r is true if size and hash of the original, which the
 * placeholder tells, are those of the result. (Where the placeholder was kept
 * with bare LF the result is so, too, and its hash is that with CRLF.) Of
 * other placeholders *exact_r tells whether every part had a recipe.
 *
 * OK; TEMPFAIL "read" or "write" when a callback failed; PERMFAIL "digest" if
 * a resource is not what its hash and size say. What was written until then
 * must be dropped. Hostile placeholders: each resource is read once and
 * written at most sixfold, each byte of the placeholder twice.
 */
enum outcome cargo_rebuild(const struct cargo_placeholder *placeholder,
    const char *message, size_t len, const struct cargo_rebuild_io *io,
    bool *exact_r, struct reason *why);

#endif
