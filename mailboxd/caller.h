/* SPDX-License-Identifier: ISC
 *
 * Who asks. An owner by an app token (Bearer) or, where a session begins, by
 * name and password (Basic); a broker or an agent by a GRIP token that gripd
 * verifies against the TLS key; retrievald by the socket it came in by. What
 * the caller may do is access.h's business.
 *
 * Verdicts of gripd are kept for the life of the connection, until they run
 * out; the time of tokens is looked at anew on each use.
 */
#ifndef CALLER_H
#define CALLER_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "grip_token.h"
#include "outcome.h"
#include "store_keys.h"

enum caller_kind {
	CALLER_NOBODY,
	CALLER_OWNER, /* account is set */
	CALLER_AGENT, /* claims: token A; inner: token B */
	CALLER_BROKER, /* claims */
	CALLER_WORKER, /* retrievald */
};

/* Verified claims, shared by the visits of a connection; counted. */
struct caller_claims {
	unsigned references;
	cJSON *claims, *inner; /* inner: NULL, or of the token inside */
};

struct caller {
	enum caller_kind kind;
	char account[STORE_ID_SIZE]; /* of an owner; access.h finds others */
	char name[256]; /* for the log: address, identity */
	struct caller_claims *verified; /* of an agent or a broker */
	const cJSON *claims, *inner; /* its two, or NULL */
};

/* What a route accepts, bits. */
enum caller_accept {
	CALLER_ACCEPT_NOBODY = 1,
	CALLER_ACCEPT_BEARER = 2,
	CALLER_ACCEPT_BASIC = 4,
	CALLER_ACCEPT_NOTIFY = 8,
	CALLER_ACCEPT_GET = 16,
	CALLER_ACCEPT_PUT = 32,
	CALLER_ACCEPT_WORKER = 64,
	CALLER_ACCEPT_RELEASE = 128,
};

struct visit;

/* Finds out and fills visit->caller, then calls `then` with OK or a reason
 * that is a problem type; later or at once. Not called if the visitor goes
 * away before. */
void caller_identify(struct visit *visit, unsigned accept,
    void (*then)(struct visit *visit, enum outcome outcome,
	const struct reason *why));

/* A claim's text of the outer or the inner token; "" if it has none. */
const char *caller_claim(const struct caller *caller, const char *name);
const char *caller_inner(const struct caller *caller, const char *name);

void caller_clear(struct caller *caller);

/* Makes an app token for an account: the text that the user keeps goes to
 * token_r, the row to store under account/<id>/credential/<name> is returned
 * (caller's). */
#define CALLER_TOKEN_SIZE 160
#define CALLER_CREDENTIAL_SIZE 32
cJSON *caller_token_new(const char *account, const char *label, int64_t now,
    int64_t expires, char name_r[CALLER_CREDENTIAL_SIZE],
    char token_r[CALLER_TOKEN_SIZE]);

/* Frees the verdicts kept with a connection. */
void caller_connection_free(void *data);

#endif
