/* SPDX-License-Identifier: ISC
 *
 * Recognises the content of a TLS 1.3 CertificateVerify. By hand: it is a
 * comparison with a constant, and it is what keeps the signer from being an
 * oracle.
 */
#include "handshake_content.h"

#include <string.h>

#define SPACES 64
#define CONTEXT_LEN 33 /* both context strings */
#define HASH_AT (SPACES + CONTEXT_LEN + 1)

static const char handshake_spaces[SPACES + 1] =
    "                                "
    "                                ";
static const char handshake_server[] = "TLS 1.3, server CertificateVerify";
static const char handshake_client[] = "TLS 1.3, client CertificateVerify";

_Static_assert(sizeof(handshake_server) == CONTEXT_LEN + 1, "context length");
_Static_assert(sizeof(handshake_client) == CONTEXT_LEN + 1, "context length");

enum handshake_side
handshake_content_side(const void *data, size_t len)
{
	const char *content = data;

	/* SHA-256 or SHA-384: all that TLS 1.3 suites use. */
	if (len != HASH_AT + 32 && len != HASH_AT + 48)
		return HANDSHAKE_NONE;
	if (memcmp(content, handshake_spaces, SPACES) != 0)
		return HANDSHAKE_NONE;
	/* With the NUL, which is the zero byte of the content. */
	if (memcmp(content + SPACES, handshake_server, CONTEXT_LEN + 1) == 0)
		return HANDSHAKE_SERVER;
	if (memcmp(content + SPACES, handshake_client, CONTEXT_LEN + 1) == 0)
		return HANDSHAKE_CLIENT;
	return HANDSHAKE_NONE;
}
