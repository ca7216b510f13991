/* SPDX-License-Identifier: ISC
 *
 * Between the parts of caller: tokens of GRIP (caller_grip.c) and all else.
 */
#ifndef CALLER_PRIVATE_H
#define CALLER_PRIVATE_H

#include "caller.h"

typedef void
caller_identified(struct visit *, enum outcome, const struct reason *);

/* A question on its way, to gripd or to the password process. */
struct caller_inquiry {
	struct visit *visit;
	caller_identified *then;
	enum grip_type type;
	char *token;
	char account[STORE_ID_SIZE];
};

struct caller_inquiry *
caller_inquiry_new(struct visit *visit, caller_identified *then);

/* Ends it; the visitor may be gone, then nobody is told. */
void caller_inquiry_end(struct caller_inquiry *inquiry, enum outcome outcome,
    const struct reason *why);

/* Asks gripd about a token, or remembers what it said. */
void caller_identify_grip(struct visit *visit, unsigned accept,
    const char *token, caller_identified *then);

/* Lets go of claims; NULL is fine. */
void caller_claims_release(struct caller_claims *verified);

#endif
