/* SPDX-License-Identifier: ISC
 *
 * Commands and replies of SMTP and LMTP.
 */
#include "smtp_line.h"
#include "test.h"

static const struct {
	const char *line;
	const char *error; /* how it begins; NULL if it is good */
	enum smtp_verb verb;
} commands[] = {
	{ "LHLO mx.bar.test", NULL, SMTP_LHLO },
	{ "mail from:<a@b.test>", NULL, SMTP_MAIL },
	{ "MAIL FROM:<> SIZE=12 BODY=8BITMIME RET=HDRS ENVID=x+2By SMTPUTF8",
	    NULL, SMTP_MAIL },
	{ "MAIL FROM: <a@b.test>", NULL, SMTP_MAIL },
	{ "RCPT TO:<a@b.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;a@b.test", NULL,
	    SMTP_RCPT },
	{ "RCPT TO:<a@b.test> notify=never", NULL, SMTP_RCPT },
	{ "DATA", NULL, SMTP_DATA },
	{ "QUIT", NULL, SMTP_QUIT },
	{ "RSET", NULL, SMTP_RSET },
	{ "NOOP x", NULL, SMTP_NOOP },
	{ "", "500", SMTP_UNKNOWN },
	{ "EHLO x", "500", SMTP_UNKNOWN },
	{ "MAILFROM:<a@b.test>", "500", SMTP_UNKNOWN },
	{ "MAIL <a@b.test>", "501", SMTP_MAIL },
	{ "MAIL FROM:a@b.test", "501", SMTP_MAIL },
	{ "MAIL FROM:<a@b.test>SIZE=1", "501", SMTP_MAIL },
	{ "MAIL FROM:<a@b.test> SIZE=", "501", SMTP_MAIL },
	{ "MAIL FROM:<a@b.test> SIZE=-1", "501", SMTP_MAIL },
	{ "MAIL FROM:<a@b.test> SIZE=9999999999999999", "501", SMTP_MAIL },
	{ "MAIL FROM:<a@b.test> SIZE=1 SIZE=1", "501", SMTP_MAIL },
	{ "MAIL FROM:<a@b.test> BODY=BINARYMIME", "501", SMTP_MAIL },
	{ "MAIL FROM:<a@b.test> SMTPUTF8=1", "501", SMTP_MAIL },
	{ "MAIL FROM:<a@b.test> AUTH=<>", "555", SMTP_MAIL },
	{ "MAIL FROM:<a@b.test> NOTIFY=NEVER", "555", SMTP_MAIL },
	{ "RCPT TO:<>", "501", SMTP_RCPT },
	{ "RCPT TO:<a@b.test> NOTIFY=NEVER,DELAY", "501", SMTP_RCPT },
	{ "RCPT TO:<a@b.test> NOTIFY=SUCCESS,", "501", SMTP_RCPT },
	{ "RCPT TO:<a@b.test> ORCPT=a@b.test", "501", SMTP_RCPT },
	{ "RCPT TO:<a@b.test> ORCPT=rfc822;a+0", "501", SMTP_RCPT },
	{ "RCPT TO:<a@b.test> SIZE=1", "555", SMTP_RCPT },
	{ "DATA x", "501", SMTP_DATA },
	{ "NOOP \001", "500", SMTP_UNKNOWN },
};

TEST(commands_are_parsed_strictly)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		struct smtp_command command;
		const char *error = smtp_line_parse(commands[i].line,
		    strlen(commands[i].line), &command);

		CHECK_FOR((error == NULL) == (commands[i].error == NULL),
		    "%s: %s", commands[i].line, error ? error : "ok");
		if (error != NULL && commands[i].error != NULL)
			CHECK_FOR(strncmp(error, commands[i].error, 3) == 0,
			    "%s: %s", commands[i].line, error);
		CHECK_FOR(command.verb == commands[i].verb, "%s",
		    commands[i].line);
	}
}

TEST(parameters_are_kept_as_they_came)
{
	static const char line[] =
	    "MAIL FROM:<A@b.test> SIZE=12 "
	    "BODY=8bitmime RET=full ENVID=x+2By SMTPUTF8";
	struct smtp_command command;

	CHECK(smtp_line_parse(line, strlen(line), &command) == NULL);
	CHECK_STRING(command.path, "A@b.test");
	CHECK(command.parameters.size == 12 && command.parameters.smtputf8);
	CHECK_STRING(command.parameters.body, "8bitmime");
	CHECK_STRING(command.parameters.ret, "full");
	CHECK_STRING(command.parameters.envid, "x+2By");
}

static void
note_forward(void *context, const char *name, const char *value)
{
	char *text = context;

	sprintf(text + strlen(text), "%s=%s|", name, value);
}

TEST(xforward)
{
	char text[256] = "";

	CHECK(smtp_line_parse_xforward("NAME=[UNAVAILABLE] addr=IPV6:::1  "
				       "IDENT=4X",
		  note_forward, text) == NULL);
	CHECK_STRING(text, "NAME=[UNAVAILABLE]|ADDR=IPV6:::1|IDENT=4X|");
	CHECK(smtp_line_parse_xforward("", note_forward, text) != NULL);
	CHECK(smtp_line_parse_xforward("LOGIN=x", note_forward, text) != NULL);
	CHECK(smtp_line_parse_xforward("NAME", note_forward, text) != NULL);
	CHECK(
	    smtp_line_parse_xforward("NAME=a+0Db", note_forward, text) != NULL);
}

TEST(replies)
{
	const char *text;
	bool more;
	int code;

	CHECK(smtp_line_parse_reply("250-2.0.0 x", &code, &more, &text) == 0 &&
	    code == 250 && more && strcmp(text, "2.0.0 x") == 0);
	CHECK(smtp_line_parse_reply("354", &code, &more, &text) == 0 &&
	    code == 354 && !more && text[0] == '\0');
	CHECK(smtp_line_parse_reply("25", &code, &more, &text) < 0);
	CHECK(smtp_line_parse_reply("", &code, &more, &text) < 0);
	CHECK(smtp_line_parse_reply("999 x", &code, &more, &text) < 0);
	CHECK(smtp_line_parse_reply("250x", &code, &more, &text) < 0);
}

int
main(void)
{
	RUN(commands_are_parsed_strictly);
	RUN(parameters_are_kept_as_they_came);
	RUN(xforward);
	RUN(replies);
	return test_done();
}
