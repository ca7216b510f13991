/* SPDX-License-Identifier: ISC
 *
 * Authentication-Results (RFC 8601) and DKIM-Signature tag lists (RFC 6376)
 * as syntax. Reads hostile bytes: a message may bring such fields of its
 * own.
 *
 * Written by hand because libetpan knows neither field, and OpenDKIM's
 * library would verify anew what the verifier has verified. Fuzzed by
 * fuzz_sender_proof.
 */
#ifndef AUTH_RESULTS_H
#define AUTH_RESULTS_H

#include <stddef.h>

/* One method=result with the properties that we look at, "" if absent. */
struct auth_result {
	char method[32];
	char result[32];
	char domain[256]; /* header.d, lower case */
	char selector[256]; /* header.s, lower case */
	char signature[128]; /* header.b: the first characters of b= */
};

#define AUTH_RESULTS_MAX 32

struct auth_results {
	char authserv_id[256]; /* lower case */
	struct auth_result list[AUTH_RESULTS_MAX];
	size_t count;
};

/* Parses an unfolded field body. 0, or -1 if it cannot be read. */
int auth_results_parse(const char *text, struct auth_results *results_r);

/* The value of one tag in "v=1; a=rsa-sha256; ..." without white space,
 * owned by the caller; NULL if it is absent; "" also if it stands twice. */
char *auth_results_tag(const char *list, const char *tag);

#endif
