/* SPDX-License-Identifier: ISC
 *
 * Resources up and down, in constant memory, each hashed on its way. What
 * comes down is a file only when its SHA-256 and size are right.
 */
#ifndef TRANSFER_H
#define TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

#include "encoding.h"
#include "outcome.h"
#include "session.h"

/* A file to put. */
struct transfer_source {
	int fd; /* readable from any offset */
	char hash[SHA256_HEX_SIZE];
	int64_t size;
	const char *type; /* media type, not owned */
	const char *name; /* file name to keep with it, NULL; not owned */
	const char *label; /* for the progress line, not owned */
};

/* Reads source->fd once and fills hash and size. TEMPFAIL "local". */
enum outcome transfer_hash(struct transfer_source *source, struct reason *why);

/* Puts it unless this account has it already; *sent_r tells. PERMFAIL
 * "wrong-hash" if the file changed meanwhile. */
enum outcome transfer_put(struct session *session,
    const struct transfer_source *source, bool *sent_r, struct reason *why);

/* Does this account hold the resource? OK, PERMFAIL "not-shared" if not.
 * *size_r (may be NULL): its size. */
enum outcome transfer_has(struct session *session, const char *hash,
    int64_t *size_r, struct reason *why);

/* Writes the resource to `fd` from its offset on. `size` -1: not known
 * beforehand. A broken transfer is resumed with a range. PERMFAIL
 * "wrong-hash", "wrong-size". */
enum outcome transfer_get(struct session *session, const char *hash,
    int64_t size, const char *label, int fd, struct reason *why);

/* Writes it to a new file in `directory` under `name`, which must be clean
 * (file_name_clean), or the same with a number if that is taken. Nothing is
 * left if it fails. *path_r is the caller's. */
enum outcome
transfer_get_file(struct session *session, const char *hash, int64_t size,
    const char *directory, const char *name, char **path_r, struct reason *why);

/* An unlinked temporary file in $TMPDIR or /tmp; -1 with errno. */
int transfer_temporary(void);

#endif
