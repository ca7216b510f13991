/* SPDX-License-Identifier: ISC
 *
 * The peak of a daemon's anonymous memory: the sum of RssAnon over the
 * process and its children, sampled every 5 ms. VmHWM would count the page
 * cache of mapped files too.
 *
 *   bench_anonymous WHILE PIDFILE...
 *
 * Samples as long as the file WHILE exists, then prints one line for each
 * PIDFILE: its base name and the peak in KiB.
 */
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DAEMONS 16

/* KiB of one process, 0 if it is gone. */
static long
anonymous_of(long pid)
{
	char path[64], line[256];
	long kib = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/status", pid);
	if ((file = fopen(path, "re")) == NULL)
		return 0;
	while (fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, "RssAnon:", 8) == 0)
			kib = strtol(line + 8, NULL, 10);
	fclose(file);
	return kib;
}

static long
anonymous_family(long pid)
{
	long sum = anonymous_of(pid), child;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", pid, pid);
	if ((file = fopen(path, "re")) == NULL)
		return sum;
	while (fscanf(file, "%ld", &child) == 1)
		sum += anonymous_family(child);
	fclose(file);
	return sum;
}

static long
read_pid(const char *path)
{
	FILE *file = fopen(path, "re");
	long pid = 0;

	if (file == NULL || fscanf(file, "%ld", &pid) != 1) {
		perror(path);
		exit(1);
	}
	fclose(file);
	return pid;
}

int
main(int argc, char **argv)
{
	long pid[DAEMONS], peak[DAEMONS] = { 0 }, now;
	int count = argc - 2;

	if (count < 1 || count > DAEMONS)
		return 64;
	for (int i = 0; i < count; i++)
		pid[i] = read_pid(argv[i + 2]);
	while (access(argv[1], F_OK) == 0) {
		for (int i = 0; i < count; i++)
			if ((now = anonymous_family(pid[i])) > peak[i])
				peak[i] = now;
		usleep(5000);
	}
	for (int i = 0; i < count; i++)
		printf("%s %ld\n", basename(argv[i + 2]), peak[i]);
	return 0;
}
