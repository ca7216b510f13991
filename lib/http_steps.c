/* SPDX-License-Identifier: ISC
 *
 * What an HTTP connection of the server does in each of its states; see
 * http_connection.h. All bytes that pass here are hostile.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include <openssl/err.h>

#include "http_connection.h"
#include "proxy_protocol.h"

static enum http_step
wait_for(ssize_t result)
{
	if (result == HTTP_STREAM_WANT_READ)
		return HTTP_STEP_READ;
	if (result == HTTP_STREAM_WANT_WRITE)
		return HTTP_STEP_WRITE;
	return HTTP_STEP_DEAD;
}

static void
report(const struct http_connection *c, const char *word, const char *text)
{
	http_server_refuse(c->door, c->client, word, text);
}

/* ---- steps before the first head --------------------------------------- */

static enum http_step
step_proxy(struct http_connection *c, size_t *work)
{
	char peeked[PROXY_PROTOCOL_MAX];
	struct sockaddr_storage source;
	const void *address = &source;
	size_t before = c->in.len, take;
	ssize_t n;
	long len;

	(void)work;
	source.ss_family = AF_UNSPEC;
	n = recv(c->stream.fd, peeked, sizeof(peeked), MSG_PEEK);
	if (n < 0)
		return errno == EAGAIN ? HTTP_STEP_READ : HTTP_STEP_DEAD;
	if (n == 0 || buffer_add(&c->in, peeked, (size_t)n) != 0)
		return HTTP_STEP_DEAD;
	len = proxy_protocol_parse(c->in.data, c->in.len, &source);
	if (len < 0 || (len > 0 && (size_t)len <= before)) {
		report(c, "proxy", "no PROXY protocol header");
		return HTTP_STEP_DEAD;
	}
	/* What follows the header is TLS: it stays in the socket. */
	take = len == 0 ? (size_t)n : (size_t)len - before;
	if (recv(c->stream.fd, peeked, take, 0) != (ssize_t)take)
		return HTTP_STEP_DEAD;
	if (len == 0)
		return HTTP_STEP_READ;
	if (source.ss_family != AF_UNSPEC)
		http_client_format(&source, c->client);
	if (!client_count_enter(c->server->clients, address, &c->place)) {
		report(c, "clients", HTTP_TOO_MANY);
		return HTTP_STEP_DEAD;
	}
	buffer_free(&c->in);
	c->state = HTTP_STATE_HANDSHAKE;
	return HTTP_STEP_MORE;
}

static enum http_step
step_handshake(struct http_connection *c, size_t *work)
{
	int n = http_stream_handshake(&c->stream);
	const char *text;

	(void)work;
	if (n == 1) {
		c->state = HTTP_STATE_HEAD;
		return HTTP_STEP_MORE;
	}
	if (n == HTTP_STREAM_ERROR) {
		text = ERR_reason_error_string(ERR_peek_error());
		report(c, "handshake", text != NULL ? text : "broken off");
	}
	return wait_for(n);
}

/* ---- the head ---------------------------------------------------------- */

/* Host must be the name that TLS was set up for (RFC 9110, section 7.4). */
static bool
host_is_ours(const struct http_connection *c, const char *host)
{
	const char *name;

	if (c->stream.ssl == NULL)
		return true;
	name = SSL_get_servername(c->stream.ssl, TLSEXT_NAMETYPE_host_name);
	if (name != NULL)
		return strcasecmp(name, host) == 0;
	return tls_server_has(c->door->tls, host);
}

static void
begin_exchange(struct http_connection *c, const char *head, size_t len)
{
	struct http_server *server = c->server;
	struct http_exchange *x = http_exchange_new(c, head, len);
	enum http_fault fault;
	const char *detail;

	c->x = x;
	c->state = HTTP_STATE_WAIT;
	c->deadline = 0;
	fault = http_parse_request(x->head, len, &x->request, &detail);
	if (fault == HTTP_FAULT_NONE && !host_is_ours(c, x->request.host)) {
		fault = HTTP_FAULT_MISDIRECTED;
		detail = "not a host name of this connection";
	}
	if (fault != HTTP_FAULT_NONE) {
		report(c, http_fault_problem(fault), detail);
		http_reply_fault(x, fault, detail);
		return;
	}
	x->body_left = x->request.body_size;
	x->known = true;
	server->stats.requests++;
	server->handler->request(server->context, x);
}

/* A head that never became one: answered all the same, then closed. */
static void
refuse_head(struct http_connection *c, enum http_fault fault)
{
	const char *detail = fault == HTTP_FAULT_LARGE ?
	    "head too large" :
	    "line end that is not CRLF, or NUL";

	c->x = http_exchange_new(c, "", 0);
	c->x->request.close = true;
	c->x->request.expect_continue = false;
	c->state = HTTP_STATE_WAIT;
	report(c, http_fault_problem(fault), detail);
	http_reply_fault(c->x, fault, detail);
}

