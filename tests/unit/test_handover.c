/* SPDX-License-Identifier: ISC */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "handover.h"
#include "memory.h"
#include "test.h"

static char path[] = "/tmp/test-handover-XXXXXX";
static char recipient[] = "bob@bar.test", other[] = "-x@bar.test";
static char *const recipients[] = { recipient, other };

/* A command of a shell script; what it gets goes to `path`. */
static enum outcome
hand_over(const char *script, struct reason *why)
{
	char *file = x_asprintf("%s.sh", path), *command;
	FILE *out = fopen(file, "w");
	static const char message[] = "Subject: x\r\n\r\na\rb\r\n";
	enum outcome outcome;

	fprintf(out, "%s\n", script);
	fclose(out);
	command = x_asprintf("/bin/sh  %s -i", file);
	outcome = handover_send(command, "alice@foo.test", recipients, 2,
	    message, sizeof(message) - 1, why);
	unlink(file);
	free(command);
	free(file);
	return outcome;
}

TEST(message_and_arguments_arrive)
{
	char *script = x_asprintf("echo \"$@\" >%s; cat >>%s", path, path);
	char got[200] = "";
	struct reason why;
	FILE *in;

	CHECK(hand_over(script, &why) == OUTCOME_OK);
	in = fopen(path, "r");
	CHECK(fread(got, 1, sizeof(got) - 1, in) > 0);
	fclose(in);
	CHECK_STRING(got,
	    "-i -f alice@foo.test -- bob@bar.test -x@bar.test\n"
	    "Subject: x\n\na\rb\n");
	free(script);
}

TEST(the_exit_code_decides)
{
	static const struct {
		const char *script;
		enum outcome want;
	} rows[] = {
		{ "cat >/dev/null; exit 0", OUTCOME_OK },
		{ "cat >/dev/null; exit 75", OUTCOME_TEMPFAIL },
		{ "cat >/dev/null; exit 1", OUTCOME_TEMPFAIL },
		{ "cat >/dev/null; exit 67", OUTCOME_PERMFAIL },
		{ "kill -9 $$", OUTCOME_TEMPFAIL },
	};
	struct reason why;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_FOR(hand_over(rows[i].script, &why) == rows[i].want, "%s",
		    rows[i].script);
	CHECK(handover_send("/nonexistent/sendmail", "a@b", recipients, 2, "x",
		  1, &why) == OUTCOME_PERMFAIL);
	CHECK(handover_send("  ", "a@b", recipients, 2, "x", 1, &why) ==
	    OUTCOME_PERMFAIL);
}

int
main(void)
{
	int fd = mkstemp(path);

	if (fd < 0)
		return 1;
	close(fd);
	signal(SIGPIPE, SIG_IGN);
	RUN(message_and_arguments_arrive);
	RUN(the_exit_code_decides);
	unlink(path);
	return test_done();
}
