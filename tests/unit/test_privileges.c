/* SPDX-License-Identifier: ISC
 *
 * Dropping root, seen from inside a child that tries to get it back. Needs
 * root, as make check has.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "privileges.h"
#include "test.h"

/* Runs `body` in a child: its exit status, or 1000 + the killing signal. */
static int
in_child(int (*body)(void))
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(body());
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) :
				   1000 + WTERMSIG(status);
}

static int
drop_and_look(void)
{
	char room[] = "/tmp/privileges.XXXXXX";
	struct privileges privileges = { "nobody", room, NULL };
	struct stat st;

	if (mkdtemp(room) == NULL)
		return 2;
	privileges_drop(&privileges);
	if (getuid() == 0 || setuid(0) == 0 || setgid(0) == 0)
		return 3;
	if (stat("/etc/passwd", &st) == 0)
		return 4;
	if (getgroups(0, NULL) != 0)
		return 5;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 ||
	    prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return 6;
	if (prctl(PR_CAPBSET_READ, 0, 0, 0, 0) != 0)
		return 7;
	return 0;
}

TEST(nothing_of_root_is_left)
{
	CHECK(in_child(drop_and_look) == 0);
}

static int
drop_to_missing_user(void)
{
	struct privileges privileges = { "no-such-user", "/", NULL };

	log_open("test", LOG_ERROR);
	close(STDERR_FILENO);
	privileges_drop(&privileges);
	return 0;
}

static int
drop_to_missing_room(void)
{
	struct privileges privileges = { "nobody", "/nonexistent", NULL };

	close(STDERR_FILENO);
	privileges_drop(&privileges);
	return 0;
}

static int
drop_to_root(void)
{
	struct privileges privileges = { "root", "/", NULL };

	close(STDERR_FILENO);
	privileges_drop(&privileges);
	return 0;
}

TEST(trouble_ends_the_program)
{
	CHECK(in_child(drop_to_missing_user) == 67); /* EX_NOUSER */
	CHECK(in_child(drop_to_missing_room) == 71); /* EX_OSERR */
	CHECK(in_child(drop_to_root) == 78); /* EX_CONFIG */
}

static int
locked_computes(void)
{
	volatile char *memory;

	if (privileges_lock_child(5) != 0)
		return 2;
	memory = malloc(3 * 1024 * 1024);
	memory[12345] = 'x';
	return 0;
}

static int
locked_opens(void)
{
	if (privileges_lock_child(5) != 0)
		return 2;
	(void)!open("/etc/passwd", O_RDONLY);
	return 0;
}

static int
locked_connects(void)
{
	if (privileges_lock_child(5) != 0)
		return 2;
	(void)!socket(AF_INET, SOCK_STREAM, 0);
	return 0;
}

static int
locked_forks(void)
{
	if (privileges_lock_child(5) != 0)
		return 2;
	(void)!fork();
	return 0;
}

static int
locked_spins(void)
{
	if (privileges_lock_child(1) != 0)
		return 2;
	for (;;)
		;
}

TEST(a_locked_child_computes_and_nothing_else)
{
	CHECK(in_child(locked_computes) == 0);
	CHECK(in_child(locked_opens) == 1000 + SIGSYS);
	CHECK(in_child(locked_connects) == 1000 + SIGSYS);
	CHECK(in_child(locked_forks) == 1000 + SIGSYS);
	CHECK(in_child(locked_spins) >= 1000);
}

int
main(void)
{
	RUN(nothing_of_root_is_left);
	RUN(trouble_ends_the_program);
	RUN(a_locked_child_computes_and_nothing_else);
	return test_done();
}
