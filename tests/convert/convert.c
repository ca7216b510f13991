/* SPDX-License-Identifier: ISC
 *
 * Conversion and rebuilding on the command line, for tests:
 *
 *   convert MESSAGE DIRECTORY   writes placeholder and resources by hash
 *   rebuild PLACEHOLDER DIRECTORY > MESSAGE
 *   measure MESSAGE             says how fast plan and proof are
 *
 * MODE in the environment is "large" (5 MB), "attachments" or "all" (also
 * without it). Exit status 0; 1 for trouble; 2 if the message was left alone,
 * or did not come back as it was.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cargo_convert.h"
#include "cargo_rebuild.h"
#include "clock.h"
#include "memory.h"

static const struct cargo_convert_target target = { "https://mailbox.foo.test",
	"AAAAAAAAAAAAAAAAAAAAAA", "default", 1798765200 };

static int
fail(const char *what, const struct reason *why)
{
	fprintf(stderr, "%s: %s %s\n", what, why->word, why->text);
	return why->outcome == OUTCOME_PERMFAIL ? 2 : 1;
}

static const char *
map_file(const char *path, size_t *len_r)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *map = MAP_FAILED;

	if (fd >= 0 && fstat(fd, &status) == 0)
		map = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE,
		    fd, 0);
	if (map == MAP_FAILED) {
		perror(path);
		exit(1);
	}
	close(fd);
	*len_r = (size_t)status.st_size;
	return map;
}

static FILE *
open_in(const char *directory, const char *name, const char *mode)
{
	char *path = x_asprintf("%s/%s", directory, name);
	FILE *file = fopen(path, mode);

	if (file == NULL) {
		perror(path);
		exit(1);
	}
	free(path);
	return file;
}

static struct cargo_convert_options
get_options(void)
{
	struct cargo_convert_options options = { CARGO_CONVERT_ALL, 5000000 };
	const char *mode = getenv("MODE");

	if (mode != NULL && strcmp(mode, "large") == 0)
		options.mode = CARGO_CONVERT_LARGE;
	if (mode != NULL && strcmp(mode, "attachments") == 0)
		options.mode = CARGO_CONVERT_ATTACHMENTS;
	return options;
}

static void
save_resources(const struct cargo_conversion *conversion, const char *directory)
{
	static char data[65536];

	for (size_t i = 0; i < cargo_conversion_count(conversion); i++) {
		const struct cargo_draft_resource *resource =
		    cargo_conversion_resource(conversion, i);
		struct cargo_conversion_reader *reader =
		    cargo_conversion_open(conversion, i);
		FILE *file = open_in(directory, resource->hash, "wb");
		ssize_t got;

		while ((got = cargo_conversion_read(reader, data,
			    sizeof(data))) > 0)
			fwrite(data, 1, (size_t)got, file);
		fclose(file);
		cargo_conversion_close(&reader);
	}
}

static int
convert(const char *path, const char *directory)
{
	struct cargo_convert_options options = get_options();
	struct cargo_conversion *conversion;
	struct reason why;
	char *placeholder = NULL;
	size_t len, placeholder_len;
	const char *message = map_file(path, &len);
	int64_t start = clock_monotonic_ms(), planned, composed;
	struct rusage usage;

	if (cargo_convert_plan(message, len, &options, &conversion, &why) !=
	    OUTCOME_OK)
		return fail("plan", &why);
	planned = clock_monotonic_ms();
	if (cargo_convert_compose(conversion, &target, &placeholder,
		&placeholder_len, &why) != OUTCOME_OK)
		return fail("compose", &why);
	composed = clock_monotonic_ms();
	if (cargo_convert_prove(conversion, placeholder, placeholder_len,
		&why) != OUTCOME_OK)
		return fail("prove", &why);
	if (directory != NULL) {
		FILE *file = open_in(directory, "placeholder", "wb");

		fwrite(placeholder, 1, placeholder_len, file);
		fclose(file);
		save_resources(conversion, directory);
	} else {
		getrusage(RUSAGE_SELF, &usage);
		printf("bytes=%zu resources=%zu placeholder=%zu plan_ms=%lld "
		       "prove_ms=%lld\n",
		    len, cargo_conversion_count(conversion), placeholder_len,
		    (long long)(planned - start),
		    (long long)(clock_monotonic_ms() - composed));
	}
	free(placeholder);
	cargo_conversion_free(&conversion);
	return 0;
}

struct rebuilding {
	const struct cargo_placeholder *placeholder;
	const char *directory;
	FILE *file;
	size_t index;
};

static ssize_t
read_resource(void *context, size_t index, void *data_r, size_t max)
{
	struct rebuilding *r = context;

	if (r->file == NULL || r->index != index) {
		if (r->file != NULL)
			fclose(r->file);
		r->file = open_in(r->directory,
		    r->placeholder->resources[index].hash, "rb");
		r->index = index;
	}
	return (ssize_t)fread(data_r, 1, max, r->file);
}

static int
write_message(void *context, const void *data, size_t len)
{
	(void)context;
	return fwrite(data, 1, len, stdout) == len ? 0 : -1;
}

static int
rebuild(const char *path, const char *directory)
{
	struct rebuilding r = { .directory = directory };
	struct cargo_rebuild_io io = { read_resource, write_message, &r };
	struct cargo_placeholder *placeholder;
	struct reason why;
	size_t len;
	const char *message = map_file(path, &len);
	bool exact = false;

	if (cargo_placeholder_parse(message, len, &placeholder, &why) !=
	    OUTCOME_OK)
		return fail("parse", &why);
	r.placeholder = placeholder;
	if (cargo_rebuild(placeholder, message, len, &io, &exact, &why) !=
	    OUTCOME_OK)
		return fail("rebuild", &why);
	cargo_placeholder_free(&placeholder);
	if (r.file != NULL)
		fclose(r.file);
	return exact ? 0 : 2;
}

int
main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "convert") == 0)
		return convert(argv[2], argv[3]);
	if (argc == 4 && strcmp(argv[1], "rebuild") == 0)
		return rebuild(argv[2], argv[3]);
	if (argc == 3 && strcmp(argv[1], "measure") == 0)
		return convert(argv[2], NULL);
	fprintf(stderr, "usage: convert convert|rebuild FILE DIRECTORY\n");
	return 1;
}
