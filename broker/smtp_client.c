/* SPDX-License-Identifier: ISC
 *
 * The SMTP client: see smtp_client.h. One command, one reply: the server is
 * on this host.
 */
#include "smtp_client.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "memory.h"
#include "smtp_stream.h"
#include "unix_socket.h"

enum extension {
	EXTENSION_DSN = 1,
	EXTENSION_SMTPUTF8 = 2,
	EXTENSION_8BITMIME = 4,
	EXTENSION_SIZE = 8,
	EXTENSION_XFORWARD = 16,
};

static const struct {
	const char *name;
	unsigned bit;
} extensions[] = {
	{ "DSN", EXTENSION_DSN },
	{ "SMTPUTF8", EXTENSION_SMTPUTF8 },
	{ "8BITMIME", EXTENSION_8BITMIME },
	{ "SIZE", EXTENSION_SIZE },
	{ "XFORWARD", EXTENSION_XFORWARD },
};

struct session {
	const struct smtp_client_options *options;
	const struct smtp_client_message *message;
	struct smtp_stream *stream;
	unsigned offered;
	char reply[ENVELOPE_REPLY_SIZE]; /* last line of the last reply */
	int code; /* 0: the connection is lost */
	bool sent; /* the message, to its last dot */
};

static int
connect_inet(const char *server, int timeout_ms)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM },
			*list = NULL;
	char *host = x_strdup(server), *port = strrchr(host, ':');
	struct timeval limit = { timeout_ms / 1000, timeout_ms % 1000 * 1000 };
	int fd = -1, one = 1;

	if (port == NULL)
		goto out;
	*port++ = '\0';
	if (getaddrinfo(host, port, &hints, &list) != 0)
		goto out;
	fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		goto out;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	if (connect(fd, list->ai_addr, list->ai_addrlen) < 0) {
		close(fd);
		fd = -1;
	}
out:
	if (list != NULL)
		freeaddrinfo(list);
	free(host);
	return fd;
}

static int
connect_server(const struct smtp_client_options *options)
{
	if (strncmp(options->server, "unix:", 5) == 0)
		return unix_socket_connect(options->server + 5, SOCK_STREAM,
		    options->timeout_ms);
	if (strncmp(options->server, "inet:", 5) == 0)
		return connect_inet(options->server + 5, options->timeout_ms);
	return -1;
}

static void
note_extension(struct session *session, const char *text)
{
	size_t len = strcspn(text, " ");

	for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++)
		if (strlen(extensions[i].name) == len &&
		    strncasecmp(text, extensions[i].name, len) == 0)
			session->offered |= extensions[i].bit;
}

/* Reads one reply. True if its code is of the wanted hundred. */
static bool
read_reply(struct session *session, int wanted)
{
	char line[SMTP_LINE_MAX];
	const char *text;
	bool more = true;

	session->code = 0;
	for (int lines = 0; more && lines < 100; lines++) {
		long len = smtp_stream_read_line(session->stream, line);

		if (len < 0 || strlen(line) != (size_t)len ||
		    smtp_line_parse_reply(line, &session->code, &more, &text) <
			0) {
			session->code = 0;
			return false;
		}
		note_extension(session, text);
	}
	if (more) { /* a reply without end */
		session->code = 0;
		return false;
	}
	snprintf(session->reply, sizeof(session->reply), "%.*s",
	    (int)sizeof(session->reply) - 1, line);
	return session->code / 100 == wanted;
}

static bool
command(struct session *session, const char *line, int wanted)
{
	session->code = 0;
	return smtp_stream_format(session->stream, "%s\r\n", line) == 0 &&
	    smtp_stream_flush(session->stream) == 0 &&
	    read_reply(session, wanted);
}

/* Where it came from, so that Postfix logs and filters as if it had never
 * left; several short commands. */
static bool
send_forward(struct session *session)
{
	const struct envelope *envelope = session->message->envelope;
	char line[600] = "XFORWARD";
	size_t len = strlen(line);

	for (size_t i = 0; i < envelope->forward_count; i++) {
		const struct envelope_forward *f = &envelope->forward[i];

		len += (size_t)snprintf(line + len, sizeof(line) - len,
		    " %s=%s", f->name, f->value);
		if (len < 250 && i + 1 < envelope->forward_count)
			continue;
		if (!command(session, line, 2))
			return false;
		len = strlen("XFORWARD");
		line[len] = '\0';
	}
	return true;
}

static bool
is_eight_bit(const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)data[i] >= 0x80)
			return true;
	return false;
}

/* What BODY says. Other data than those it was said of speak for themselves,
 * so that no relay converts what need not be, or fails to. */
static const char *
body_type(const struct smtp_client_message *m)
{
	if (!m->other)
		return m->envelope->parameters.body;
	return is_eight_bit(m->data, m->len) ? "8BITMIME" : "";
}

static bool
send_mail(struct session *session)
{
	const struct envelope *envelope = session->message->envelope;
	const struct smtp_parameters *p = &envelope->parameters;
	const char *body = body_type(session->message);
	char line[SMTP_LINE_MAX];
	int len;

	len = snprintf(line, sizeof(line), "MAIL FROM:<%s>", envelope->sender);
	if (session->offered & EXTENSION_SIZE)
		len += snprintf(line + len, sizeof(line) - (size_t)len,
		    " SIZE=%zu",
		    session->message->len + strlen(session->message->prepend));
	if (body[0] != '\0' && (session->offered & EXTENSION_8BITMIME))
		len += snprintf(line + len, sizeof(line) - (size_t)len,
		    " BODY=%s", body);
	if (p->smtputf8 && (session->offered & EXTENSION_SMTPUTF8))
		len += snprintf(line + len, sizeof(line) - (size_t)len,
		    " SMTPUTF8");
	if (p->ret[0] != '\0' && (session->offered & EXTENSION_DSN))
		len += snprintf(line + len, sizeof(line) - (size_t)len,
		    " RET=%s", p->ret);
	if (p->envid[0] != '\0' && (session->offered & EXTENSION_DSN))
		snprintf(line + len, sizeof(line) - (size_t)len, " ENVID=%s",
		    p->envid);
	return command(session, line, 2);
}

