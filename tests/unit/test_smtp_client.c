/* SPDX-License-Identifier: ISC
 *
 * Re-injection against a Postfix that is a script.
 */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buffer.h"
#include "smtp_client.h"
#include "smtp_stream.h"
#include "test.h"
#include "unix_socket.h"

#define ALL \
	"250-DSN\r\n250-SIZE 1\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n" \
	"250 XFORWARD NAME"

/* What the server says in turn: the greeting, then one reply a command; the
 * message counts as one. NULL: it hangs up. */
struct script {
	const char *what;
	const char *replies[10];
	const char *result[2]; /* how the recipients' replies begin */
};

static const struct script scripts[] = {
	{ "all well",
	    { "220 x", ALL, "250 xf", "250 ok", "250 ok", "250 ok", "354 go",
		"250 2.0.0 Ok: queued as Q", "221 bye" },
	    { "250 2.0.0 Ok: queued as Q", "250 2.0.0 Ok: queued as Q" } },
	{ "one recipient refused",
	    { "220 x", ALL, "250 xf", "250 ok", "250 ok",
		"550-5.1.1 no\r\n550 5.1.1 such user", "354 go", "250 2.0.0 Ok",
		"221 bye" },
	    { "250 2.0.0 Ok", "550 5.1.1 such user" } },
	{ "no recipient left",
	    { "220 x", ALL, "250 xf", "250 ok",
		"450 4.2.0 "
		"later",
		"550 5.1.1 no", "221 bye" },
	    { "450 4.2.0 later", "550 5.1.1 no" } },
	{ "data for nobody",
	    { "220 x", ALL, "250 xf", "250 ok", "450 4.2.0 later",
		"550 5.1.1 no", "354 go", "250 2.0.0 Ok", "221 bye" },
	    { "450 4.2.0 later", "550 5.1.1 no" } },
	{ "sender refused", { "220 x", ALL, "250 xf", "452 4.3.1 full" },
	    { "452 4.3.1 full", "452 4.3.1 full" } },
	{ "421 becomes 451", { "421 4.3.2 closing" },
	    { "451 4.3.2 closing", "451 4.3.2" } },
	{ "no greeting", { NULL }, { "451 4.4.1", "451 4.4.1" } },
	{ "rubbish", { "220 x", "what?" }, { "451 4.4.1", "451 4.4.1" } },
	{ "gone after the message",
	    { "220 x", ALL, "250 xf", "250 ok", "250 ok", "250 ok", "354 go",
		NULL },
	    { "451 4.4.2", "451 4.4.2" } },
	{ "yes to no message",
	    { "220 x", ALL, "250 xf", "250 ok", "250 ok", "250 ok",
		"250 2.0.0 Ok", "221 bye" },
	    { "451 4.5.0", "451 4.5.0" } },
	{ "refused after the message",
	    { "220 x", ALL, "250 xf", "250 ok", "250 ok", "250 ok", "354 go",
		"554 5.7.1 no", "221 bye" },
	    { "554 5.7.1 no", "554 5.7.1 no" } },
};

/* The server offers PIPELINING and answers nothing after EHLO until it has
 * heard DATA. */
static bool at_once;

/* The lines until DATA, all but the first answered later. */
static int
read_ahead(struct smtp_stream *stream, int out)
{
	char line[SMTP_LINE_MAX];

	for (int ahead = 0;; ahead++) {
		if (smtp_stream_read_line(stream, line) < 0)
			_exit(0);
		dprintf(out, "%s\n", line);
		if (strcmp(line, "DATA") == 0 || strcmp(line, "QUIT") == 0)
			return ahead;
	}
}

/* The child: says its lines and writes what it heard to `out`. */
static void
play(int listener, const struct script *script, int out)
{
	static struct smtp_stream stream;
	int fd = accept(listener, NULL, NULL);
	char line[SMTP_LINE_MAX];
	bool in_data = false;
	int ahead = 0;

	smtp_stream_init(&stream, fd, 5000);
	for (int i = 0; i < 10 && script->replies[i] != NULL; i++) {
		if (at_once && i == 1)
			smtp_stream_format(&stream, "250-PIPELINING\r\n");
		smtp_stream_format(&stream, "%s\r\n", script->replies[i]);
		smtp_stream_flush(&stream);
		if (ahead > 0) {
			ahead--;
			continue;
		}
		if (at_once && i == 1) {
			ahead = read_ahead(&stream, out);
			continue;
		}
		in_data = strncmp(script->replies[i], "354", 3) == 0;
		do {
			if (smtp_stream_read_line(&stream, line) < 0)
				_exit(0);
			dprintf(out, "%s\n", line);
		} while (in_data && strcmp(line, ".") != 0);
	}
	_exit(0);
}

static void
heard(int fd, char *text, size_t size)
{
	size_t len = 0;
	ssize_t got;

	while ((got = read(fd, text + len, size - 1 - len)) > 0)
		len += (size_t)got;
	text[len] = '\0';
}

