/* SPDX-License-Identifier: ISC
 *
 * Tokens: whatever passes `form` can be judged, and is within the bounds that
 * the table of claims promises.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "grip_check.h"
#include "grip_token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_claims(struct grip_token *token)
{
	const char *value;

	for (const struct grip_claim *c = grip_claim_table(); c->name != NULL;
	     c++) {
		value = *grip_claims_field(c, &token->claims);
		if ((value != NULL) != ((c->types & 1u << token->type) != 0))
			abort();
		if (value != NULL && !c->is_valid(value))
			abort();
	}
	if (token->key == NULL || strlen(token->key_hash) != 64)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const audiences[] = { "mailbox.hospital.test" };
	struct grip_check_input input = { .audiences = audiences,
		.audience_count = 1,
		.local = true,
		.now = 1800000000 };
	struct grip_token *token;
	struct reason why;

	if (grip_token_parse((const char *)data, size, &token, &why) !=
	    OUTCOME_OK) {
		if (token != NULL || !reason_is(&why, "form"))
			abort();
		return 0;
	}
	if (size > GRIP_TOKEN_MAX)
		abort();
	check_claims(token);
	input.route = token->type;
	grip_check_local(token, &input, &why);
	grip_token_free(&token);
	return 0;
}
