/* SPDX-License-Identifier: ISC
 *
 * SMTP for checks: see check_mail.h. One command at a time; the first reply
 * that is not what was hoped for is the answer.
 */
#include "check_mail.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "memory.h"
#include "smtp_stream.h"

#define CONNECT_SECONDS 10
#define REPLY_MS 60000 /* milters may take their time */
#define REPLY_LINES_MAX 100

static int
open_server(const char *address)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM },
			*list = NULL;
	struct timeval limit = { .tv_sec = CONNECT_SECONDS };
	char port[8];
	int fd;

	snprintf(port, sizeof(port), "%d", CHECK_MAIL_PORT);
	errno = EINVAL;
	if (getaddrinfo(address, port, &hints, &list) != 0)
		return -1;
	fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
		if (connect(fd, list->ai_addr, list->ai_addrlen) < 0) {
			if (errno == EINPROGRESS)
				errno = ETIMEDOUT;
			close(fd);
			fd = -1;
		}
	}
	freeaddrinfo(list);
	return fd;
}

/* True if the reply is of this hundred. */
static bool
read_reply(struct smtp_stream *stream, int wanted,
    struct check_mail_reply *reply)
{
	char line[SMTP_LINE_MAX];
	const char *text = "";
	bool more = true;

	reply->code = 0;
	strcpy(reply->text, "the connection was closed, or no reply came");
	for (int lines = 0; more; lines++) {
		long len = smtp_stream_read_line(stream, line);

		if (len < 0 || lines == REPLY_LINES_MAX ||
		    strlen(line) != (size_t)len ||
		    smtp_line_parse_reply(line, &reply->code, &more, &text) <
			0) {
			reply->code = 0;
			return false;
		}
		if (strncasecmp(text, "STARTTLS", 8) == 0)
			reply->starttls = true;
	}
	snprintf(reply->text, sizeof(reply->text), "%.*s",
	    (int)sizeof(reply->text) - 1, text);
	return reply->code / 100 == wanted;
}

static bool
command(struct smtp_stream *stream, const char *line, int wanted,
    struct check_mail_reply *reply)
{
	smtp_stream_format(stream, "%s\r\n", line);
	return smtp_stream_flush(stream) == 0 &&
	    read_reply(stream, wanted, reply);
}

static bool
send_data(struct smtp_stream *stream, const struct check_mail *mail,
    struct check_mail_reply *reply)
{
	const char *at = mail->data, *end = mail->data + mail->len;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		const char *next = newline != NULL ? newline + 1 : end;

		if (*at == '.')
			smtp_stream_write(stream, ".", 1);
		smtp_stream_write(stream, at, (size_t)(next - at));
		at = next;
	}
	return command(stream, ".", 2, reply);
}

/* Postfix says so, and so do others that follow it. */
static void
note_queue_id(struct check_mail_reply *reply)
{
	const char *at = strstr(reply->text, "queued as ");

	if (at != NULL)
		snprintf(reply->queue_id, sizeof(reply->queue_id), "%.*s",
		    (int)strspn(at + 10,
			"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			"abcdefghijklmnopqrstuvwxyz"),
		    at + 10);
}

static void
transact(struct smtp_stream *stream, const struct check_mail *mail,
    struct check_mail_reply *reply)
{
	char line[SMTP_LINE_MAX];

	reply->stage = CHECK_MAIL_GREETING;
	snprintf(line, sizeof(line), "EHLO %s", mail->hello);
	if (!read_reply(stream, 2, reply) || !command(stream, line, 2, reply))
		return;
	if (mail->to == NULL) {
		reply->stage = CHECK_MAIL_DONE;
		return;
	}
	reply->stage = CHECK_MAIL_RCPT;
	snprintf(line, sizeof(line), "RCPT TO:<%s>", mail->to);
	if (!command(stream, "MAIL FROM:<>", 2, reply) ||
	    !command(stream, line, 2, reply))
		return;
	reply->stage = CHECK_MAIL_DATA;
	if (!command(stream, "DATA", 3, reply) ||
	    !send_data(stream, mail, reply))
		return;
	note_queue_id(reply);
	reply->stage = CHECK_MAIL_DONE;
}

void
check_mail_send(const struct check_mail *mail, struct check_mail_reply *reply_r)
{
	struct smtp_stream *stream;
	int fd = open_server(mail->address);

	memset(reply_r, 0, sizeof(*reply_r));
	if (fd < 0) {
		snprintf(reply_r->text, sizeof(reply_r->text), "%s",
		    strerror(errno));
		return;
	}
	stream = x_malloc(sizeof(*stream));
	smtp_stream_init(stream, fd, REPLY_MS);
	transact(stream, mail, reply_r);
	if (reply_r->code != 0 && smtp_stream_format(stream, "QUIT\r\n") == 0)
		smtp_stream_flush(stream);
	free(stream);
	close(fd);
}
