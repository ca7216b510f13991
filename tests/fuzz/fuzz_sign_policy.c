/* SPDX-License-Identifier: ISC
 *
 * The reader of the signer's policy.
 */
#include <stdint.h>
#include <stdlib.h>

#include "sign_policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sign_policy policy;
	char *error = NULL;

	if (sign_policy_parse("policy", (const char *)data, len, &policy,
		&error) == 0)
		sign_policy_free(&policy);
	free(error);
	return 0;
}
