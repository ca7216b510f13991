/* SPDX-License-Identifier: ISC
 *
 * Reads back from a Resource Mailbox what this broker notified there, with
 * release tokens: how the message stands, and the bytes of its resources.
 */
#ifndef RELEASE_FETCH_H
#define RELEASE_FETCH_H

#include <stdint.h>

#include "destination_map.h"
#include "outcome.h"
#include "spool.h"

#define RELEASE_ID_SIZE 129 /* of a message at its mailbox */

/* Where a message lies. */
struct release_place {
	struct destination destination;
	char message[RELEASE_ID_SIZE];
};

/* How it is read; for tests a table of others. `seconds` bounds the call. */
struct release_source {
	/* Waits up to `seconds` until nothing is pending. OK: all is there.
	 * PERMFAIL: it never will be (the word of the first resource that
	 * failed), or is not given. TEMPFAIL "pending", or trouble. */
	enum outcome (*wait)(void *context, const struct release_place *place,
	    int64_t seconds, struct reason *why);
	/* Adds the bytes of a resource to a spool. PERMFAIL: not given. */
	enum outcome (*fetch)(void *context, const struct release_place *place,
	    const char *hash, int64_t seconds, struct spool *spool,
	    struct reason *why);
};

/* The real one; its context is a struct notify. */
extern const struct release_source release_fetch_source;

#endif
