/* SPDX-License-Identifier: ISC
 *
 * Runs a fuzz target over files of a saved corpus, without a fuzzer: each
 * must not crash, hang or trip a sanitizer.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REPLAY_MAX (4 * 1024 * 1024)

static int
replay_file(const char *directory, const char *name)
{
	char path[4096];
	uint8_t *data, *exact;
	size_t len;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "r");
	if (file == NULL)
		return -1;
	data = malloc(REPLAY_MAX);
	len = fread(data, 1, REPLAY_MAX, file);
	fclose(file);
	/* An exact copy, so that a read beyond the end is seen. */
	exact = malloc(len > 0 ? len : 1);
	memcpy(exact, data, len);
	free(data);
	LLVMFuzzerTestOneInput(exact, len);
	free(exact);
	return 0;
}

int
main(int argc, char **argv)
{
	struct dirent **list;
	int count, number = 0;

	if (argc != 2 ||
	    (count = scandir(argv[1], &list, NULL, alphasort)) < 0) {
		fprintf(stderr, "usage: %s corpus-directory\n", argv[0]);
		return 2;
	}
	for (int i = 0; i < count; i++) {
		if (list[i]->d_name[0] != '.') {
			int rc = replay_file(argv[1], list[i]->d_name);

			printf("%sok %d - %s\n", rc == 0 ? "" : "not ",
			    ++number, list[i]->d_name);
			fflush(stdout);
		}
		free(list[i]);
	}
	free(list);
	return number == 0;
}
