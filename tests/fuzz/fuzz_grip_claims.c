/* SPDX-License-Identifier: ISC
 *
 * The payload of a token without its base64url shell, so that the fuzzer gets
 * at claims, keys and names. The first byte chooses the type.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "encoding.h"
#include "grip_token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[GRIP_TOKEN_MAX * 2];
	struct grip_token *token;
	char header[64];
	size_t len;

	if (size == 0 || size > 4096)
		return 0;
	len = (size_t)snprintf(header, sizeof(header),
	    "{\"typ\":\"%s\",\"alg\":\"%s\"}",
	    grip_type_name((enum grip_type)(data[0] % GRIP_TYPE_COUNT)),
	    data[0] & 0x80 ? "EdDSA" : "ES256");
	base64url_format(header, len, text);
	len = strlen(text);
	text[len++] = '.';
	base64url_format(data + 1, size - 1, text + len);
	len = strlen(text);
	text[len++] = '.';
	memset(text + len, 'A', 86);
	if (grip_token_parse(text, len + 86, &token, NULL) == OUTCOME_OK)
		grip_token_free(&token);
	return 0;
}
