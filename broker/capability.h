/* SPDX-License-Identifier: ISC
 *
 * Has a recipient's domain Cargomail? It says so in the DNS ("v=cargomail1"
 * at _cargomail.<domain>); gripd looks. What is not known for certain is
 * never taken for a yes: then the recipient gets what ordinary mail programs
 * can read.
 *
 * A cache of this process keeps answers for one more moment, so that a
 * message to many at one domain asks once, also where nobody answers.
 */
#ifndef CAPABILITY_H
#define CAPABILITY_H

#include <stdbool.h>
#include <stdint.h>

#include "outcome.h"

enum capability { CAPABILITY_YES, CAPABILITY_NO, CAPABILITY_UNKNOWN };

#define CAPABILITY_CACHE_MAX 64 /* domains */
#define CAPABILITY_SECONDS 60 /* kept at most; gripd keeps by TTL */
#define CAPABILITY_UNKNOWN_SECONDS 30 /* so is what nobody knew */

struct capability_answer {
	enum capability capability;
	bool secure; /* the DNS answer was validated */
	struct reason why; /* of UNKNOWN */
};

struct capability_cache;

/* `resolve_socket` is gripd's; each question waits `timeout_ms` at most. */
struct capability_cache *
capability_new(const char *resolve_socket, int timeout_ms);
void capability_free(struct capability_cache **cache);

/* Of the domain of an address in normal form (mail_address_domain). `id` is
 * for the log: each question that gripd was asked is one line. */
struct capability_answer capability_find(struct capability_cache *cache,
    const char *domain, int64_t now, const char *id);

/* "yes", "no", "unknown". */
const char *capability_name(enum capability capability);

#endif
