/* SPDX-License-Identifier: ISC
 *
 * A lease as mailboxd hands it out: one pull, what of it is still missing,
 * and the token B that speaks for it. Also the facts that go back. mailboxd
 * is another process: its JSON is read as strictly as anybody's.
 */
#ifndef LEASE_H
#define LEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cargo_api.h"
#include "encoding.h"
#include "outcome.h"

#define LEASE_MAX_RESOURCES 200
#define LEASE_MAX_BODY 262144 /* bytes of the JSON */
#define LEASE_ID_SIZE 80

enum lease_mode {
	LEASE_GET, /* fetch the bytes */
	LEASE_HEAD, /* only ask whether this recipient is entitled */
};

struct lease_resource {
	char hash[SHA256_HEX_SIZE];
	int64_t size;
	int64_t have; /* bytes that mailboxd holds of a broken transfer */
	enum lease_mode mode;
};

struct lease {
	char id[LEASE_ID_SIZE]; /* "<message id>-<lease number hex>" */
	char message[LEASE_ID_SIZE]; /* its first half: names the log lines */
	char queue_id[CARGO_API_QUEUE_ID_SIZE]; /* for the log, or "" */
	char *agent; /* identity to act as */
	char *origin; /* https://host[:port] */
	char *share;
	char *token; /* B */
	int64_t until;
	struct lease_resource *resources;
	size_t count;
};

/* PERMFAIL "lease" if it is not a lease. Freed by lease_free. */
enum outcome lease_parse(const char *body, size_t len, struct lease **lease_r,
    struct reason *why);
void lease_free(struct lease **lease);

/* What a worker saw when something failed. */
struct lease_facts {
	int status; /* of HTTP, 0 if it did not come to that */
	char problem[64]; /* name of the problem type, or "" */
	bool authenticated; /* the origin's TLS identity was verified */
	char hash[SHA256_HEX_SIZE]; /* resource, or "" for all */
	char detail[201]; /* text for people, valid UTF-8 */
	char word[64]; /* for our log alone: why it ended */
};

/* The body of `failed`, owned by the caller (free()). */
char *lease_facts_format(const struct lease_facts *facts);

/* Fills detail from text that may come from a peer: bytes that JSON cannot
 * carry become "?". */
void lease_facts_set_detail(struct lease_facts *facts, const char *text);

#endif
