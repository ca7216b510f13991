/* SPDX-License-Identifier: ISC
 *
 * The checks of GRIP by name and in order, as pure functions of a token, of
 * what it came with and of what the DNS said. Check 1 (`form`) is
 * grip_token_parse; 2 to 9 are grip_check_local; 10 is
 * grip_check_published; 11 (`digest`) belongs to who reads the body. The
 * first that fails ends it.
 *
 * All refusals are permanent but `time` and `published`.
 */
#ifndef GRIP_CHECK_H
#define GRIP_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "grip_name.h"
#include "grip_record.h"
#include "grip_token.h"
#include "outcome.h"
#include "visibility.h"

#define GRIP_LEEWAY 60 /* seconds, both ways */

/* What the token came with. Everything is borrowed. */
struct grip_check_input {
	enum grip_type route; /* the type that this route takes */
	const char *const *audiences; /* own host names */
	size_t audience_count;
	const uint8_t *certificate; /* DER of the TLS client certificate */
	size_t certificate_len; /* 0: none was given */
	bool local; /* the peer's uid stands for possession, subject */
	int64_t now; /* seconds since 1970 */
};

/* Checks 2 to 9. OK, or the reason whose word is the check's name. */
GRIP_EXPORT enum outcome grip_check_local(const struct grip_token *token,
    const struct grip_check_input *input, struct reason *why);

/* Checks 2 and 3 again: what can change between two uses of a verdict. */
GRIP_EXPORT enum outcome grip_check_again(const struct grip_token *token,
    const struct grip_check_input *input, struct reason *why);

/* What the DNS said about one `iss`. */
struct grip_publication {
	enum outcome outcome; /* TEMPFAIL: no usable answer */
	const char *detail; /* why not, for people; may be NULL */
	bool present; /* the name exists and has data */
	bool secure; /* validated by DNSSEC, every hop */
	char target[GRIP_NAME_SIZE]; /* last CNAME's target, or "" */
	const struct grip_record *records;
	size_t count;
};

/*
 * Check 10 for the token itself, not for the one inside (call it once for
 * each, with the publication at the `iss` of each). Decides `subject` too when
 * the certificate's CN is not `iss`: pass the outer token's input; for the
 * inner one pass NULL. `require_secure`: an answer without DNSSEC is as none.
 */
GRIP_EXPORT enum outcome grip_check_published(const struct grip_token *token,
    const struct grip_check_input *input,
    const struct grip_publication *publication, bool require_secure,
    struct reason *why);

/* True for the names of checks whose refusal is temporary. */
GRIP_EXPORT bool grip_check_is_temporary(const char *word);

/* The names in order, "form" first, "digest" last; NULL beyond the last. */
GRIP_EXPORT const char *grip_check_name(size_t number);

#endif
