/* SPDX-License-Identifier: ISC
 *
 * The files are the user's own and private; one that is not is not used.
 */
#include "token_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "encoding.h"
#include "memory.h"

#define TOKEN_MAX 1024

/* The directory, made if it is missing; NULL if there can be none. */
static char *
cache_directory(void)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	char *parent, *path;
	struct stat st;

	if (runtime != NULL && runtime[0] == '/' && access(runtime, W_OK) == 0)
		parent = x_strdup(runtime);
	else if (cache != NULL && cache[0] == '/')
		parent = x_strdup(cache);
	else if (home != NULL && home[0] == '/')
		parent = x_asprintf("%s/.cache", home);
	else
		return NULL;
	path = x_asprintf("%s/cargomail", parent);
	mkdir(parent, 0700);
	mkdir(path, 0700);
	free(parent);
	if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode) ||
	    st.st_uid != geteuid() || (st.st_mode & 077) != 0)
		x_free(&path);
	return path;
}

/* Named by a hash: a URL is no file name. */
static char *
token_path(const char *url, const char *user)
{
	char *directory = cache_directory(), *who, *path;
	char hash[SHA256_HEX_SIZE];

	if (directory == NULL)
		return NULL;
	who = x_asprintf("%s %s", url, user);
	sha256_hex(who, strlen(who), hash);
	path = x_asprintf("%s/token-%.16s", directory, hash);
	free(who);
	free(directory);
	return path;
}

char *
token_cache_read(const char *url, const char *user)
{
	char *path = token_path(url, user), *token = NULL;
	char text[TOKEN_MAX + 1];
	struct stat st;
	ssize_t len;
	int fd;

	if (path == NULL)
		return NULL;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	free(path);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_uid == geteuid() && (st.st_mode & 077) == 0 &&
	    (len = read(fd, text, TOKEN_MAX)) > 0) {
		text[len] = '\0';
		text[strcspn(text, "\r\n")] = '\0';
		if (text[0] != '\0')
			token = x_strdup(text);
	}
	explicit_bzero(text, sizeof(text));
	close(fd);
	return token;
}

void
token_cache_write(const char *url, const char *user, const char *token)
{
	char *path = token_path(url, user), *temporary;
	size_t len = strlen(token);
	int fd, bad;

	if (path == NULL || len > TOKEN_MAX) {
		free(path);
		return;
	}
	/* Renamed into place: two runs at once do not mix. */
	temporary = x_asprintf("%s.%d", path, (int)getpid());
	fd = open(temporary,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0) {
		bad = write(fd, token, len) != (ssize_t)len;
		bad |= close(fd) < 0;
		if (bad || rename(temporary, path) < 0)
			unlink(temporary);
	}
	free(temporary);
	free(path);
}

void
token_cache_remove(const char *url, const char *user)
{
	char *path = token_path(url, user);

	if (path != NULL)
		unlink(path);
	free(path);
}
