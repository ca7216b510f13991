/* SPDX-License-Identifier: ISC
 *
 * Running password_command. Its standard error and terminal are ours, so a
 * keyring can ask.
 */
#include "password.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "memory.h"

#define PASSWORD_MAX 1024

static void
run_child(const char *command, int out)
{
	if (dup2(out, STDOUT_FILENO) < 0)
		_exit(127);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

/* All that comes, of which the first PASSWORD_MAX bytes are kept. */
static size_t
read_all(int fd, char text_r[PASSWORD_MAX + 1])
{
	char rest[256];
	size_t len = 0;
	ssize_t got;

	for (;;) {
		got = len < PASSWORD_MAX ?
		    read(fd, text_r + len, PASSWORD_MAX - len) :
		    read(fd, rest, sizeof(rest));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		if (len < PASSWORD_MAX)
			len += (size_t)got;
	}
	explicit_bzero(rest, sizeof(rest));
	text_r[len] = '\0';
	return len;
}

enum outcome
password_run(const char *command, char **password_r, struct reason *why)
{
	char text[PASSWORD_MAX + 1];
	int ends[2], status;
	pid_t pid;

	*password_r = NULL;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return reason_set(why, OUTCOME_TEMPFAIL, "local", "pipe: %s",
		    strerror(errno));
	pid = fork();
	if (pid == 0)
		run_child(command, ends[1]);
	close(ends[1]);
	if (pid > 0)
		read_all(ends[0], text);
	close(ends[0]);
	if (pid < 0)
		return reason_set(why, OUTCOME_TEMPFAIL, "local", "fork: %s",
		    strerror(errno));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	text[strcspn(text, "\r\n")] = '\0';
	if (status == 0 && text[0] != '\0')
		*password_r = x_strdup(text);
	explicit_bzero(text, sizeof(text));
	if (*password_r == NULL)
		return reason_set(why, OUTCOME_PERMFAIL, "password",
		    "password_command %s",
		    status != 0 ? "failed" : "printed nothing");
	return OUTCOME_OK;
}

void
password_free(char **password)
{
	if (*password == NULL)
		return;
	explicit_bzero(*password, strlen(*password));
	x_free(password);
}
