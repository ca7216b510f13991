/* SPDX-License-Identifier: ISC
 *
 * Sockets with and without TLS; see http_stream.h.
 */
#include <errno.h>
#include <limits.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>

#include "http_stream.h"

/* Four records in one read(2). */
#define BULK_READ 65536

/* What OpenSSL said, in our terms. The error queue was clear before. */
static int
tls_result(struct http_stream *stream, int n)
{
	switch (SSL_get_error(stream->ssl, n)) {
	case SSL_ERROR_WANT_READ:
		return HTTP_STREAM_WANT_READ;
	case SSL_ERROR_WANT_WRITE:
		return HTTP_STREAM_WANT_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return HTTP_STREAM_END;
	default:
		stream->broken = true;
		return HTTP_STREAM_ERROR;
	}
}

static int
plain_result(struct http_stream *stream, int want)
{
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)
		return want;
	stream->broken = true;
	return HTTP_STREAM_ERROR;
}

int
http_stream_handshake(struct http_stream *stream)
{
	int n;

	if (stream->ssl == NULL)
		return 1;
	ERR_clear_error();
	n = SSL_do_handshake(stream->ssl);
	return n == 1 ? 1 : tls_result(stream, n);
}

ssize_t
http_stream_read(struct http_stream *stream, void *data_r, size_t len)
{
	ssize_t n;

	if (stream->ssl != NULL) {
		ERR_clear_error();
		n = SSL_read(stream->ssl, data_r,
		    len > INT_MAX ? INT_MAX : (int)len);
		return n > 0 ? n : tls_result(stream, (int)n);
	}
	n = recv(stream->fd, data_r, len, 0);
	return n >= 0 ? n : plain_result(stream, HTTP_STREAM_WANT_READ);
}

ssize_t
http_stream_write(struct http_stream *stream, const void *data, size_t len)
{
	ssize_t n;

	if (stream->ssl != NULL) {
		ERR_clear_error();
		n = SSL_write(stream->ssl, data,
		    len > INT_MAX ? INT_MAX : (int)len);
		return n > 0 ? n : tls_result(stream, (int)n);
	}
	n = send(stream->fd, data, len, MSG_NOSIGNAL);
	return n >= 0 ? n : plain_result(stream, HTTP_STREAM_WANT_WRITE);
}

bool
http_stream_has_pending(const struct http_stream *stream)
{
	return stream->ssl != NULL && SSL_has_pending(stream->ssl) == 1;
}

void
http_stream_set_bulk(struct http_stream *stream, bool bulk)
{
	if (stream->ssl != NULL)
		SSL_set_default_read_buffer_len(stream->ssl,
		    bulk ? BULK_READ : 0);
}

void
http_stream_shutdown(struct http_stream *stream)
{
	if (stream->ssl != NULL && !stream->broken &&
	    SSL_is_init_finished(stream->ssl)) {
		ERR_clear_error();
		SSL_shutdown(stream->ssl);
	}
	shutdown(stream->fd, SHUT_WR);
}

void
http_stream_close(struct http_stream *stream)
{
	SSL_free(stream->ssl);
	stream->ssl = NULL;
	if (stream->fd >= 0)
		close(stream->fd);
	stream->fd = -1;
	ERR_clear_error();
}
