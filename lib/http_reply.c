/* SPDX-License-Identifier: ISC
 *
 * Composing and feeding replies; declared in http_server.h. Head and small
 * bodies leave in one write, so that a reply costs one TLS record.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "http_connection.h"
#include "log.h"
#include "memory.h"

#define FAULT_BODY_MAX 256

static const struct {
	unsigned status;
	const char *reason;
} reasons[] = {
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 206, "Partial Content" },
	{ 304, "Not Modified" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 410, "Gone" },
	{ 411, "Length Required" },
	{ 412, "Precondition Failed" },
	{ 413, "Content Too Large" },
	{ 415, "Unsupported Media Type" },
	{ 416, "Range Not Satisfiable" },
	{ 417, "Expectation Failed" },
	{ 421, "Misdirected Request" },
	{ 422, "Unprocessable Content" },
	{ 428, "Precondition Required" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 505, "HTTP Version Not Supported" },
	{ 507, "Insufficient Storage" },
};

static const char *
reason_phrase(unsigned status)
{
	size_t i;

	for (i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Unknown";
}

/* IMF-fixdate (RFC 9110, section 5.6.7), made once a second. */
static const char *
http_date(struct http_server *server)
{
	time_t now = time(NULL);
	struct tm tm;

	if (now != server->date_of && gmtime_r(&now, &tm) != NULL) {
		strftime(server->date, sizeof(server->date),
		    "%a, %d %b %Y %H:%M:%S GMT", &tm);
		server->date_of = now;
	}
	return server->date;
}

/* Whether the connection can serve another request after this reply. */
static bool
must_close(const struct http_exchange *x)
{
	if (x->request.close || x->connection->server->stopping)
		return true;
	if (x->body_left == 0)
		return false;
	/* A client that waits for 100 Continue may or may not send its body
	 * now: what comes next would be ambiguous. */
	return (x->request.expect_continue && !x->continued) ||
	    x->body_left > HTTP_DRAIN_MAX;
}

/* Space for `len` bytes of output; chunks are kept from reply to reply. */
static void
output_allocate(struct http_connection *c, size_t len)
{
	struct http_output *out = &c->out;

	if (len == HTTP_CHUNK && c->server->spare_chunk != NULL) {
		out->data = c->server->spare_chunk;
		c->server->spare_chunk = NULL;
	} else {
		out->data = x_malloc(len);
	}
	out->size = len;
	out->len = out->done = 0;
}

void
http_output_free(struct http_connection *c)
{
	struct http_output *out = &c->out;

	if (out->size == HTTP_CHUNK && c->server->spare_chunk == NULL) {
		c->server->spare_chunk = out->data;
		out->data = NULL;
	}
	x_free(&out->data);
	if (out->file >= 0)
		close(out->file);
	out->file = -1;
	out->left = 0;
	out->len = out->done = out->size = 0;
}

int
http_output_fill(struct http_connection *c)
{
	struct http_output *out = &c->out;
	size_t room;
	ssize_t n;

	if (out->done == out->len)
		out->done = out->len = 0;
	room = out->size - out->len;
	if ((off_t)room > out->left)
		room = (size_t)out->left;
	while (room > 0) {
		n = pread(out->file, out->data + out->len, room, out->offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		out->len += (size_t)n;
		out->offset += n;
		out->left -= n;
		room -= (size_t)n;
	}
	return 0;
}

/* Writes the head into a new output buffer with `room` more bytes. */
static void
compose_head(struct http_exchange *x, unsigned status,
    const struct http_header_list *headers, int64_t len, size_t room)
{
	struct http_connection *c = x->connection;
	char head[256];
	bool bare = status == 204 || status == 304;
	size_t list = headers != NULL ? headers->len : 0;
	int n;

	n = snprintf(head, sizeof(head), "HTTP/1.1 %u %s\r\nDate: %s\r\n%s",
	    status, reason_phrase(status), http_date(c->server),
	    c->close ? "Connection: close\r\n" : "");
	if (!bare)
		n += snprintf(head + n, sizeof(head) - (size_t)n,
		    "Content-Length: %" PRId64 "\r\n", len);
	if (room < HTTP_CHUNK)
		room += (size_t)n + list + 2;
	output_allocate(c, room);
	memcpy(c->out.data, head, (size_t)n);
	c->out.len = (size_t)n;
	if (list > 0)
		memcpy(c->out.data + c->out.len, headers->text, list);
	c->out.len += list;
	memcpy(c->out.data + c->out.len, "\r\n", 2);
	c->out.len += 2;
}

/* Common to all replies: -1 if this one cannot be sent as it is. */
static int
begin_reply(struct http_exchange *x, const struct http_header_list *headers)
{
	if (x->replied)
		log_panic("http: replied twice");
	x->replied = true;
	if (must_close(x))
		x->connection->close = true;
	if (headers == NULL || !headers->failed)
		return 0;
	/* A field that we were about to send is not one: nothing of it
	 * leaves. */
	compose_head(x, 500, NULL, 0, 0);
	return -1;
}

void
http_reply(struct http_exchange *x, unsigned status,
    const struct http_header_list *headers, const void *body, size_t len)
{
	struct http_connection *c = x->connection;
	bool bare = status == 204 || status == 304 ||
	    (x->known && x->request.method == HTTP_HEAD);
	size_t send = bare ? 0 : len;

	if (begin_reply(x, headers) == 0) {
		compose_head(x, status, headers, (int64_t)len,
		    send < HTTP_CHUNK ? send :
					send + HTTP_HEADER_LIST_MAX + 512);
		if (send > 0)
			memcpy(c->out.data + c->out.len, body, send);
		c->out.len += send;
	}
	http_connection_wake(c);
}

void
http_reply_file(struct http_exchange *x, unsigned status,
    const struct http_header_list *headers, int fd, off_t offset, off_t len)
{
	struct http_connection *c = x->connection;
	bool bare = x->request.method == HTTP_HEAD;
	size_t room;

	if (begin_reply(x, headers) != 0 || bare || len == 0) {
		close(fd);
		if (c->out.data == NULL)
			compose_head(x, status, headers, len, 0);
		http_connection_wake(c);
		return;
	}
	/* A small file fits behind its head; a large one comes by chunks. */
	room = len < HTTP_CHUNK - HTTP_HEADER_LIST_MAX - 512 ? (size_t)len :
							       HTTP_CHUNK;
	compose_head(x, status, headers, len, room);
	c->out.file = fd;
	c->out.offset = offset;
	c->out.left = len;
	if (len > HTTP_WORK_MAX)
		posix_fadvise(fd, offset, len, POSIX_FADV_SEQUENTIAL);
	if (http_output_fill(c) != 0)
		x->aborted = true;
	http_connection_wake(c);
}

void
http_reply_fault(struct http_exchange *x, enum http_fault fault,
    const char *detail)
{
	struct http_header_list headers;
	unsigned status = http_fault_status(fault);
	char body[FAULT_BODY_MAX];
	int n;

	x->connection->close = true;
	http_header_init(&headers);
	http_header_add(&headers, "Content-Type", "application/problem+json");
	/* `detail` is a fixed text of ours: nothing in it needs escaping. */
	n = snprintf(body, sizeof(body),
	    "{\"type\":\"/problems/%s\","
	    "\"status\":%u,\"detail\":\"%s\"}",
	    http_fault_problem(fault), status, detail);
	http_reply(x, status, &headers, body, (size_t)n);
}
