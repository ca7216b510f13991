/* SPDX-License-Identifier: ISC
 *
 * What lands on standard error, read back through a pipe.
 */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "test.h"

/* Runs `body` in a child whose stderr is read into text_r; its status. */
static int
log_capture(void (*body)(void), char *text_r, size_t size)
{
	int fds[2], status;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	if (pipe(fds) != 0)
		return -1;
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], STDERR_FILENO);
		close(fds[0]);
		body();
		_exit(0);
	}
	close(fds[1]);
	while ((n = read(fds[0], text_r + len, size - 1 - len)) > 0)
		len += (size_t)n;
	text_r[len] = '\0';
	close(fds[0]);
	waitpid(pid, &status, 0);
	return status;
}

static void
write_hostile(void)
{
	struct reason why;
	struct log_line line;

	unsetenv("JOURNAL_STREAM");
	log_open("mailboxd", LOG_INFO);
	reason_set(&why, OUTCOME_PERMFAIL, "form", "has \"quotes\"");
	log_begin(&line, LOG_INFO, "4XyZ", "notify");
	log_string(&line, LOG_KEY_SENDER, "alice@foo.test");
	log_string(&line, LOG_KEY_SHARE, "a\nb\x1b[2Jc\\");
	log_string(&line, LOG_KEY_TYPE, "");
	log_string(&line, LOG_KEY_USER, NULL);
	log_number(&line, LOG_KEY_SIZE, -7);
	log_reason(&line, &why);
	log_end(&line);
	log_text(LOG_DEBUG, "x", "hidden", "not written");
}

TEST(a_line_is_one_line_whatever_it_quotes)
{
	char text[8192];

	log_capture(write_hostile, text, sizeof(text));
	CHECK_STRING(text,
	    "4XyZ mailboxd notify sender=alice@foo.test "
	    "share=\"a\\x0ab\\x1b[2Jc\\\\\" type=\"\" size=-7 "
	    "outcome=permfail reason=form "
	    "detail=\"has \\\"quotes\\\"\"\n");
}

static void
write_long(void)
{
	struct log_line line;
	char *value = malloc(10000);

	memset(value, '\n', 9999);
	value[9999] = '\0';
	log_open("broker", LOG_INFO);
	log_begin(&line, LOG_WARNING, "", "long");
	log_string(&line, LOG_KEY_DETAIL, value);
	log_string(&line, LOG_KEY_DETAIL, "more");
	log_number(&line, LOG_KEY_SIZE, 1);
	log_end(&line);
	free(value);
}

TEST(an_overlong_line_is_cut_and_still_ends)
{
	char text[8192];
	size_t len;

	unsetenv("JOURNAL_STREAM");
	log_capture(write_long, text, sizeof(text));
	len = strlen(text);
	CHECK(len > 1000 && len <= LOG_LINE_MAX);
	CHECK(text[len - 1] == '\n' && strchr(text, '\n') == text + len - 1);
	CHECK(strncmp(text, "- broker long ", 14) == 0);
}

static void
write_journal(void)
{
	setenv("JOURNAL_STREAM", "8:1", 1);
	log_open("gripd", LOG_INFO);
	log_fatal(78, "%s:%d: %s", "gripd.conf", 3, "unknown key");
}

TEST(fatal_exits_with_its_code_and_a_priority_for_the_journal)
{
	char text[8192];
	int status = log_capture(write_journal, text, sizeof(text));

	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 78);
	CHECK_STRING(text,
	    "<3>- gripd fatal "
	    "detail=\"gripd.conf:3: unknown key\"\n");
}

int
main(void)
{
	RUN(a_line_is_one_line_whatever_it_quotes);
	RUN(an_overlong_line_is_cut_and_still_ends);
	RUN(fatal_exits_with_its_code_and_a_priority_for_the_journal);
	return test_done();
}
