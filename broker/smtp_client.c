/* SPDX-License-Identifier: ISC
 *
 * The SMTP client: see smtp_client.h. The server is on this host, so what
 * counts is how often each process waits for the other.
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
	EXTENSION_PIPELINING = 32,
};

/* Commands that are sent before their replies are read: of so many the
 * replies fit what a socket holds, so neither end blocks the other. */
#define AT_ONCE 32

static const struct {
	const char *name;
	unsigned bit;
} extensions[] = {
	{ "DSN", EXTENSION_DSN },
	{ "SMTPUTF8", EXTENSION_SMTPUTF8 },
	{ "8BITMIME", EXTENSION_8BITMIME },
	{ "SIZE", EXTENSION_SIZE },
	{ "XFORWARD", EXTENSION_XFORWARD },
	{ "PIPELINING", EXTENSION_PIPELINING },
};

struct session {
	const struct smtp_client_options *options;
	const struct smtp_client_message *message;
	struct smtp_stream *stream;
	unsigned offered;
	/* Lines of XFORWARD: each ends before this attribute. */
	size_t forward_ends[ENVELOPE_MAX_FORWARD];
	size_t forwards;
	size_t accepted; /* recipients */
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
static void
plan_forward(struct session *session)
{
	const struct envelope *envelope = session->message->envelope;
	size_t len = 0;

	for (size_t i = 0; i < envelope->forward_count; i++) {
		len += strlen(envelope->forward[i].name) +
		    strlen(envelope->forward[i].value) + 2;
		if (len < 250 && i + 1 < envelope->forward_count)
			continue;
		session->forward_ends[session->forwards++] = i + 1;
		len = 0;
	}
}

static void
write_forward(struct session *session, size_t index)
{
	const struct envelope *envelope = session->message->envelope;
	size_t i = index > 0 ? session->forward_ends[index - 1] : 0;

	smtp_stream_format(session->stream, "XFORWARD");
	for (; i < session->forward_ends[index]; i++)
		smtp_stream_format(session->stream, " %s=%s",
		    envelope->forward[i].name, envelope->forward[i].value);
	smtp_stream_format(session->stream, "\r\n");
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

static void
write_mail(struct session *session)
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
	smtp_stream_format(session->stream, "%s\r\n", line);
}

static void
write_recipient(struct session *session, const struct envelope_recipient *r)
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
	smtp_stream_format(session->stream, "%s\r\n", line);
}

/* The message with its dots doubled, and that there is no other. */
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
	if ((session->offered & EXTENSION_PIPELINING) &&
	    smtp_stream_format(stream, "QUIT\r\n") < 0)
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

/* ---- what is said before the message ------------------------------------ */

/*
 * The commands by their numbers: those of XFORWARD, MAIL, one RCPT for each
 * recipient, DATA.
 */
static size_t
count_commands(const struct session *session)
{
	return session->forwards + 1 + session->message->count + 1;
}

static struct envelope_recipient *
recipient_of(const struct session *session, size_t number)
{
	const struct smtp_client_message *m = session->message;

	return &m->envelope
		    ->recipients[m->recipients[number - session->forwards - 1]];
}

static void
write_command(struct session *session, size_t number)
{
	if (number < session->forwards)
		write_forward(session, number);
	else if (number == session->forwards)
		write_mail(session);
	else if (number + 1 < count_commands(session))
		write_recipient(session, recipient_of(session, number));
	else
		smtp_stream_format(session->stream, "DATA\r\n");
}

/* True if it may go on. */
static bool
read_answer(struct session *session, size_t number)
{
	if (number <= session->forwards)
		return read_reply(session, 2);
	if (number + 1 == count_commands(session))
		return read_reply(session, 3);
	if (read_reply(session, 2))
		session->accepted++;
	else
		pass_reply(session, recipient_of(session, number));
	return session->code != 0;
}

/* True if the server waits for the message, for somebody. */
static bool
prepare(struct session *session)
{
	bool at_once = session->offered & EXTENSION_PIPELINING;
	size_t count = count_commands(session), said = 0, answered = 0;

	while (said < count) {
		if (said + 1 == count && answered == said &&
		    session->accepted == 0)
			return false; /* nobody to send it to */
		write_command(session, said++);
		if (at_once && said < count && said - answered < AT_ONCE)
			continue;
		session->code = 0;
		if (smtp_stream_flush(session->stream) < 0)
			return false;
		while (answered < said)
			if (!read_answer(session, answered++))
				return false;
	}
	if (session->accepted == 0)
		session->code = 0; /* it waits for it all the same: hang up */
	return session->accepted > 0;
}

/* ---- the whole ----------------------------------------------------------- */

/* RFC 6531, 3.1: such addresses go only where they are understood. */
static bool
is_understood(const struct session *session)
{
	return !session->message->envelope->parameters.smtputf8 ||
	    (session->offered & EXTENSION_SMTPUTF8);
}

static void
transact(struct session *session)
{
	const struct smtp_client_message *m = session->message;
	bool has_quit = false;
	char hello[300];

	snprintf(hello, sizeof(hello), "EHLO %s", session->options->hostname);
	if (!read_reply(session, 2) || !command(session, hello, 2)) {
		pass_reply_all(session);
		return;
	}
	if (session->offered & EXTENSION_XFORWARD)
		plan_forward(session);
	if (!is_understood(session)) /* ours to mend, so temporary */
		reply_all(m, "451 4.6.7",
		    "Postfix's re-injection service has no SMTPUTF8");
	else if (prepare(session)) {
		session->code = 0;
		session->sent = send_data(session) == 0;
		has_quit = session->offered & EXTENSION_PIPELINING;
		if (session->sent)
			read_reply(session, 2);
	}
	pass_reply_all(session);
	if (session->code == 0)
		return;
	if (has_quit)
		read_reply(session, 2); /* so that it loses no connection */
	else
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
