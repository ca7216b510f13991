/* SPDX-License-Identifier: ISC
 *
 * A process behind the signer's fence: what it can open, and that an open
 * directory is no way out.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sign_fence.h"

static char directory[] = "/tmp/test_sign_fence.XXXXXX";
static int fd = -1;

enum { FINE, UNFENCED, NO_READ, ESCAPED, WROTE, NO_LANDLOCK };

static int
opens(int at, const char *path, int flags)
{
	int got = openat(at, path, flags | O_CLOEXEC, 0600);

	if (got != -1)
		close(got);
	return got != -1;
}

/* Behind the fence: the first thing that is not as it should be. */
static int
behind(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return UNFENCED;
	if (sign_fence_raise(&fd, 1) != 0)
		return errno == ENOSYS || errno == EOPNOTSUPP ? NO_LANDLOCK :
								UNFENCED;
	if (!opens(fd, "leaf.crt", O_RDONLY))
		return NO_READ;
	if (opens(fd, "../../etc/passwd", O_RDONLY) ||
	    opens(AT_FDCWD, "/etc/passwd", O_RDONLY) ||
	    opens(fd, "..", O_RDONLY | O_DIRECTORY) ||
	    (fchdir(fd) == 0 && opens(AT_FDCWD, "../../etc/passwd", O_RDONLY)))
		return ESCAPED;
	if (opens(fd, "leaf.crt", O_WRONLY) ||
	    opens(fd, "new", O_WRONLY | O_CREAT) ||
	    unlinkat(fd, "leaf.crt", 0) == 0)
		return WROTE;
	return FINE;
}

TEST(only_the_certificates_can_be_read)
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(behind());
	waitpid(pid, &status, 0);
	CHECK(WIFEXITED(status));
	if (WEXITSTATUS(status) == NO_LANDLOCK)
		printf("# skip: the kernel has no Landlock\n");
	else
		CHECK_FOR(WEXITSTATUS(status) == FINE, "%d",
		    WEXITSTATUS(status));
}

int
main(void)
{
	char path[64];
	int file;

	if (mkdtemp(directory) == NULL)
		return 1;
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	file = openat(fd, "leaf.crt", O_WRONLY | O_CREAT, 0644);
	close(file);
	RUN(only_the_certificates_can_be_read);
	snprintf(path, sizeof(path), "%s/leaf.crt", directory);
	unlink(path);
	rmdir(directory);
	return test_done();
}
