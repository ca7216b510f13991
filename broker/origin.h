/* SPDX-License-Identifier: ISC
 *
 * What the broker does for its own user at that user's Resource Mailbox:
 * puts resources, shares them, withdraws a share. By grip-put tokens of our
 * own role; the account must have enrolled us.
 *
 * A share is told first: where it stands already, because this very message
 * was here before, no byte moves a second time.
 */
#ifndef ORIGIN_H
#define ORIGIN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "breaker.h"
#include "broker_config.h"
#include "encoding.h"
#include "outcome.h"
#include "service_url.h"

struct origin;

/* All that it is given must outlive it. */
struct origin *
origin_new(const struct broker_config *config, struct breaker *breaker);
void origin_free(struct origin **origin);

/* Who may open a page with which secret; the mailbox learns its SHA-256. */
struct origin_page {
	const char *recipient; /* normal form */
	char key[SHA256_HEX_SIZE];
};

/* A share, and whose and where it is; all of it borrowed. */
struct origin_share {
	const struct service_url *url;
	const char *user; /* normal form */
	const char *id;
	const char *message; /* Message-ID without brackets */
	const char *category; /* NULL if none */
	int64_t expires;
	char *const *recipients; /* normal form */
	size_t recipient_count;
	const struct origin_page *pages;
	size_t page_count;
	const char *const *hashes;
	size_t hash_count;
};

struct origin_resource {
	const char *hash;
	int64_t size;
	const char *type; /* media type, parameters allowed */
	const char *name; /* NULL if none */
	/* Its octets from the start, up to `max`; -1 gives up. */
	ssize_t (*read)(void *arg, void *data_r, size_t max);
	void *arg;
};

/*
 * Each: OK; PERMFAIL with the name of the problem, from the mailbox itself;
 * TEMPFAIL for everything else, also "quota".
 */

/* Stores a resource for this share. */
enum outcome origin_put(struct origin *origin, const struct origin_share *share,
    const struct origin_resource *resource, struct reason *why);

/* Makes the share; OK also if it stands already and says the same.
 * PERMFAIL "not-found": a resource was not put for it; "revoked",
 * "conflict": the id is used up. */
enum outcome origin_share(struct origin *origin,
    const struct origin_share *share, struct reason *why);

/* Withdraws it; OK also if there is none. */
enum outcome origin_withdraw(struct origin *origin,
    const struct origin_share *share, struct reason *why);

/* The URL of the mailbox's pages, "https://web.hospital.test"; PERMFAIL
 * "no-web" if it has none. */
enum outcome origin_web(struct origin *origin, const struct origin_share *share,
    char web_r[SERVICE_URL_SIZE], struct reason *why);

#endif
