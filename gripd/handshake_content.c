/* SPDX-License-Identifier: ISC
 *
 * Recognises the content of a TLS 1.3 CertificateVerify, and that of a TLS
 * 1.2 ServerKeyExchange. By hand: both are a comparison with constants, and
 * they are what keeps the signer from being an oracle.
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

/* ---- TLS 1.2 ---- */

#define RANDOMS 64 /* client's and server's */

/* ECCurveType named_curve, the curve, the length of the point, and for P-256
 * the mark of an uncompressed one. */
static const unsigned char handshake_p256[] = { 3, 0x00, 0x17, 65, 4 };
static const unsigned char handshake_x25519[] = { 3, 0x00, 0x1d, 32 };

static bool
handshake_params_are(const unsigned char *params, size_t len,
    const unsigned char *head, size_t head_len, size_t point_len)
{
	return len == head_len + point_len &&
	    memcmp(params, head, head_len) == 0;
}

bool
handshake_content_is_key_exchange(const void *data, size_t len)
{
	const unsigned char *content = data;

	if (len <= RANDOMS)
		return false;
	content += RANDOMS;
	len -= RANDOMS;
	return handshake_params_are(content, len, handshake_p256,
		   sizeof(handshake_p256), 64) ||
	    handshake_params_are(content, len, handshake_x25519,
		sizeof(handshake_x25519), 32);
}
