/* SPDX-License-Identifier: ISC
 *
 * An LMTP connection over a socket pair, and what ends a message.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "buffer.h"
#include "lmtp_session.h"
#include "smtp_client.h"
#include "test.h"

static struct {
	char message[4096];
	char sender[MAIL_ADDRESS_SIZE];
	char recipients[1024];
	int hang_up; /* the client's end, closed while we work */
	bool given_up;
} got;

static void
take(void *context, struct envelope *envelope, const char *message, size_t len)
{
	(void)context;
	snprintf(got.message, sizeof(got.message), "%.*s", (int)len, message);
	snprintf(got.sender, sizeof(got.sender), "%s", envelope->sender);
	if (got.hang_up > 0)
		close(got.hang_up);
	got.given_up = envelope->is_given_up(envelope->connection);
	got.recipients[0] = '\0';
	for (size_t i = 0; i < envelope->count; i++) {
		strcat(got.recipients, envelope->recipients[i].path);
		strcat(got.recipients, " ");
		envelope_reply(&envelope->recipients[i],
		    i == 1 ? "451 4.4.1" : "250 2.0.0", "So be it");
	}
}

/* Plays the client's lines and returns what the server said. */
static const char *
converse(const char *input)
{
	static char output[8192];
	struct lmtp_session_options options = { "mx.bar.test", "/tmp", 1000,
		5000, take, NULL, NULL };
	size_t len = 0;
	ssize_t more;
	int ends[2];

	memset(&got, 0, sizeof(got));
	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	CHECK(write(ends[0], input, strlen(input)) == (ssize_t)strlen(input));
	shutdown(ends[0], SHUT_WR);
	lmtp_session_run(ends[1], &options);
	close(ends[1]);
	while (
	    (more = read(ends[0], output + len, sizeof(output) - 1 - len)) > 0)
		len += (size_t)more;
	output[len] = '\0';
	close(ends[0]);
	return output;
}

#define HELLO "LHLO x\r\n"
#define OPEN \
	HELLO "MAIL FROM:<a@foo.test>\r\nRCPT TO:<b@bar.test>\r\n" \
	      "RCPT TO:<c@bar.test>\r\nDATA\r\n"

TEST(each_recipient_is_answered)
{
	const char *said = converse(OPEN "Subject: x\r\n\r\n..dot\r\n.a\r\n"
					 "text\r\n.\r\nQUIT\r\n");

	CHECK_STRING(got.message, "Subject: x\r\n\r\n.dot\r\na\r\ntext\r\n");
	CHECK_STRING(got.recipients, "b@bar.test c@bar.test ");
	CHECK(strstr(said,
		  "354 Go ahead\r\n250 2.0.0 So be it\r\n"
		  "451 4.4.1 So be it\r\n221 2.0.0 Bye\r\n") != NULL);
	CHECK(strstr(said, "250-DSN\r\n") != NULL);
	CHECK(!got.given_up);
}

TEST(two_messages_on_one_connection)
{
	converse(OPEN "1\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<d@bar.test>\r\n"
		      "DATA\r\n2\r\n.\r\nQUIT\r\n");
	CHECK_STRING(got.message, "2\r\n");
	CHECK_STRING(got.sender, "");
	CHECK_STRING(got.recipients, "d@bar.test ");
}

TEST(only_crlf_dot_crlf_ends_a_message)
{
	static const char *const ends[] = { "x\n.\n", "x\n.\r\n", "x\r\n.\n",
		"x\r.\r\n", "x\r\n.\r\r\n", "x\r\n.\rQ\r\n" };

	for (size_t i = 0; i < 6; i++) {
		char text[500];
		const char *said;

		snprintf(text, sizeof(text), "%s%s%s", OPEN, ends[i],
		    "MAIL FROM:<evil@foo.test>\r\n.\r\nQUIT\r\n");
		said = converse(text);
		CHECK_FOR(strstr(said, "221 2.0.0 Bye") != NULL, "%zu", i);
		CHECK_FOR(strstr(got.sender, "evil") == NULL, "%zu", i);
		if (strstr(ends[i], "\r\n.\r\r") == NULL &&
		    strstr(ends[i], "\r\n.\rQ") == NULL &&
		    strstr(ends[i], "x\r.") == NULL)
			CHECK_FOR(strstr(said,
				      "550 5.6.11 Bare newline\r\n"
				      "550 5.6.11 Bare newline\r\n") != NULL,
			    "%zu", i);
	}
}

