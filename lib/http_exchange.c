/* SPDX-License-Identifier: ISC
 *
 * What a handler sees of one request; see http_server.h.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/x509.h>

#include "http_connection.h"
#include "log.h"
#include "memory.h"

struct http_exchange *
http_exchange_new(struct http_connection *c, const char *head, size_t len)
{
	/* Not cleared as a whole: the table of fields is large, and the
	 * parser sets all that it says it sets. */
	struct http_exchange *x = x_malloc(sizeof(*x) + len);

	memset(x, 0, offsetof(struct http_exchange, request));
	x->connection = c;
	memcpy(x->head, head, len);
	c->server->stats.exchanges++;
	return x;
}

void
http_exchange_free(struct http_exchange *x)
{
	struct http_server *server = x->connection->server;

	if (x->known)
		server->handler->gone(x);
	server->stats.exchanges--;
	if (x->gather)
		buffer_free(&x->gathered);
	free(x);
}

void
http_exchange_deliver(struct http_exchange *x, const void *data, size_t len)
{
	struct http_server *server = x->connection->server;

	x->body_left -= (int64_t)len;
	x->connection->rate_bytes += (int64_t)len;
	server->stats.bytes_in += len;
	if (x->gather)
		buffer_add(&x->gathered, data, len);
	else
		server->handler->body(x, data, len);
}

void
http_exchange_end_body(struct http_exchange *x)
{
	x->ended = true;
	/* The limit was checked before: only memory can be wanting. */
	if (x->gather && x->gathered.failed)
		x->aborted = true;
	else
		x->connection->server->handler->body_end(x);
}

const struct http_request *
http_exchange_request(const struct http_exchange *x)
{
	return &x->request;
}

int
http_exchange_door(const struct http_exchange *x)
{
	return x->connection->door->number;
}

void *
http_exchange_context(const struct http_exchange *x)
{
	return x->connection->server->context;
}

const char *
http_exchange_server_name(const struct http_exchange *x)
{
	return x->request.host;
}

const uint8_t *
http_exchange_certificate(const struct http_exchange *x, size_t *len_r)
{
	struct http_connection *c = x->connection;
	X509 *certificate;
	int len;

	*len_r = 0;
	if (c->certificate == NULL && c->stream.ssl != NULL) {
		certificate = SSL_get0_peer_certificate(c->stream.ssl);
		if (certificate == NULL)
			return NULL;
		if ((len = i2d_X509(certificate, &c->certificate)) <= 0)
			return NULL;
		c->certificate_len = (size_t)len;
	}
	*len_r = c->certificate_len;
	return c->certificate;
}

const char *
http_exchange_client(const struct http_exchange *x)
{
	return x->connection->client;
}

uint64_t
http_exchange_connection_id(const struct http_exchange *x)
{
	return x->connection->id;
}

void
http_exchange_set_state(struct http_exchange *x, void *state)
{
	x->state = state;
}

void *
http_exchange_get_state(const struct http_exchange *x)
{
	return x->state;
}

void **
http_exchange_connection_data(struct http_exchange *x)
{
	return &x->connection->data;
}

void
http_exchange_accept_body(struct http_exchange *x)
{
	if (x->accepted || x->replied)
		log_panic("http: body accepted twice, or after the reply");
	x->accepted = true;
	http_connection_wake(x->connection);
}

int
http_exchange_gather_body(struct http_exchange *x, size_t max)
{
	if (x->body_left > (int64_t)max)
		return -1;
	x->gather = true;
	buffer_init(&x->gathered, max);
	http_exchange_accept_body(x);
	return 0;
}

const char *
http_exchange_gathered(const struct http_exchange *x, size_t *len_r)
{
	*len_r = x->gathered.len;
	return buffer_string(&x->gathered);
}

void
http_exchange_pause_body(struct http_exchange *x)
{
	x->paused = true;
}

void
http_exchange_resume_body(struct http_exchange *x)
{
	if (!x->paused)
		return;
	x->paused = false;
	http_connection_wake(x->connection);
}

void
http_exchange_abort(struct http_exchange *x)
{
	x->aborted = true;
	http_connection_wake(x->connection);
}
