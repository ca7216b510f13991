/* SPDX-License-Identifier: ISC
 *
 * Running sendmail.
 */
#include "handover.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "memory.h"

/* exec wants char *, and does not write to them. */
static char dash_f[] = "-f", dash_dash[] = "--";

/* The words of the command, then ours; strings belong to the caller, the
 * vector too. NULL if the command has no word. */
static char **
make_vector(char *command, char *sender, char *const *recipients, size_t count)
{
	size_t room = strlen(command) / 2 + count + 5, n = 0, i;
	char **vector = x_calloc(room, sizeof(*vector)), *word;

	while ((word = strsep(&command, " \t")) != NULL)
		if (*word != '\0')
			vector[n++] = word;
	if (n == 0) {
		free(vector);
		return NULL;
	}
	vector[n++] = dash_f;
	vector[n++] = sender;
	vector[n++] = dash_dash;
	for (i = 0; i < count; i++)
		vector[n++] = recipients[i];
	return vector;
}

static void
run_child(char **vector, int in)
{
	sigset_t none;

	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(in, STDIN_FILENO) < 0)
		_exit(EX_OSERR);
	execvp(vector[0], vector);
	fprintf(stderr, "cargomail: %s: %s\n", vector[0], strerror(errno));
	_exit(errno == ENOENT || errno == EACCES ? EX_CONFIG : EX_OSERR);
}

static int
write_all(int fd, const char *data, size_t len)
{
	ssize_t put;

	while (len > 0) {
		put = write(fd, data, len);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -1;
		data += put;
		len -= (size_t)put;
	}
	return 0;
}

/* Line by line, without the CR of CRLF. */
static int
write_message(int fd, const char *message, size_t len)
{
	char *text = x_malloc(len + 1);
	size_t out = 0, i;
	int result;

	for (i = 0; i < len; i++)
		if (message[i] != '\r' || i + 1 == len ||
		    message[i + 1] != '\n')
			text[out++] = message[i];
	result = write_all(fd, text, out);
	free(text);
	return result;
}

/* What sendmail says for good, and the word for it. */
static const struct {
	int code;
	const char *word;
} permanent[] = {
	{ EX_USAGE, "handover" },
	{ EX_DATAERR, "handover" },
	{ EX_NOUSER, "no-user" },
	{ EX_NOHOST, "no-host" },
	{ EX_NOPERM, "handover" },
	{ EX_CONFIG, "handover" },
};

static enum outcome
judge(int status, int written, struct reason *why)
{
	size_t i;

	if (WIFSIGNALED(status))
		return reason_set(why, OUTCOME_TEMPFAIL, "handover",
		    "sendmail was ended by signal %d", WTERMSIG(status));
	for (i = 0; i < sizeof(permanent) / sizeof(permanent[0]); i++)
		if (WEXITSTATUS(status) == permanent[i].code)
			return reason_set(why, OUTCOME_PERMFAIL,
			    permanent[i].word, "sendmail ended with %d",
			    permanent[i].code);
	if (status != 0 || written < 0)
		return reason_set(why, OUTCOME_TEMPFAIL, "handover",
		    "sendmail ended with %d", WEXITSTATUS(status));
	return OUTCOME_OK;
}

static enum outcome
run(char **vector, const char *message, size_t len, struct reason *why)
{
	int ends[2], status = 0, written;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return reason_set(why, OUTCOME_TEMPFAIL, "handover", "pipe: %s",
		    strerror(errno));
	pid = fork();
	if (pid == 0)
		run_child(vector, ends[0]);
	close(ends[0]);
	if (pid < 0) {
		close(ends[1]);
		return reason_set(why, OUTCOME_TEMPFAIL, "handover", "fork: %s",
		    strerror(errno));
	}
	written = write_message(ends[1], message, len);
	close(ends[1]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return judge(status, written, why);
}

enum outcome
handover_send(const char *command, const char *sender, char *const *recipients,
    size_t count, const char *message, size_t len, struct reason *why)
{
	char *words = x_strdup(command), *from = x_strdup(sender);
	char **vector = make_vector(words, from, recipients, count);
	enum outcome outcome;

	if (vector == NULL)
		outcome = reason_set(why, OUTCOME_PERMFAIL, "handover",
		    "sendmail: no command");
	else
		outcome = run(vector, message, len, why);
	free(vector);
	free(words);
	free(from);
	return outcome;
}
