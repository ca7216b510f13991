/* SPDX-License-Identifier: ISC
 *
 * What a TLS 1.3 peer signs in its CertificateVerify (RFC 8446, section
 * 4.4.3): 64 spaces, a context string for the side, a zero byte, the hash of
 * the transcript. Nothing else is ever signed for TLS; and since a space is
 * not in the alphabet of base64url, nothing of this shape can be a token.
 */
#ifndef HANDSHAKE_CONTENT_H
#define HANDSHAKE_CONTENT_H

#include <stddef.h>

enum handshake_side {
	HANDSHAKE_NONE, /* not such a content */
	HANDSHAKE_SERVER,
	HANDSHAKE_CLIENT,
};

/* Whose content these bytes (hostile) are: exactly, with a hash of 32 or 48
 * bytes, or HANDSHAKE_NONE. */
enum handshake_side handshake_content_side(const void *data, size_t len);

#endif
