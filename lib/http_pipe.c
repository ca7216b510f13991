/* SPDX-License-Identifier: ISC
 *
 * A GET into a PUT; see http_pipe.h. The origin is a stranger, the mailbox
 * at the other end of the Unix socket is ours but believed no more than any
 * peer: its response is parsed strictly and bounded.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "http_pipe.h"
#include "unix_socket.h"

#define CHUNK (256 * 1024) /* gathered before it is written */
#define TIMEOUT_MS 60000

struct pipe {
	const struct http_pipe_put *put;
	unsigned get_status;
	struct http_result *result; /* of the PUT */
	int fd;
	char *chunk;
	size_t len;
	bool other_status; /* the GET was answered with another 2xx */
	bool wrong_size;
	bool answered; /* a final response to the PUT is in */
	bool enough; /* ended by the caller */
	struct reason why; /* what failed on the PUT's side */
};

/* Sets the reason of this side and returns -1. */
static int
fail(struct pipe *p, const char *text)
{
	reason_set(&p->why, OUTCOME_TEMPFAIL, "local", "%s: %s", text,
	    errno != 0 ? strerror(errno) : "unexpected");
	return -1;
}

static int
send_all(struct pipe *p, const char *data, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = send(p->fd, data, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

/* ---- the mailbox's response -------------------------------------------- */

static int
read_body(struct pipe *p, char *rest, size_t len, int64_t size)
{
	ssize_t n;

	if (size < 0 || size > HTTP_RESULT_PROBLEM_MAX)
		return -1;
	if (len > (size_t)size)
		len = (size_t)size;
	buffer_add(&p->result->body, rest, len);
	while (p->result->body.len < (size_t)size) {
		n = recv(p->fd, p->chunk, (size_t)size - p->result->body.len,
		    0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 ||
		    buffer_add(&p->result->body, p->chunk, (size_t)n) != 0)
			return -1;
	}
	p->result->bytes = size;
	return 0;
}

/* Takes over what a final response says. */
static int
take_response(struct pipe *p, struct http_response *response, char *rest,
    size_t len)
{
	struct http_field *field;
	char line[1024];
	unsigned i;
	int n;

	for (i = 0; i < response->fields.count; i++) {
		field = &response->fields.list[i];
		n = snprintf(line, sizeof(line), "%s: %s", field->name,
		    field->value);
		if (n > 0 && (size_t)n < sizeof(line))
			http_result_add_field(p->result, line, (size_t)n);
	}
	if (response->status == 204)
		response->body_size = 0;
	if (read_body(p, rest, len, response->body_size) != 0)
		return fail(p, "body of the mailbox's response");
	p->result->status = response->status;
	p->result->authenticated = true;
	p->answered = true;
	http_result_interpret(p->result, clock_now());
	return 0;
}

/* Reads one head into `head`; its length, the bytes read in *len_r. */
static long
read_head(struct pipe *p, char *head, size_t *len_r)
{
	enum http_fault fault;
	size_t scanned = 0;
	long end;
	ssize_t n;

	while ((end = http_find_head(head, *len_r, &scanned, &fault)) == 0) {
		n = recv(p->fd, head + *len_r, HTTP_HEAD_MAX - *len_r, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			errno = ECONNRESET;
		if (n <= 0)
			return -1;
		*len_r += (size_t)n;
	}
	return end;
}

/* Reads a response: 100 with *go_on_r, or a final one into the result. */
static int
read_response(struct pipe *p, bool *go_on_r)
{
	struct http_response response;
	char head[HTTP_HEAD_MAX];
	const char *detail;
	size_t len = 0;
	long end;

	errno = 0;
	*go_on_r = false;
	if ((end = read_head(p, head, &len)) < 0 ||
	    http_parse_response(head, (size_t)end, &response, &detail) !=
		HTTP_FAULT_NONE)
		return fail(p, "response of the mailbox");
	if (response.status == 100 && len == (size_t)end) {
		*go_on_r = true;
		return 0;
	}
	if (response.status < 200) {
		errno = EPROTO;
		return fail(p, "interim response of the mailbox");
	}
	return take_response(p, &response, head + end, len - (size_t)end);
}

/* ---- the PUT ----------------------------------------------------------- */

/* Opens the PUT and waits until the mailbox wants the bytes: a refusal costs
 * the origin nothing. */
static int
begin_put(struct pipe *p)
{
	const struct http_pipe_put *put = p->put;
	int size = 512 * 1024;
	struct buffer head;
	bool go_on = false;
	int result = -1;

	errno = 0;
	buffer_init(&head, HTTP_HEAD_MAX);
	p->fd = unix_socket_connect(put->unix_socket, SOCK_STREAM,
	    (int)(put->timeout_ms > 0 ? put->timeout_ms : TIMEOUT_MS));
	if (p->fd < 0) {
		fail(p, "cannot connect to the mailbox");
		goto out;
	}
	setsockopt(p->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	buffer_add_format(&head,
	    "PUT %s HTTP/1.1\r\nHost: localhost\r\n"
	    "Content-Length: %" PRId64 "\r\nConnection: close\r\n%s",
	    put->path, put->size,
	    put->size > 0 ? "Expect: 100-continue\r\n" : "");
	if (put->headers != NULL)
		buffer_add(&head, put->headers->text, put->headers->len);
	buffer_add_string(&head, "\r\n");
	if (head.failed || (put->headers != NULL && put->headers->failed) ||
	    send_all(p, head.data, head.len) != 0) {
		fail(p, "cannot send to the mailbox");
		goto out;
	}
	if (put->size == 0 || read_response(p, &go_on) == 0)
		result = put->size == 0 || go_on ? 0 : -1;
out:
	buffer_free(&head);
	return result;
}

/* Writes the gathered bytes. A response in the middle is a refusal. */
static int
flush(struct pipe *p)
{
	bool go_on;
	char peeked;

	if (p->len == 0)
		return 0;
	errno = 0;
	if (recv(p->fd, &peeked, 1, MSG_PEEK | MSG_DONTWAIT) >= 0) {
		read_response(p, &go_on);
		return -1;
	}
	if (send_all(p, p->chunk, p->len) != 0) {
		/* What the mailbox said before it closed is still there. */
		if (errno == EPIPE || errno == ECONNRESET)
			read_response(p, &go_on);
		else
			fail(p, "the mailbox takes no bytes");
		return -1;
	}
	p->len = 0;
	return 0;
}

/* ---- the GET ----------------------------------------------------------- */

/* The range must be the rest of the resource, for the PUT is. */
static bool
range_fits(const struct pipe *p, const struct buffer *fields)
{
	int64_t offset, len, size;
	char text[96];

	if (p->get_status != 206)
		return true;
	return http_parse_content_range(http_result_field(fields,
					    "content-range", text,
					    sizeof(text)),
		   &offset, &len, &size) == 0 &&
	    len == p->put->size && offset + len == size;
}

static int
on_head(void *arg, unsigned status, int64_t body_size,
    const struct buffer *fields)
{
	struct pipe *p = arg;

	if (status != p->get_status) {
		p->other_status = true;
		return -1;
	}
	if ((body_size >= 0 && body_size != p->put->size) ||
	    !range_fits(p, fields)) {
		p->wrong_size = true;
		return -1;
	}
	return begin_put(p);
}

static int
on_bytes(void *arg, const void *data, size_t len)
{
	struct pipe *p = arg;
	const char *from = data;
	size_t n;

	if (p->put->enough != NULL && p->put->enough(p->put->arg)) {
		p->enough = true;
		return -1;
	}
	while (len > 0) {
		n = CHUNK - p->len;
		if (n > len)
			n = len;
		memcpy(p->chunk + p->len, from, n);
		p->len += n;
		from += n;
		len -= n;
		if (p->len == CHUNK && flush(p) != 0)
			return -1;
	}
	return 0;
}

/* The GET is over; what came of both. */
static enum outcome
finish(struct pipe *p, enum outcome outcome, const struct http_result *get,
    struct reason *why)
{
	bool go_on;

	if (p->other_status)
		return OUTCOME_OK;
	if (p->wrong_size || (get->overrun && get->status == p->get_status))
		return reason_set(why, OUTCOME_PERMFAIL, "size",
		    "the origin announced or sent another size than %" PRId64,
		    p->put->size);
	if (outcome == OUTCOME_OK && get->status != p->get_status)
		return OUTCOME_OK;
	if (outcome == OUTCOME_OK && get->bytes != p->put->size)
		return reason_set(why, OUTCOME_PERMFAIL, "size",
		    "the origin sent %" PRId64 " bytes, not %" PRId64,
		    get->bytes, p->put->size);
	if (outcome == OUTCOME_OK && !p->answered && flush(p) == 0 &&
	    read_response(p, &go_on) == 0 && p->answered)
		return OUTCOME_OK;
	if (p->answered)
		return reason_set(why, OUTCOME_TEMPFAIL, "local",
		    "the mailbox refused the bytes: status %u %s",
		    p->result->status, p->result->problem);
	if (p->why.word[0] != '\0') {
		if (why != NULL)
			*why = p->why;
		return p->why.outcome;
	}
	/* The GET broke: what came so far is worth keeping. */
	if (p->fd >= 0)
		flush(p);
	if (p->enough)
		return reason_set(why, OUTCOME_TEMPFAIL, "enough",
		    "ended after %" PRId64 " bytes", get->bytes);
	return outcome;
}

enum outcome
http_client_pipe(struct http_client *client, const struct http_call *get,
    unsigned get_status, const struct http_pipe_put *put,
    struct http_result result_r[2], struct reason *why)
{
	struct pipe p = { .put = put,
		.get_status = get_status,
		.result = &result_r[1],
		.fd = -1 };
	struct http_call call = *get;
	enum outcome outcome;

	http_result_clear(&result_r[0]);
	http_result_clear(&result_r[1]);
	if ((p.chunk = malloc(CHUNK)) == NULL)
		return reason_set(why, OUTCOME_TEMPFAIL, "local",
		    "out of memory");
	call.method = HTTP_GET;
	call.head = on_head;
	call.sink = on_bytes;
	call.progress = NULL;
	call.arg = &p;
	call.max_body = put->size > 0 ? put->size : 1;
	outcome = http_client_perform(client, &call, &result_r[0], why);
	outcome = finish(&p, outcome, &result_r[0], why);
	if (p.fd >= 0)
		close(p.fd);
	free(p.chunk);
	return outcome;
}
