/* SPDX-License-Identifier: ISC
 *
 * What lasts of a pull: its row, its due row, and the changes that its
 * resources go through. The functions that take a transaction run in work
 * functions of the store (committer thread), each state with its record in
 * the same transaction. State is derived: use row of the message = stored,
 * failure row = failed, otherwise pending as long as the pull row stands.
 */
#ifndef PULL_STORE_H
#define PULL_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "cargo_api.h"
#include "pull_queue.h"
#include "store.h"

/* What a work function of this module changes at most at once, so that it
 * stays within STORE_CLOSURE_KEYS. */
#define PULL_STORE_BATCH 12

/* A pull row; free with pull_row_clear. */
struct pull_row {
	char message[STORE_ID_SIZE];
	char account[STORE_ID_SIZE];
	char queue_id[CARGO_API_QUEUE_ID_SIZE]; /* for the log, or "" */
	int64_t due; /* when it may be leased, or its lease ends */
	int64_t reserved; /* bytes of the account's quota */
	int64_t expires; /* of the share */
	int64_t attempt; /* tries that came to nothing */
	int64_t lease; /* number of the last lease */
	int64_t failed; /* when the last of them failed; 0: none has */
	char problem[32]; /* by which name */
	int64_t status; /* and what the origin answered, 0 if nothing */
	bool leased;
	bool local; /* the origin is this very server */
	char *origin, *share, *agent;
	char *token; /* token B */
};

/* 1, 0 no such pull, -1 trouble or torn. */
int pull_row_get(struct store_view *view, const char *message,
    struct pull_row *row_r);
void pull_row_clear(struct pull_row *row);

/* Writes the row, and moves its due row from `old_due` (-1: there is none
 * yet) to row->due. At most three keys. */
enum outcome pull_row_put(struct store_txn *txn, const struct pull_row *row,
    int64_t old_due);

/* Removes pull and due row. Two keys. */
enum outcome pull_row_delete(struct store_txn *txn, const struct pull_row *row);

/* The pull whose message id begins with `text` (PULL_PREFIX_MIN lower-case
 * hex digits at least). 1 and the id; 0 none, 2 more than one, -1 trouble. */
#define PULL_PREFIX_MIN 4
int pull_row_find(struct store_view *view, const char *text,
    char message_r[STORE_ID_SIZE]);

/* The immutable message of a pull: 1 and the object (caller's), 0, -1. */
int pull_message_get(struct store_view *view, const struct pull_row *row,
    cJSON **message_r);

/* Where a resource of a message stands. */
enum pull_state { PULL_PENDING, PULL_STORED, PULL_FAILED };

/* -1 on trouble. */
int pull_resource_state(struct store_view *view, const char *account,
    const char *message, const char *hash);

/*
 * What is still to be done, as the lease that would be given: pending
 * resources with their mode and what is here of them. NULL on trouble;
 * count 0 if nothing is pending. The caller's: pull_lease_free.
 */
struct pull_lease *
pull_plan(struct store_view *view, const struct pull_row *row);

/* ---- work functions; each `arg` is the struct named before it ---------- */

/* Takes the lease: the number grows, the due row moves to `until`. Refused
 * "lease" if the row changed since the plan. */
struct pull_take {
	char message[STORE_ID_SIZE];
	int64_t expected; /* lease number seen */
	int64_t until;
	struct pull_row row; /* result: the row as it now is */
};
enum outcome pull_store_take(struct store_txn *txn, void *arg);

/* One resource is here: uploaded (`blob` has a locator) or to be linked (the
 * origin said yes; checked here that it came before). Refused "lease" if
 * `number` is not the row's. */
struct pull_commit {
	char message[STORE_ID_SIZE];
	int64_t number;
	char hash[SHA256_HEX_SIZE];
	struct store_blob blob;
	bool link;
	char upload[STORE_ID_SIZE]; /* "" or to be forgotten */
	int64_t now;
};
enum outcome pull_store_commit(struct store_txn *txn, void *arg);

/* The worker says that all is done. If so the pull ends, else it is due
 * again (`retry_at`). */
struct pull_finish {
	char message[STORE_ID_SIZE];
	int64_t number; /* -1: no worker, do not compare */
	int64_t now, retry_at;
	bool ended; /* result */
	int64_t since; /* result: when it was announced */
};
enum outcome pull_store_finish(struct store_txn *txn, void *arg);

/* It did not work: due again after the policy's delay (or when the share
 * expires). With `origin_fault` the origin is left alone for a while. */
struct pull_retry {
	char message[STORE_ID_SIZE];
	int64_t number; /* -1: do not compare */
	int64_t now;
	bool origin_fault;
	char problem[32]; /* what it is called; "": no failure */
	int64_t status;
	uint32_t random;
	const struct pull_policy *policy;
	bool lapse; /* the lease broke off: due at once, no attempt */
	bool progress; /* something came: begin with short delays again */
	int64_t due; /* result */
};
enum outcome pull_store_retry(struct store_txn *txn, void *arg);

/* The administrator: those that are not leased are due now, their origins may
 * be asked now, and delays begin with the short ones again. */
struct pull_hasten {
	char messages[PULL_STORE_BATCH][STORE_ID_SIZE];
	unsigned count;
	int64_t now;
	unsigned due, leased; /* results */
};
enum outcome pull_store_hasten(struct store_txn *txn, void *arg);

/* Ends resources for good: the one of `hash`, or all pending ones ("").
 * `more` says that not all fitted into one transaction: call again. When
 * nothing is pending the pull ends, else it is due at once. */
struct pull_fail {
	char message[STORE_ID_SIZE];
	int64_t number; /* -1: do not compare */
	char hash[SHA256_HEX_SIZE];
	char problem[32];
	int64_t now;
	bool more, ended; /* results */
};
enum outcome pull_store_fail(struct store_txn *txn, void *arg);

/* The origin is this server: links what the share allows, fails the rest.
 * The full check of the share happens in this transaction. */
struct pull_link {
	char message[STORE_ID_SIZE];
	int64_t now;
	bool more, ended; /* results */
};
enum outcome pull_store_link(struct store_txn *txn, void *arg);

/* Moves due rows that cannot be leased before `until`. */
struct pull_postpone {
	char messages[PULL_STORE_BATCH][STORE_ID_SIZE];
	int64_t seen[PULL_STORE_BATCH]; /* the due times seen */
	int64_t until[PULL_STORE_BATCH];
	unsigned count;
};
enum outcome pull_store_postpone(struct store_txn *txn, void *arg);

/* ---- origins ----------------------------------------------------------- */

/* When an origin may be tried again (0: now); -1 trouble. */
int64_t pull_origin_not_before(struct store_view *view, const char *origin);

/* The key of an origin's row. */
const char *pull_origin_key(struct store_key *key, const char *origin);

#endif
