/* SPDX-License-Identifier: ISC
 *
 * Children: see child.h.
 */
#include "child.h"

#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <unistd.h>

static void
become_child(int fd, pid_t parent)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGCHLD };
	sigset_t none;

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent || dup2(fd, CHILD_FD) < 0 ||
	    close_range(CHILD_FD + 1, ~0U, 0) < 0)
		_exit(1);
}

pid_t
child_fork(int fd)
{
	pid_t parent = getpid(), child = fork();

	if (child == 0)
		become_child(fd, parent);
	return child;
}
