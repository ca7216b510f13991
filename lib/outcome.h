/* SPDX-License-Identifier: ISC
 *
 * The three outcomes that everything in the suite ends in, and the reason
 * that goes with the two bad ones. Unknown, local trouble, time-out, full
 * disk: temporary. Permanent only with a reason that lies in the message or
 * in the policy of an authenticated peer.
 */
#ifndef OUTCOME_H
#define OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include "visibility.h"

enum outcome {
	OUTCOME_OK,
	OUTCOME_TEMPFAIL,
	OUTCOME_PERMFAIL,
};

/*
 * Why something did not work. `word` is one of a table (a check of GRIP, a
 * problem type, a log word) and may be compared; `text` is for people and
 * may quote hostile bytes: escape it where it leaves.
 */
struct reason {
	enum outcome outcome;
	char word[32];
	char text[208];
};

/*
 * Fills `why` (which may be NULL) and returns `outcome`, so that a refusal
 * is one line: return reason_set(&why, OUTCOME_PERMFAIL, "form", "...").
 */
GRIP_EXPORT enum outcome
reason_set(struct reason *why, enum outcome outcome, const char *word,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* True if `why` carries this word. */
GRIP_EXPORT bool reason_is(const struct reason *why, const char *word);

/* "ok", "tempfail", "permfail". */
GRIP_EXPORT const char *outcome_name(enum outcome outcome);

/* The reverse: 0, or -1 if `name` is none of the three. */
GRIP_EXPORT int outcome_parse(const char *name, enum outcome *outcome_r);

#endif
