/* SPDX-License-Identifier: ISC
 *
 * mailboxd's pull API on pull.sock: ask for a lease, report what was seen.
 * The bytes themselves go by http_client_pipe (retrieve.c).
 */
#ifndef PULL_CLIENT_H
#define PULL_CLIENT_H

#include "http_client.h"
#include "lease.h"
#include "outcome.h"

struct pull_client;

/* `socket_path` is copied. NULL with `why`. */
struct pull_client *
pull_client_new(const char *socket_path, struct reason *why);
void pull_client_free(struct pull_client **client);

/* See retrieve_lease. `wait` in seconds. */
enum outcome pull_client_lease(struct pull_client *client, int64_t wait,
    struct lease **lease_r, struct reason *why);

/* All resources of the lease are there. TEMPFAIL: mailboxd did not take
 * it; the lease will lapse. The same for the other two. */
enum outcome pull_client_done(struct pull_client *client,
    const struct lease *lease, struct reason *why);
/* The origin said yes to a resource that mailboxd holds already. */
enum outcome pull_client_entitled(struct pull_client *client,
    const struct lease *lease, const char *hash, struct reason *why);
enum outcome
pull_client_failed(struct pull_client *client, const struct lease *lease,
    const struct lease_facts *facts, struct reason *why);

#endif
