/* SPDX-License-Identifier: ISC
 *
 * The rules of pulling: leases that are live, how many an origin may have,
 * what is in flight, when to try again, and what a worker's report means.
 * Pure logic in memory with the time passed in; what must last is in
 * pull_store.c.
 *
 *   due -> leased -> (partial) -> stored | failed(reason) | expired
 *
 * No lease survives a restart of mailboxd: at the start every pull is due.
 * So live leases are counted here, and nothing of them needs a row but the
 * number, which only grows, so that a late worker changes nothing.
 */
#ifndef PULL_QUEUE_H
#define PULL_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cargo_api.h"
#include "encoding.h"
#include "outcome.h"
#include "store_keys.h"

struct pull_policy {
	int64_t lease_time; /* seconds without a byte */
	unsigned per_origin; /* live leases */
	int64_t first, most; /* seconds between attempts */
};

/* A resource of a lease. */
struct pull_item {
	char hash[SHA256_HEX_SIZE];
	int64_t size;
	int64_t have; /* bytes of a broken transfer */
	int64_t reached; /* how far a transfer came under this lease */
	bool head; /* only the origin's yes is asked */
	bool stored; /* came in under this lease */
	bool wrong; /* what came was not that hash or size */
};

struct pull_lease {
	struct pull_lease *next;
	char message[STORE_ID_SIZE];
	char account[STORE_ID_SIZE];
	char queue_id[CARGO_API_QUEUE_ID_SIZE]; /* for the log, or "" */
	int64_t number;
	int64_t until; /* seconds since 1970; moved by bytes that come */
	int64_t expires; /* of the share */
	char *origin, *share;
	struct pull_item *items;
	size_t count;
	unsigned uploads; /* PUTs in progress */
};

#define PULL_LEASE_NAME_SIZE 64

struct pull_queue;

struct pull_queue *pull_queue_new(const struct pull_policy *policy);
void pull_queue_free(struct pull_queue **queue);
const struct pull_policy *pull_queue_policy(const struct pull_queue *queue);

/* Adds a live lease (taken over; until is set from `now`). */
void
pull_queue_add(struct pull_queue *queue, struct pull_lease *lease, int64_t now);
/* Ends and frees it. */
void pull_queue_remove(struct pull_queue *queue, struct pull_lease *lease);
/* A new, empty lease; pull_lease_free for one that was not added. */
struct pull_lease *
pull_lease_new(const char *origin, const char *share, size_t count);
void pull_lease_free(struct pull_lease *lease);

/* "<message>-<number in hex>", and the live lease of that name, or NULL. */
void pull_lease_name(const struct pull_lease *lease,
    char name_r[PULL_LEASE_NAME_SIZE]);
struct pull_lease *
pull_queue_find(const struct pull_queue *queue, const char *name, int64_t now);

/* The live lease of a message, or NULL. */
struct pull_lease *pull_queue_find_message(const struct pull_queue *queue,
    const char *message, int64_t now);

struct pull_item *
pull_lease_item(const struct pull_lease *lease, const char *hash);

/* Bytes came: the lease runs anew. */
void pull_queue_renew(const struct pull_queue *queue, struct pull_lease *lease,
    int64_t now);

/* Removes leases that ran out with no upload in progress; how many. */
unsigned pull_queue_reap(struct pull_queue *queue, int64_t now);

unsigned pull_queue_live(const struct pull_queue *queue);

/* True if the origin has as many live leases as it may. */
bool pull_queue_full(const struct pull_queue *queue, const char *origin,
    int64_t now);

/* True if a live lease pulls this resource from the same origin and share:
 * it is not leased a second time. */
bool pull_queue_in_flight(const struct pull_queue *queue, const char *origin,
    const char *share, const char *hash, int64_t now);

/* Seconds until attempt number `attempt` (1: the second try): `first`
 * doubled up to `most`, with up to a quarter off or on by `random`. */
int64_t pull_policy_delay(const struct pull_policy *policy, int64_t attempt,
    uint32_t random);

/* What a worker tells about a lease that did not end well. */
struct pull_report {
	int64_t status; /* HTTP status of the origin, 0 if none */
	const char *problem; /* name of the problem type, "" if none */
	bool authenticated; /* the origin's certificate was good */
	bool wrong; /* we saw ourselves that the bytes were wrong */
};

struct pull_judgement {
	enum outcome outcome; /* TEMPFAIL: again later; PERMFAIL */
	char problem[32]; /* what the failure is called */
	bool whole; /* holds for all that is pending */
	bool origin_fault; /* leave the origin alone for a while */
};

/* Permanent only from an authenticated origin with a problem type that says
 * so, or a wrong hash or size; all else is temporary. */
void pull_queue_judge(const struct pull_report *report,
    struct pull_judgement *judgement_r);

#endif
