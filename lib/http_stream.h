/* SPDX-License-Identifier: ISC
 *
 * The bytes under an HTTP connection of the server: a non-blocking socket,
 * with or without TLS.
 */
#ifndef HTTP_STREAM_H
#define HTTP_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <openssl/ssl.h>

struct http_stream {
	int fd;
	SSL *ssl; /* NULL: plain */
	bool broken; /* no close_notify can be sent any more */
};

/* What a read, write or handshake may return instead of a number > 0. */
enum {
	HTTP_STREAM_END = 0, /* the peer closed */
	HTTP_STREAM_ERROR = -1,
	HTTP_STREAM_WANT_READ = -2,
	HTTP_STREAM_WANT_WRITE = -3,
};

/* 1 when the handshake is done. */
int http_stream_handshake(struct http_stream *stream);

/* One read, or one write, of at most `len` bytes. */
ssize_t http_stream_read(struct http_stream *stream, void *data_r, size_t len);
ssize_t
http_stream_write(struct http_stream *stream, const void *data, size_t len);

/* True if bytes wait inside OpenSSL, of which epoll knows nothing. */
bool http_stream_has_pending(const struct http_stream *stream);

/* Larger reads for a body, small ones for heads. */
void http_stream_set_bulk(struct http_stream *stream, bool bulk);

/* Says that we are done writing: close_notify and FIN. */
void http_stream_shutdown(struct http_stream *stream);

void http_stream_close(struct http_stream *stream);

#endif
