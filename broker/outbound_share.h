/* SPDX-License-Identifier: ISC
 *
 * The share of one converted message: its name, its resources in the
 * sender's mailbox, and its end if no mail went that speaks of it.
 *
 * The name follows from the message as Postfix has it, from its recipients
 * and a secret (share_secret.h). So what Postfix brings again, because we
 * died in between, meets the share that stands already: nothing is shared
 * twice and nothing is left half shared. A share that was withdrawn is used
 * up; then the next name is taken.
 */
#ifndef OUTBOUND_SHARE_H
#define OUTBOUND_SHARE_H

#include <openssl/evp.h>

#include "cargo_convert.h"
#include "origin.h"
#include "outcome.h"
#include "share_secret.h"

/* How the origin is spoken to; for tests. */
struct outbound_origin {
	struct origin *origin;
	enum outcome (*put)(struct origin *origin,
	    const struct origin_share *share,
	    const struct origin_resource *resource, struct reason *why);
	enum outcome (*share)(struct origin *origin,
	    const struct origin_share *share, struct reason *why);
	enum outcome (*withdraw)(struct origin *origin,
	    const struct origin_share *share, struct reason *why);
	enum outcome (*web)(struct origin *origin,
	    const struct origin_share *share, char web_r[SERVICE_URL_SIZE],
	    struct reason *why);
};

struct outbound_share {
	struct origin_share share; /* what the origin is told */
	char id[CARGO_SHARE_LEN + 1];
	const struct cargo_conversion *conversion;
	EVP_MD_CTX *name; /* of what the id follows from */
	const char **hashes;
	char *placeholder; /* proven; for this id */
	size_t len;
	bool stands; /* at the origin */
};

/* Begins: `share` has all but id and hashes, which are set here. What it
 * points to, conversion and message must outlive it. */
void outbound_share_init(struct outbound_share *share,
    const unsigned char secret[SHARE_SECRET_LEN],
    const struct cargo_conversion *conversion, const char *message, size_t len);
void outbound_share_free(struct outbound_share *share);

/*
 * Composes and proves the placeholder, puts the resources and makes the
 * share, under the first name that is not used up. Otherwise nothing stands,
 * as far as the origin can be reached. PERMFAIL "differs", "form", "limit":
 * the message cannot be converted; TEMPFAIL "box"; else what the origin
 * says, with is_refused_r set.
 */
enum outcome outbound_share_make(struct outbound_share *share,
    const struct outbound_origin *origin, bool *is_refused_r,
    struct reason *why);

#endif