/* Looks for a head in `data`, which is c->in or the scratch buffer. */
static enum http_step
take_head(struct http_connection *c, const char *data, size_t len)
{
	bool fresh = data != c->in.data;
	enum http_fault fault;
	long head = http_find_head(data, len, &c->scanned, &fault);

	if (head < 0) {
		refuse_head(c, fault);
		return HTTP_STEP_MORE;
	}
	if (head == 0) {
		if (fresh && buffer_add(&c->in, data, len) != 0)
			return HTTP_STEP_DEAD;
		c->scanned_in = true;
		return HTTP_STEP_MORE;
	}
	/* What follows the head is kept before the handler runs: it may
	 * wake other connections, but never reads. */
	if (fresh && (size_t)head < len &&
	    buffer_add(&c->in, data + head, len - (size_t)head) != 0)
		return HTTP_STEP_DEAD;
	c->scanned = 0;
	c->scanned_in = false;
	begin_exchange(c, data, (size_t)head);
	if (!fresh)
		buffer_consume(&c->in, (size_t)head);
	if (c->in.len == 0)
		buffer_free(&c->in);
	return HTTP_STEP_MORE;
}

static enum http_step
step_head(struct http_connection *c, size_t *work)
{
	char *scratch = c->server->scratch;
	ssize_t n;

	if (c->in.len > 0 && !c->scanned_in)
		return take_head(c, c->in.data, c->in.len);
	n = http_stream_read(&c->stream, scratch, HTTP_HEAD_MAX - c->in.len);
	if (n <= 0)
		return wait_for(n);
	*work += (size_t)n;
	if (c->is_idle) {
		http_connection_set_idle(c, false);
		http_connection_set_deadline(c, c->server->limits.head_ms);
	}
	if (c->in.len == 0)
		return take_head(c, scratch, (size_t)n);
	if (buffer_add(&c->in, scratch, (size_t)n) != 0)
		return HTTP_STEP_DEAD;
	return take_head(c, c->in.data, c->in.len);
}

/* ---- the body ---------------------------------------------------------- */

/* The interim reply goes out before anything else was written, so the
 * socket has room for it; if not, the peer is not worth it. */
static enum http_step
send_continue(struct http_connection *c)
{
	static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";

	c->x->continued = true;
	if (http_stream_write(&c->stream, interim, sizeof(interim) - 1) !=
	    (ssize_t)sizeof(interim) - 1)
		return HTTP_STEP_DEAD;
	return HTTP_STEP_MORE;
}

/* Looks whether the peer is still there while the handler thinks. */
static enum http_step
watch_peer(struct http_connection *c)
{
	size_t room = HTTP_HEAD_MAX - c->in.len;
	ssize_t n;

	if (room == 0)
		return HTTP_STEP_PAUSE;
	n = http_stream_read(&c->stream, c->server->scratch, room);
	if (n == HTTP_STREAM_WANT_READ)
		return HTTP_STEP_HANDLER;
	if (n <= 0 || buffer_add(&c->in, c->server->scratch, (size_t)n) != 0)
		return HTTP_STEP_DEAD;
	return HTTP_STEP_HANDLER;
}

static enum http_step
step_wait(struct http_connection *c, size_t *work)
{
	struct http_exchange *x = c->x;

	(void)work;
	if (x->aborted)
		return HTTP_STEP_DEAD;
	if (x->replied) {
		c->state = HTTP_STATE_SEND;
		http_connection_start_rate(c);
		return HTTP_STEP_MORE;
	}
	if (!x->accepted || x->ended)
		return watch_peer(c);
	c->state = HTTP_STATE_BODY;
	http_connection_start_rate(c);
	if (x->body_left > HTTP_HEAD_MAX)
		http_stream_set_bulk(&c->stream, true);
	if (x->request.expect_continue && !x->continued && c->in.len == 0)
		return send_continue(c);
	x->continued = true;
	return HTTP_STEP_MORE;
}

/* Reads until the scratch buffer is full, the body ends or nothing is there;
 * *n_r is what the last read said. Many records become one call of the
 * handler. */
static size_t
read_body(struct http_connection *c, int64_t left, ssize_t *n_r)
{
	size_t len = 0, max = HTTP_SCRATCH;

	if (left < (int64_t)max)
		max = (size_t)left;
	do {
		*n_r = http_stream_read(&c->stream, c->server->scratch + len,
		    max - len);
		if (*n_r > 0)
			len += (size_t)*n_r;
	} while (*n_r > 0 && len < max && c->stream.ssl != NULL);
	return len;
}

