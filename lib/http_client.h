/* SPDX-License-Identifier: ISC
 *
 * A blocking HTTPS client, the one place where libcurl is used. One handle
 * keeps its connection across calls. https only (TLS 1.3), or plain HTTP
 * over one Unix socket. No proxies, netrc, cookies, alt-svc, redirects or
 * content decoding; headers and bodies are bounded.
 *
 * A server is believed by the CA bundle with the URL's host as the only
 * reference name (dNSName; no CN, no IP address, no partial wildcard), or by
 * the SPKI hashes that the caller vouches for. What cannot be verified is
 * never spoken to, so every response came from an authenticated peer.
 */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/evp.h>

#include "address_policy.h"
#include "buffer.h"
#include "encoding.h"
#include "http_header.h"
#include "http_parse.h"
#include "http_result.h"
#include "outcome.h"
#include "service_url.h"
#include "tls_server.h"

#define HTTP_CLIENT_ADDRESSES_MAX 16
#define HTTP_CLIENT_PINS_MAX 8

struct http_client_addresses {
	unsigned count;
	char text[HTTP_CLIENT_ADDRESSES_MAX][46]; /* IPv4 or IPv6 */
	unsigned ttl; /* seconds that the answer may be used */
};

struct http_client_pins {
	unsigned count;
	uint8_t spki_sha256[HTTP_CLIENT_PINS_MAX][SHA256_LEN];
};

/* CA certificates, parsed once; shared by clients of one process. */
struct http_client_trust;

/* `pem` is a bundle of certificates, read before the chroot. NULL with
 * `why` if it holds none. */
struct http_client_trust *
http_client_trust_new(const void *pem, size_t len, struct reason *why);
/* The same from a file; NULL path: the system's bundle. */
struct http_client_trust *
http_client_trust_load(const char *path, struct reason *why);
void http_client_trust_free(struct http_client_trust **trust);

/* Everything that is a pointer must outlive the client. Zero means the
 * default. */
struct http_client_options {
	const char *user_agent; /* default "Cargomail" */
	/* Plain HTTP over this socket for every call; all that follows up to
	 * the times is then without meaning. */
	const char *unix_socket;

	const struct http_client_trust *trust; /* NULL: pins alone */
	/* Keys to believe for `host` (DNSSEC-validated), beside `trust`.
	 * count 0 if there are none. NULL: no pins. */
	enum outcome (*pins)(void *arg, const char *host,
	    struct http_client_pins *pins_r, struct reason *why);
	/* The addresses of a host. NULL: libcurl's own resolver. */
	enum outcome (*resolve)(void *arg, const char *host,
	    struct http_client_addresses *addresses_r, struct reason *why);
	void *arg; /* for both */
	/* Ports that a URL may name. NULL: 443 and 8443. */
	const struct service_ports *ports;
	/* Checked at the moment of connecting. NULL: any address. */
	const struct address_policy *policy;
	/* The client's certificate (leaf first) and key, maybe remote. */
	const struct tls_der *chain;
	size_t chain_len;
	EVP_PKEY *key;

	unsigned connect_ms; /* default 15000 */
	unsigned low_speed_rate; /* bytes a second, default 1024 */
	unsigned low_speed_s; /* over this time, default 30 */
};

struct http_client;

/* NULL with `why`: libcurl is not of the OpenSSL kind, or chain and key do
 * not fit. */
struct http_client *
http_client_new(const struct http_client_options *options, struct reason *why);
void http_client_free(struct http_client **client);

/* Drops kept connections (after a reload, or before a fork). */
void http_client_disconnect(struct http_client *client);

struct http_call {
	enum http_method method;
	/* "https://host[:port]/path"; with a Unix socket
	 * "http://localhost/path". */
	const char *url;
	const struct http_header_list *headers; /* may be NULL */

	/* The body: from memory, or by `read` (body NULL), which puts up to
	 * `max` bytes and returns their number, 0 before body_len bytes or
	 * -1 to give up. */
	const void *body;
	int64_t body_len;
	ssize_t (*read)(void *arg, void *data_r, size_t max);

	/* Where the body of a 2xx response goes; NULL: result->body. -1
	 * gives up. `max_body` bounds it (default 1 MiB); other responses
	 * go to result->body, up to 64 KiB. */
	int (*sink)(void *arg, const void *data, size_t len);
	int64_t max_body;
	/* Once, before the first byte of a 2xx body (also of an empty one):
	 * the head is in. -1 gives up. May be NULL. */
	int (*head)(void *arg, unsigned status, int64_t body_size,
	    const struct buffer *fields);
	/* Bytes so far and in all (-1: unknown); nonzero gives up. */
	int (*progress)(void *arg, int64_t up, int64_t up_total, int64_t down,
	    int64_t down_total);
	void *arg; /* for these four */

	unsigned wait_s; /* seconds that the server may stay silent (a
				 * long poll); default low_speed_s */
	unsigned total_ms; /* whole call; default none */
};

/*
 * Performs a call. OK: a complete response came, whatever its status. Else
 * the word of `why` is one of
 *   url          the URL is not one we speak to (permanent)
 *   address      every address of the host is forbidden (permanent)
 *   resolve      no address (or what the resolver said)
 *   connect tls certificate timeout broken protocol
 *   too-large    more bytes than max_body (result->overrun)
 *   stopped      a callback gave up (result->sink_failed)
 *   local        trouble on this side
 * all temporary but for the first two. What is in the result up to then is
 * valid: a broken transfer may have a status and bytes. The result must have
 * been initialised; a former content is dropped.
 */
enum outcome
http_client_perform(struct http_client *client, const struct http_call *call,
    struct http_result *result_r, struct reason *why);

#endif