static bool
send_recipient(struct session *session, const struct envelope_recipient *r)
{
	char line[SMTP_LINE_MAX];
	int len;

	len = snprintf(line, sizeof(line), "RCPT TO:<%s>", r->path);
	if (session->offered & EXTENSION_DSN) {
		if (r->parameters.notify[0] != '\0')
			len += snprintf(line + len, sizeof(line) - (size_t)len,
			    " NOTIFY=%s", r->parameters.notify);
		if (r->parameters.orcpt[0] != '\0')
			snprintf(line + len, sizeof(line) - (size_t)len,
			    " ORCPT=%s", r->parameters.orcpt);
	}
	return command(session, line, 2);
}

/* The message with its dots doubled. */
static int
send_data(struct session *session)
{
	const struct smtp_client_message *m = session->message;
	struct smtp_stream *stream = session->stream;
	const char *at = m->data, *end = m->data + m->len;

	if (smtp_stream_write(stream, m->prepend, strlen(m->prepend)) < 0)
		return -1;
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *next = newline != NULL ? newline + 1 : end;

		if ((*at == '.' && smtp_stream_write(stream, ".", 1) < 0) ||
		    smtp_stream_write(stream, at, (size_t)(next - at)) < 0)
			return -1;
		at = next;
	}
	if (m->len > 0 && end[-1] != '\n' &&
	    smtp_stream_write(stream, "\r\n", 2) < 0)
		return -1;
	if (smtp_stream_write(stream, ".\r\n", 3) < 0)
		return -1;
	return smtp_stream_flush(stream);
}

/* The server's very reply, or ours if it gave none or closes down. */
static void
pass_reply(const struct session *session, struct envelope_recipient *r)
{
	const char *text = session->reply;

	if (r->reply[0] != '\0')
		return;
	if (session->code == 0 && session->sent)
		envelope_reply(r, ENVELOPE_LOST, "Connection to Postfix lost");
	else if (session->code == 0)
		envelope_reply(r, "451 4.4.1", "No answer from Postfix");
	else if (session->code == 421)
		envelope_reply(r, "451",
		    text[3] != '\0' ? text + 4 : "4.3.2 Postfix closes down");
	else if (session->code / 100 == 3 ||
	    (session->code / 100 == 2 && !session->sent))
		envelope_reply(r, "451 4.5.0", "Unexpected reply of Postfix");
	else
		snprintf(r->reply, sizeof(r->reply), "%s", text);
}

static void
pass_reply_all(const struct session *session)
{
	const struct smtp_client_message *m = session->message;

	for (size_t i = 0; i < m->count; i++)
		pass_reply(session, &m->envelope->recipients[m->recipients[i]]);
}

static void
reply_all(const struct smtp_client_message *m, const char *status,
    const char *text)
{
	for (size_t i = 0; i < m->count; i++)
		envelope_reply(&m->envelope->recipients[m->recipients[i]],
		    status, text);
}

static void
transact(struct session *session)
{
	const struct smtp_client_message *m = session->message;
	char hello[300];
	size_t accepted = 0;

	snprintf(hello, sizeof(hello), "EHLO %s", session->options->hostname);
	if (!read_reply(session, 2) || !command(session, hello, 2)) {
		pass_reply_all(session);
		return;
	}
	/* RFC 6531, 3.1: such addresses go only where they are understood.
	 * Ours to mend, so temporary. */
	if (m->envelope->parameters.smtputf8 &&
	    !(session->offered & EXTENSION_SMTPUTF8)) {
		reply_all(m, "451 4.6.7",
		    "Postfix's re-injection service has no SMTPUTF8");
		command(session, "QUIT", 2);
		return;
	}
	if (((session->offered & EXTENSION_XFORWARD) &&
		!send_forward(session)) ||
	    !send_mail(session)) {
		pass_reply_all(session);
		return;
	}
	for (size_t i = 0; i < m->count; i++) {
		struct envelope_recipient *r =
		    &m->envelope->recipients[m->recipients[i]];

		if (send_recipient(session, r))
			accepted++;
		else
			pass_reply(session, r);
		if (session->code == 0)
			break;
	}
	if (accepted > 0 && session->code != 0 && command(session, "DATA", 3)) {
		session->code = 0;
		session->sent = send_data(session) == 0;
		if (session->sent)
			read_reply(session, 2);
	}
	pass_reply_all(session);
	if (session->code != 0)
		command(session, "QUIT", 2);
}

void
smtp_client_send(const struct smtp_client_options *options,
    const struct smtp_client_message *message)
{
	struct session session = { .options = options, .message = message };
	int fd = connect_server(options);

	if (fd < 0) {
		reply_all(message, "451 4.4.1",
		    "Postfix's re-injection service is not there");
		return;
	}
	session.stream = x_malloc(sizeof(*session.stream));
	smtp_stream_init(session.stream, fd, options->timeout_ms);
	transact(&session);
	free(session.stream);
	close(fd);
}
