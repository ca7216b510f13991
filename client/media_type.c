/* SPDX-License-Identifier: ISC
 *
 * What is sent most often is known without any file.
 */
#include "media_type.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
	const char *extension, *type;
} known[] = {
	{ "csv", "text/csv" },
	{ "dcm", "application/dicom" },
	{ "gif", "image/gif" },
	{ "html", "text/html" },
	{ "jpeg", "image/jpeg" },
	{ "jpg", "image/jpeg" },
	{ "json", "application/json" },
	{ "mov", "video/quicktime" },
	{ "mp3", "audio/mpeg" },
	{ "mp4", "video/mp4" },
	{ "pdf", "application/pdf" },
	{ "png", "image/png" },
	{ "txt", "text/plain" },
	{ "webm", "video/webm" },
	{ "zip", "application/zip" },
};

static int
is_type(const char *word)
{
	static const char good[] =
	    "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$&^_.+-/";

	return strlen(word) < MEDIA_TYPE_SIZE && strchr(word, '/') != NULL &&
	    word[strspn(word, good)] == '\0';
}

/* A line "type ext ext ...". */
static int
line_has(char *line, const char *extension, char type_r[MEDIA_TYPE_SIZE])
{
	static const char blanks[] = " \t\r\n";
	char *rest = NULL, *type = strtok_r(line, blanks, &rest), *word;

	if (type == NULL || type[0] == '#' || !is_type(type))
		return 0;
	while ((word = strtok_r(NULL, blanks, &rest)) != NULL)
		if (strcasecmp(word, extension) == 0) {
			strcpy(type_r, type);
			return 1;
		}
	return 0;
}

static int
find_in_table(const char *path, const char *extension,
    char type_r[MEDIA_TYPE_SIZE])
{
	FILE *in = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	int found = 0;

	if (in == NULL)
		return 0;
	while (!found && getline(&line, &size, in) > 0)
		found = line_has(line, extension, type_r);
	free(line);
	fclose(in);
	return found;
}

void
media_type_guess(const char *file_name, const char *table,
    char type_r[MEDIA_TYPE_SIZE])
{
	const char *dot = strrchr(file_name, '.');
	size_t i;

	strcpy(type_r, "application/octet-stream");
	if (dot == NULL || dot == file_name)
		return;
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcasecmp(dot + 1, known[i].extension) == 0) {
			strcpy(type_r, known[i].type);
			return;
		}
	if (table != NULL)
		find_in_table(table, dot + 1, type_r);
}