/* The message that is sent. */
static const char *data = "Subject: x\r\n\r\n.dot\r\n";
static bool other;

static void
run(const struct script *script, struct envelope *envelope, char *text,
    size_t size)
{
	static const size_t indices[] = { 0, 1 };
	char server[64];
	struct smtp_client_options options = { server, "mx.bar.test", 5000 };
	struct smtp_client_message message = { envelope, indices, 2,
		"X-Status: y\r\n", data, strlen(data), other };
	struct unix_socket_owner owner = { getuid(), getgid(), 0600 };
	int listener, ends[2];
	pid_t child;

	/* Two runs at once do not share it. */
	snprintf(server, sizeof(server), "unix:/tmp/test_smtp_client.%d",
	    (int)getpid());
	listener = unix_socket_listen(server + 5, SOCK_STREAM, &owner);
	CHECK(listener >= 0 && pipe(ends) == 0);
	/* The listener does not block by itself. */
	child = fork();
	if (child == 0) {
		struct timeval limit = { 5, 0 };
		fd_set set;

		FD_ZERO(&set);
		FD_SET(listener, &set);
		select(listener + 1, &set, NULL, NULL, &limit);
		play(listener, script, ends[1]);
	}
	close(ends[1]);
	smtp_client_send(&options, &message);
	waitpid(child, NULL, 0);
	heard(ends[0], text, size);
	close(ends[0]);
	close(listener);
	unlink(options.server + 5);
}

static void
prepare(struct envelope *envelope)
{
	static const char *const lines[] = {
		"MAIL FROM:<a@foo.test> SIZE=5 BODY=8BITMIME RET=HDRS ENVID=e "
		"SMTPUTF8",
		"RCPT TO:<b@bar.test> NOTIFY=DELAY ORCPT=rfc822;i@bar.test",
		"RCPT TO:<c@bar.test>"
	};
	struct smtp_command command;

	memset(envelope, 0, sizeof(*envelope));
	for (int i = 0; i < 3; i++) {
		smtp_line_parse(lines[i], strlen(lines[i]), &command);
		if (i > 0) {
			envelope_add_recipient(envelope, &command);
			continue;
		}
		envelope->parameters = command.parameters;
		strcpy(envelope->sender, command.path);
	}
	envelope_set_forward(envelope, "NAME", "mx.foo.test");
	envelope_set_forward(envelope, "IDENT", "4X");
}

static void
run_scripts(void)
{
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		struct envelope envelope;
		char text[4096];

		prepare(&envelope);
		run(&scripts[i], &envelope, text, sizeof(text));
		for (int j = 0; j < 2; j++)
			CHECK_FOR(strncmp(envelope.recipients[j].reply,
				      scripts[i].result[j],
				      strlen(scripts[i].result[j])) == 0,
			    "%s: %s", scripts[i].what,
			    envelope.recipients[j].reply);
		envelope_reset(&envelope);
	}
}

TEST(replies_are_passed_on)
{
	run_scripts();
	at_once = true;
	run_scripts();
	at_once = false;
}

TEST(everything_is_passed_on)
{
	for (int i = 0; i < 2; i++) {
		struct envelope envelope;
		char text[4096];

		at_once = i == 1;
		prepare(&envelope);
		run(&scripts[0], &envelope, text, sizeof(text));
		CHECK_STRING(text,
		    "EHLO mx.bar.test\nXFORWARD NAME=mx.foo.test IDENT=4X\n"
		    "MAIL FROM:<a@foo.test> SIZE=33 BODY=8BITMIME SMTPUTF8 "
		    "RET=HDRS ENVID=e\n"
		    "RCPT TO:<b@bar.test> NOTIFY=DELAY ORCPT=rfc822;i@bar.test"
		    "\nRCPT TO:<c@bar.test>\nDATA\n"
		    "X-Status: y\nSubject: x\n\n..dot\n.\nQUIT\n");
		envelope_reset(&envelope);
	}
	at_once = false;
}

/* The child: takes all it hears, but answers nothing as long as there is
 * more to hear. */
static void
obey(int fd)
{
	static struct smtp_stream stream;
	char line[SMTP_LINE_MAX] = "";
	bool in_data = false;

	smtp_stream_init(&stream, fd, 5000);
	smtp_stream_format(&stream, "220 x\r\n");
	while (strcmp(line, "QUIT") != 0) {
		if (stream.start == stream.end)
			smtp_stream_flush(&stream);
		if (smtp_stream_read_line(&stream, line) < 0)
			break;
		if (in_data && strcmp(line, ".") != 0)
			continue;
		in_data = strcmp(line, "DATA") == 0;
		smtp_stream_format(&stream, "%s\r\n",
		    in_data			      ? "354 go" :
			strncmp(line, "EHLO", 4) == 0 ? "250 PIPELINING" :
							"250 2.0.0 Ok");
	}
	smtp_stream_flush(&stream);
	_exit(0);
}

