/* SPDX-License-Identifier: ISC
 *
 * Load for an SMTP server at 127.0.0.1: small messages from several clients at
 * once, each on one connection. smtp-source of Postfix cannot log in, and what
 * nobody is logged in for is not what users submit.
 *
 *   bench_submit [-u USER:PASSWORD] [-j CLIENTS] [-n COUNT] [-s SIZE]
 *                PORT FROM TO
 *
 * COUNT is that of all clients together; SIZE that of a message, in bytes.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

#include "smtp_stream.h"

#define LINE 72 /* of the body, with CRLF */
#define TIMEOUT_MS 60000

struct submit {
	const char *login, *from, *to;
	int port, clients, count, size;
};

static void
die(const char *what)
{
	fprintf(stderr, "bench_submit: %s\n", what);
	exit(1);
}

static void
expect(struct smtp_stream *stream, char code)
{
	char line[SMTP_LINE_MAX];

	if (smtp_stream_flush(stream) < 0)
		die("cannot send");
	do
		if (smtp_stream_read_line(stream, line) < 4)
			die("the server went away");
	while (line[3] == '-');
	if (line[0] != code)
		die(line);
}

static void
say(struct smtp_stream *stream, const char *line, char code)
{
	smtp_stream_format(stream, "%s\r\n", line);
	expect(stream, code);
}

/* RFC 4616: NUL, name, NUL, password. */
static void
log_in(struct smtp_stream *stream, const char *login)
{
	char plain[256], coded[512], line[600];
	int len = snprintf(plain, sizeof(plain), "%c%s", 0, login);
	char *colon = strchr(plain + 1, ':');

	if (colon == NULL || len >= (int)sizeof(plain))
		die("no USER:PASSWORD");
	*colon = '\0';
	sodium_bin2base64(coded, sizeof(coded), (unsigned char *)plain,
	    (size_t)len, sodium_base64_VARIANT_ORIGINAL);
	snprintf(line, sizeof(line), "AUTH PLAIN %s", coded);
	say(stream, line, '2');
}

static void
send_message(struct smtp_stream *stream, const struct submit *submit, int n)
{
	static const char text[] = "Nothing in this line is of interest, and "
				   "the next one is just like it.\r\n";
	char header[1000], line[SMTP_LINE_MAX];
	int at;

	snprintf(line, sizeof(line), "MAIL FROM:<%s>", submit->from);
	say(stream, line, '2');
	snprintf(line, sizeof(line), "RCPT TO:<%s>", submit->to);
	say(stream, line, '2');
	say(stream, "DATA", '3');
	at = snprintf(header, sizeof(header),
	    "From: %s\r\nTo: %s\r\nSubject: %d of many\r\n"
	    "Message-ID: <%d.%d@foo.test>\r\n"
	    "Date: Thu, 1 Jan 2026 00:00:00 +0000\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n\r\n",
	    submit->from, submit->to, n, n, (int)getpid());
	smtp_stream_write(stream, header, (size_t)at);
	for (; at + LINE <= submit->size; at += (int)sizeof(text) - 1)
		smtp_stream_write(stream, text, sizeof(text) - 1);
	say(stream, ".", '2');
}

/* One client's life. */
static void
run(const struct submit *submit, int count)
{
	static struct smtp_stream stream;
	const struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons((unsigned short)submit->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		die("cannot connect");
	smtp_stream_init(&stream, fd, TIMEOUT_MS);
	expect(&stream, '2');
	say(&stream, "EHLO bench.foo.test", '2');
	if (submit->login != NULL)
		log_in(&stream, submit->login);
	for (int i = 0; i < count; i++)
		send_message(&stream, submit, i);
	say(&stream, "QUIT", '2');
	exit(0);
}

static void
read_options(struct submit *submit, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "u:j:n:s:")) != -1) {
		switch (option) {
		case 'u':
			submit->login = optarg;
			break;
		case 'j':
			submit->clients = (int)strtol(optarg, NULL, 10);
			break;
		case 'n':
			submit->count = (int)strtol(optarg, NULL, 10);
			break;
		case 's':
			submit->size = (int)strtol(optarg, NULL, 10);
			break;
		default:
			exit(64);
		}
	}
	if (argc - optind != 3 || submit->clients < 1)
		exit(64);
	submit->port = (int)strtol(argv[optind], NULL, 10);
	submit->from = argv[optind + 1];
	submit->to = argv[optind + 2];
}

int
main(int argc, char **argv)
{
	struct submit submit = { .clients = 10, .count = 1000, .size = 4096 };
	bool failed = false;
	int status;

	read_options(&submit, argc, argv);
	for (int i = 0; i < submit.clients; i++)
		if (fork() == 0)
			run(&submit,
			    submit.count / submit.clients +
				(i < submit.count % submit.clients));
	while (wait(&status) > 0)
		failed = failed || status != 0;
	return failed;
}
