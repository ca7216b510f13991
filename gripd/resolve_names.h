/* SPDX-License-Identifier: ISC
 *
 * The verbs `addresses` (where a host is, as far as we may connect there) and
 * `keys` (what an identity publishes, if DNSSEC vouches for it).
 */
#ifndef RESOLVE_NAMES_H
#define RESOLVE_NAMES_H

#include "grip_check.h"
#include "resolve_client.h"

/* Finish the request, now or later. */
void resolve_addresses_start(struct resolve_request *request);
void resolve_keys_start(struct resolve_request *request);

/* The records of ours among those of a TXT answer; at most `max`. */
size_t resolve_records(const struct dns_answer *answer,
    struct grip_record *records_r, size_t max);

#endif
