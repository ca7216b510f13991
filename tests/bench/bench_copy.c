/* SPDX-License-Identifier: ISC
 *
 * The anchor of a pull: read a file, hash it with SHA-256, write a copy,
 * fsync, rename, fsync the directory. Prints seconds.
 *
 *   bench_copy FROM TO
 */
#include <fcntl.h>
#include <libgen.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CHUNK (256 * 1024)

static double
bench_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int
bench_copy(int from, int to)
{
	EVP_MD_CTX *sha = EVP_MD_CTX_new();
	unsigned char digest[32], *chunk = malloc(CHUNK);
	ssize_t n;

	EVP_DigestInit_ex(sha, EVP_sha256(), NULL);
	while ((n = read(from, chunk, CHUNK)) > 0) {
		EVP_DigestUpdate(sha, chunk, (size_t)n);
		if (write(to, chunk, (size_t)n) != n)
			n = -1;
	}
	EVP_DigestFinal_ex(sha, digest, NULL);
	EVP_MD_CTX_free(sha);
	free(chunk);
	return n == 0 ? fsync(to) : -1;
}

int
main(int argc, char **argv)
{
	char temporary[4096], directory[4096];
	double start = bench_seconds();
	int from, to, dir;

	if (argc != 3)
		return 64;
	snprintf(temporary, sizeof(temporary), "%s.tmp", argv[2]);
	snprintf(directory, sizeof(directory), "%s", argv[2]);
	from = open(argv[1], O_RDONLY);
	to = open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	dir = open(dirname(directory), O_RDONLY | O_DIRECTORY);
	if (from == -1 || to == -1 || dir == -1 || bench_copy(from, to) != 0 ||
	    rename(temporary, argv[2]) != 0 || fsync(dir) != 0) {
		perror("bench_copy");
		return 1;
	}
	printf("%.6f\n", bench_seconds() - start);
	return 0;
}
