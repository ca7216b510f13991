/* SPDX-License-Identifier: ISC
 *
 * What a TLS 1.3 peer signs in its CertificateVerify (RFC 8446, section
 * 4.4.3): 64 spaces, a context string for the side, a zero byte, the hash of
 * the transcript. Nothing else is ever signed for TLS; and since a space is
 * not in the alphabet of base64url, nothing of this shape can be a token.
 *
 * For a web host alone also what a TLS 1.2 server signs in its
 * ServerKeyExchange (RFC 8422, section 5.4): the two randoms of 32 bytes, the
 * parameters of a named curve, a point. The byte 3 behind the randoms is in
 * the alphabet of neither a token nor a context string, so these are no
 * token and no content of TLS 1.3, whatever the randoms are.
 */
#ifndef HANDSHAKE_CONTENT_H
#define HANDSHAKE_CONTENT_H

#include <stdbool.h>
#include <stddef.h>

enum handshake_side {
	HANDSHAKE_NONE, /* not such a content */
	HANDSHAKE_SERVER,
	HANDSHAKE_CLIENT,
};

/* Whose content these bytes (hostile) are: exactly, with a hash of 32 or 48
 * bytes, or HANDSHAKE_NONE. */
enum handshake_side handshake_content_side(const void *data, size_t len);

/* True if these bytes (hostile) are exactly the content of a TLS 1.2
 * ServerKeyExchange with an uncompressed point of P-256 or one of X25519. */
bool handshake_content_is_key_exchange(const void *data, size_t len);

#endif
