/* SPDX-License-Identifier: ISC
 *
 * One pull, from its lease to its end: token A around the lease's token B,
 * each resource by GET over mutual TLS straight into mailboxd's pull.sock,
 * or a HEAD where only the origin's yes is wanted; facts to mailboxd, which
 * decides. Keeps nothing.
 */
#ifndef RETRIEVE_H
#define RETRIEVE_H

#include "http_client.h"
#include "lease.h"
#include "outcome.h"
#include "retrievald_config.h"

struct retrieve;

/* Everything must outlive it; does not connect yet. NULL with `why`.
 * `give_way` is asked with `arg` in the middle of a transfer, and told whether
 * it has lasted a slice: if it says so, the pull is handed back, to go on
 * later. */
struct retrieve *retrieve_new(const struct retrievald_config *config,
    bool (*give_way)(void *arg, bool sliced), void *arg, struct reason *why);
void retrieve_free(struct retrieve **retrieve);

/* Asks for a lease, waiting as the configuration says. OK with *lease_r, or
 * with NULL if there is nothing to do; TEMPFAIL: mailboxd is away or busy;
 * PERMFAIL "lease": it answered something that is none. */
enum outcome retrieve_lease(struct retrieve *retrieve, struct lease **lease_r,
    struct reason *why);

/* Retrieves and reports; logs each step under the message's id. *bytes_r:
 * what came over the network. OK if the pull was reported done. */
enum outcome retrieve_pull(struct retrieve *retrieve, const struct lease *lease,
    int64_t *bytes_r);

#endif