static enum http_step
step_body(struct http_connection *c, size_t *work)
{
	struct http_exchange *x = c->x;
	ssize_t n = 1;
	size_t len;

	if (x->aborted || x->replied) {
		c->state = HTTP_STATE_WAIT;
		return HTTP_STEP_MORE;
	}
	if (x->paused)
		return HTTP_STEP_PAUSE;
	if (x->body_left == 0) {
		http_stream_set_bulk(&c->stream, false);
		c->state = HTTP_STATE_WAIT;
		c->deadline = 0;
		http_exchange_end_body(x);
		return HTTP_STEP_MORE;
	}
	if (c->in.len > 0) {
		len = c->in.len;
		if ((int64_t)len > x->body_left)
			len = (size_t)x->body_left;
		http_exchange_deliver(x, c->in.data, len);
		buffer_consume(&c->in, len);
		if (c->in.len == 0)
			buffer_free(&c->in);
	} else if ((len = read_body(c, x->body_left, &n)) > 0) {
		http_exchange_deliver(x, c->server->scratch, len);
	}
	*work += len;
	/* The socket is empty and nothing else is to do: no second try. */
	if (n == HTTP_STREAM_WANT_READ && x->body_left > 0 && !x->paused &&
	    !x->replied && !x->aborted)
		return HTTP_STEP_READ;
	return n > 0 || len > 0 ? HTTP_STEP_MORE : wait_for(n);
}

/* ---- the reply --------------------------------------------------------- */

/* After the last byte of a reply: the next request, or the end. */
static enum http_step
finish_exchange(struct http_connection *c)
{
	struct http_exchange *x = c->x;

	http_output_free(c);
	c->drain_left = x->body_left;
	c->x = NULL;
	http_exchange_free(x);
	if (c->close) {
		http_stream_shutdown(&c->stream);
		c->state = HTTP_STATE_LINGER;
		http_connection_set_deadline(c, c->server->limits.linger_ms);
		/* Who has his answer makes room first. */
		http_connection_set_idle(c, true);
		return HTTP_STEP_MORE;
	}
	if (c->drain_left > 0) {
		c->state = HTTP_STATE_DRAIN;
		http_connection_set_deadline(c, c->server->limits.head_ms);
		return HTTP_STEP_MORE;
	}
	c->state = HTTP_STATE_HEAD;
	if (c->in.len > 0) {
		http_connection_set_deadline(c, c->server->limits.head_ms);
		return HTTP_STEP_MORE;
	}
	http_connection_set_deadline(c, c->server->limits.idle_ms);
	http_connection_set_idle(c, true);
	/* The usual case: nothing is waiting, so no read is tried. */
	return http_stream_has_pending(&c->stream) ? HTTP_STEP_MORE :
						     HTTP_STEP_READ;
}

static enum http_step
step_send(struct http_connection *c, size_t *work)
{
	struct http_output *out = &c->out;
	ssize_t n;

	if (c->x->aborted)
		return HTTP_STEP_DEAD;
	if (out->done == out->len) {
		if (out->left == 0)
			return finish_exchange(c);
		if (http_output_fill(c) != 0)
			return HTTP_STEP_DEAD;
	}
	n = http_stream_write(&c->stream, out->data + out->done,
	    out->len - out->done);
	if (n <= 0)
		return wait_for(n);
	out->done += (size_t)n;
	*work += (size_t)n;
	c->rate_bytes += n;
	c->server->stats.bytes_out += (uint64_t)n;
	return HTTP_STEP_MORE;
}

static enum http_step
step_drain(struct http_connection *c, size_t *work)
{
	size_t len = c->in.len;
	ssize_t n = 1;

	if (len > 0) {
		if ((int64_t)len > c->drain_left)
			len = (size_t)c->drain_left;
		buffer_consume(&c->in, len);
	} else {
		len = read_body(c, c->drain_left, &n);
	}
	c->drain_left -= (int64_t)len;
	*work += len;
	if (len == 0)
		return wait_for(n);
	if (c->drain_left == 0) {
		c->state = HTTP_STATE_HEAD;
		http_connection_set_idle(c, true);
		http_connection_set_deadline(c, c->server->limits.idle_ms);
	}
	return HTTP_STEP_MORE;
}

/* Closing with unread bytes in the socket would reset the connection and may
 * take our last reply from the peer: read to his end, for a while. */
static enum http_step
step_linger(struct http_connection *c, size_t *work)
{
	ssize_t n = recv(c->stream.fd, c->server->scratch, HTTP_SCRATCH, 0);

	if (n < 0 && errno == EAGAIN)
		return HTTP_STEP_READ;
	if (n <= 0)
		return HTTP_STEP_DEAD;
	*work += (size_t)n;
	return HTTP_STEP_MORE;
}

static enum http_step (*const steps[HTTP_STATE_COUNT])(struct http_connection *,
    size_t *) = {
	[HTTP_STATE_PROXY] = step_proxy,
	[HTTP_STATE_HANDSHAKE] = step_handshake,
	[HTTP_STATE_HEAD] = step_head,
	[HTTP_STATE_WAIT] = step_wait,
	[HTTP_STATE_BODY] = step_body,
	[HTTP_STATE_SEND] = step_send,
	[HTTP_STATE_DRAIN] = step_drain,
	[HTTP_STATE_LINGER] = step_linger,
};

enum http_step
http_connection_step(struct http_connection *c, size_t *work)
{
	return steps[c->state](c, work);
}