TEST(many_recipients_go_in_parts)
{
	static size_t indices[500];
	char server[64];
	struct smtp_client_options options = { server, "mx.bar.test", 5000 };
	struct envelope envelope;
	struct smtp_client_message message = { &envelope, indices, 0, "", data,
		strlen(data), false };
	struct unix_socket_owner owner = { getuid(), getgid(), 0600 };
	struct smtp_command command;
	int listener;

	snprintf(server, sizeof(server), "unix:/tmp/test_smtp_client.%d",
	    (int)getpid());
	listener = unix_socket_listen(server + 5, SOCK_STREAM, &owner);
	CHECK(listener >= 0);
	memset(&envelope, 0, sizeof(envelope));
	smtp_line_parse("RCPT TO:<b@bar.test>", 20, &command);
	for (; message.count < 500; message.count++) {
		indices[message.count] = message.count;
		CHECK(envelope_add_recipient(&envelope, &command) == 0);
	}
	if (fork() == 0) {
		struct pollfd poller = { .fd = listener, .events = POLLIN };

		poll(&poller, 1, 5000);
		obey(accept(listener, NULL, NULL));
	}
	smtp_client_send(&options, &message);
	wait(NULL);
	for (size_t i = 0; i < message.count; i++)
		CHECK_STRING(envelope.recipients[i].reply, "250 2.0.0 Ok");
	envelope_reset(&envelope);
	close(listener);
	unlink(options.server + 5);
}

/* A placeholder or a rebuilt message: BODY and SIZE are its own. */
TEST(another_message_speaks_for_itself)
{
	static const struct {
		const char *data, *mail;
	} rows[] = {
		{ "Subject: y\r\n\r\n",
		    "MAIL FROM:<a@foo.test> SIZE=27 SMTPUTF8 RET=HDRS "
		    "ENVID=e\n" },
		{ "Subject: \xc3\xb6\r\n\r\n",
		    "MAIL FROM:<a@foo.test> SIZE=28 BODY=8BITMIME SMTPUTF8 "
		    "RET=HDRS ENVID=e\n" },
	};
	const char *before = data;

	other = true;
	for (size_t i = 0; i < 2; i++) {
		struct envelope envelope;
		char text[4096];

		prepare(&envelope);
		data = rows[i].data;
		run(&scripts[0], &envelope, text, sizeof(text));
		CHECK_FOR(strstr(text, rows[i].mail) != NULL, "%s", text);
		envelope_reset(&envelope);
	}
	data = before;
	other = false;
}

/* Nothing is told that was not offered, but an address that needs SMTPUTF8
 * does not go to a server that cannot read it. */
TEST(only_what_is_offered)
{
	static const struct script plain = { "plain",
		{ "220 x", "250 x", "250 ok", "250 ok", "250 ok", "354 go",
		    "250 2.0.0 Ok", "221 bye" },
		{ NULL } };
	struct envelope envelope;
	char text[4096];

	prepare(&envelope);
	envelope.parameters.smtputf8 = false;
	envelope.sender[0] = '\0'; /* a bounce stays one */
	run(&plain, &envelope, text, sizeof(text));
	CHECK_STRING(text,
	    "EHLO mx.bar.test\nMAIL FROM:<>\nRCPT TO:<b@bar.test>\n"
	    "RCPT TO:<c@bar.test>\nDATA\n"
	    "X-Status: y\nSubject: x\n\n..dot\n.\nQUIT\n");
	CHECK_STRING(envelope.recipients[1].reply, "250 2.0.0 Ok");
	envelope_reset(&envelope);

	prepare(&envelope);
	run(&plain, &envelope, text, sizeof(text));
	CHECK_STRING(text, "EHLO mx.bar.test\nQUIT\n");
	CHECK_FOR(strncmp(envelope.recipients[0].reply, "451 4.6.7", 9) == 0,
	    "%s", envelope.recipients[0].reply);
	envelope_reset(&envelope);
}

TEST(nobody_there_is_temporary)
{
	static const size_t indices[] = { 0, 1 };
	static const char *const servers[] = { "unix:/nonexistent/socket",
		"inet:127.0.0.1:1", "inet:nowhere", "inet:host.test:25" };
	struct envelope envelope;

	for (int i = 0; i < 4; i++) {
		struct smtp_client_options options = { servers[i], "x", 1000 };
		struct smtp_client_message message = { &envelope, indices, 2,
			"", "x", 1, false };

		prepare(&envelope);
		smtp_client_send(&options, &message);
		CHECK_FOR(strncmp(envelope.recipients[1].reply, "451 4.4.1",
			      9) == 0,
		    "%s", servers[i]);
		envelope_reset(&envelope);
	}
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN); /* as the broker does */
	RUN(replies_are_passed_on);
	RUN(everything_is_passed_on);
	RUN(many_recipients_go_in_parts);
	RUN(another_message_speaks_for_itself);
	RUN(only_what_is_offered);
	RUN(nobody_there_is_temporary);
	return test_done();
}