TEST(a_message_too_large_is_refused)
{
	char text[4096] = OPEN;
	const char *said;

	for (int i = 0; i < 100; i++)
		strcat(text, "0123456789\r\n");
	strcat(text, ".\r\nQUIT\r\n");
	said = converse(text);
	CHECK(strstr(said, "552 5.3.4 Too large\r\n552 5.3.4") != NULL);
	said = converse(HELLO "MAIL FROM:<a@foo.test> SIZE=2000\r\n");
	CHECK(strstr(said, "552 5.3.4") != NULL);
}

TEST(order_is_kept)
{
	static const struct {
		const char *input, *reply;
	} table[] = {
		{ "MAIL FROM:<a@b.test>\r\n", "503" },
		{ HELLO "RCPT TO:<a@b.test>\r\n", "503" },
		{ HELLO "DATA\r\n", "503" },
		{ HELLO "MAIL FROM:<a@b.test>\r\nMAIL FROM:<a@b.test>\r\n",
		    "503" },
		{ HELLO "MAIL FROM:<a@b.test>\r\nDATA\r\n", "503" },
		{ HELLO "MAIL FROM:<a@b.test>\r\nXFORWARD NAME=x\r\n", "503" },
		{ "LHLO\r\n", "501" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const char *said = converse(table[i].input), *last = said;

		for (const char *at = said; *at != '\0'; at++)
			if (*at == '\n' && at[1] != '\0')
				last = at + 1;
		CHECK_FOR(strncmp(last, table[i].reply, 3) == 0, "%s: %s",
		    table[i].input, last);
	}
}

TEST(a_client_that_talks_nonsense_is_dropped)
{
	char text[2048] = "";

	for (int i = 0; i < 40; i++)
		strcat(text, "HELLO?\r\n");
	strcat(text, OPEN "x\r\n.\r\n");
	converse(text);
	CHECK_STRING(got.message, "");
}

TEST(a_message_cut_off_is_not_delivered)
{
	converse(OPEN "Subject: x\r\n\r\ntext\r\n.");
	CHECK_STRING(got.message, "");
}

/* It did not wait for the end of the work. */
TEST(a_client_that_hung_up_is_known)
{
	static const char input[] = OPEN "text\r\n.\r\nQUIT\r\n";
	struct lmtp_session_options options = { "mx.bar.test", "/tmp", 1000,
		5000, take, NULL, NULL };
	int ends[2];

	memset(&got, 0, sizeof(got));
	socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
	CHECK(write(ends[0], input, strlen(input)) == (ssize_t)strlen(input));
	got.hang_up = ends[0];
	signal(SIGPIPE, SIG_IGN);
	lmtp_session_run(ends[1], &options);
	close(ends[1]);
	CHECK_STRING(got.message, "text\r\n");
	CHECK(got.given_up);
}

/* Bytes in single steps must give the same as all at once. */
static void
collect(void *context, const void *data, size_t len)
{
	buffer_add(context, data, len);
}

TEST(the_end_is_found_wherever_reads_are_cut)
{
	static const char text[] = "a\r\n..b\r\n.\rc\r\n\r\n.d\r\r\n.\r\nrest";
	struct buffer whole, single;
	struct lmtp_data one = { .add = collect, .context = &whole };
	struct lmtp_data two = { .add = collect, .context = &single };
	size_t used, at = 0;
	int end = 0;

	buffer_init(&whole, 1000);
	buffer_init(&single, 1000);
	used = lmtp_data_read(&one, text, sizeof(text) - 1, &end);
	CHECK(end == 1 && used == sizeof(text) - 1 - 4);
	for (end = 0; !end && at < sizeof(text) - 1; at++)
		CHECK(lmtp_data_read(&two, text + at, 1, &end) == 1);
	CHECK(end == 1 && at == used);
	CHECK_STRING(buffer_string(&whole), "a\r\n.b\r\n\rc\r\n\r\nd\r\r\n");
	CHECK_STRING(buffer_string(&single), buffer_string(&whole));
	buffer_free(&whole);
	buffer_free(&single);
}

int
main(void)
{
	RUN(each_recipient_is_answered);
	RUN(two_messages_on_one_connection);
	RUN(only_crlf_dot_crlf_ends_a_message);
	RUN(a_message_too_large_is_refused);
	RUN(order_is_kept);
	RUN(a_client_that_talks_nonsense_is_dropped);
	RUN(a_message_cut_off_is_not_delivered);
	RUN(a_client_that_hung_up_is_known);
	RUN(the_end_is_found_wherever_reads_are_cut);
	return test_done();
}
