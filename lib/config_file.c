/* SPDX-License-Identifier: ISC
 *
 * Reading configuration files; the grammar is in config_file.h. The file is
 * the administrator's: not hostile, but every mistake must be named with
 * file, line and key.
 */
#include "config_file.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "memory.h"

#define CONFIG_MAX_SIZE (1024 * 1024)
#define CONFIG_MAX_KEYS 100

struct config_reader {
	const char *name;
	int line;
	const struct config_key *keys;
	void *target;
	bool seen[CONFIG_MAX_KEYS];
	bool lenient; /* unknown keys are somebody else's */
	char **error_r;
};

static int
config_fail(struct config_reader *reader, const char *key, const char *what)
{
	if (reader->line > 0)
		*reader->error_r = x_asprintf("%s:%d: %s: %s", reader->name,
		    reader->line, key, what);
	else
		*reader->error_r =
		    x_asprintf("%s: %s: %s", reader->name, key, what);
	return -1;
}

/* Digits and an optional unit; -1 if it is anything else or overflows. */
static int64_t
config_scaled(const char *text, const char *units, const int64_t *factors)
{
	const char *unit;
	char *end;
	long long number;
	int64_t factor = 1;

	if (!isdigit((unsigned char)*text))
		return -1;
	errno = 0;
	number = strtoll(text, &end, 10);
	if (errno != 0)
		return -1;
	if (*end != '\0') {
		unit = strchr(units, *end);
		if (unit == NULL || end[1] != '\0')
			return -1;
		factor = factors[unit - units];
	}
	return number > INT64_MAX / factor ? -1 : (int64_t)number * factor;
}

static int64_t
config_number(enum config_type type, const char *text)
{
	static const int64_t sizes[] = { 1LL << 10, 1LL << 20, 1LL << 30,
		1LL << 40 };
	static const int64_t times[] = { 1, 60, 3600, 86400 };

	switch (type) {
	case CONFIG_SIZE:
		return config_scaled(text, "KMGT", sizes);
	case CONFIG_DURATION:
		return config_scaled(text, "smhd", times);
	default:
		return config_scaled(text, "", NULL);
	}
}

static void
config_set_list(struct config_list *list, const char *value)
{
	static const char separators[] = ", \t\r\n";

	for (;;) {
		size_t len;

		value += strspn(value, separators);
		len = strcspn(value, separators);
		if (len == 0)
			return;
		list->items = x_realloc(list->items,
		    (list->count + 1) * sizeof(*list->items));
		list->items[list->count++] = x_strndup(value, len);
		value += len;
	}
}

static int
config_choice(const struct config_key *key, const char *value)
{
	for (int i = 0; key->choices[i] != NULL; i++)
		if (strcmp(key->choices[i], value) == 0)
			return i;
	return -1;
}

static int
config_gone(struct config_reader *reader, const struct config_key *key)
{
	char *text = x_asprintf("no longer a key: %s", key->fallback);

	config_fail(reader, key->name, text);
	free(text);
	return -1;
}

static int
config_set(struct config_reader *reader, const struct config_key *key,
    const char *value)
{
	char *at = (char *)reader->target + key->offset;
	int64_t number;
	int choice;

	switch (key->type) {
	case CONFIG_STRING:
		*(char **)at = x_strdup(value);
		return 0;
	case CONFIG_LIST:
		config_set_list((struct config_list *)at, value);
		return 0;
	case CONFIG_BOOLEAN:
		if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
			return config_fail(reader, key->name, "yes or no");
		*(int *)at = *value == 'y';
		return 0;
	case CONFIG_CHOICE:
		choice = config_choice(key, value);
		if (choice < 0)
			return config_fail(reader, key->name,
			    "not one of the words it takes");
		*(int *)at = choice;
		return 0;
	default:
		number = config_number(key->type, value);
		if (number < 0)
			return config_fail(reader, key->name,
			    "not a number with a known unit");
		if ((key->min != 0 || key->max != 0) &&
		    (number < key->min || number > key->max))
			return config_fail(reader, key->name, "out of range");
		*(int64_t *)at = number;
		return 0;
	}
}

/* One logical line, trimmed: "key = value". */
static int
config_assign(struct config_reader *reader, char *line)
{
	char *value = strchr(line, '='), *end;
	const struct config_key *key;
	size_t i;

	if (value == NULL)
		return config_fail(reader, line, "no '=' in this line");
	for (end = value; end > line && isspace((unsigned char)end[-1]); end--)
		;
	*value++ = '\0';
	*end = '\0';
	value += strspn(value, " \t\r\n");
	for (i = 0, key = reader->keys; key->name != NULL; key++, i++)
		if (strcmp(key->name, line) == 0)
			break;
	if (key->name == NULL)
		return reader->lenient ?
		    0 :
		    config_fail(reader, line, "unknown key");
	if (key->type == CONFIG_GONE)
		return reader->lenient ? 0 : config_gone(reader, key);
	if (reader->seen[i])
		return config_fail(reader, line, "given twice");
	reader->seen[i] = true;
	return config_set(reader, key, value);
}

static void
config_trim(char *text)
{
	size_t len = strlen(text);

	while (len > 0 && isspace((unsigned char)text[len - 1]))
		text[--len] = '\0';
}

/* Joins continuation lines and hands each logical line on. */
static int
config_lines(struct config_reader *reader, char *text)
{
	char *logical = NULL, *line, *joined;
	int number = 0, rc = 0;

	while (rc == 0 && (line = strsep(&text, "\n")) != NULL) {
		bool more = *line == ' ' || *line == '\t';

		number++;
		config_trim(line);
		if (line[strspn(line, " \t")] == '#' ||
		    line[strspn(line, " \t")] == '\0')
			continue;
		if (more && logical != NULL) {
			joined = x_asprintf("%s %s", logical,
			    line + strspn(line, " \t"));
			free(logical);
			logical = joined;
			continue;
		}
		if (logical != NULL)
			rc = config_assign(reader, logical);
		x_free(&logical);
		reader->line = number;
		logical = x_strdup(line + strspn(line, " \t"));
	}
	if (rc == 0 && logical != NULL)
		rc = config_assign(reader, logical);
	free(logical);
	return rc;
}

static int
config_defaults(struct config_reader *reader)
{
	reader->line = 0;
	for (size_t i = 0; reader->keys[i].name != NULL; i++) {
		const struct config_key *key = &reader->keys[i];

		if (reader->seen[i] || key->type == CONFIG_GONE)
			continue;
		if (key->fallback == NULL)
			return config_fail(reader, key->name, "must be given");
		if (config_set(reader, key, key->fallback) != 0)
			return -1;
	}
	return 0;
}

static int
config_parse(const char *name, const char *text, size_t len,
    struct config_reader *reader)
{
	char *copy;
	int rc;

	if (memchr(text, '\0', len) != NULL) {
		*reader->error_r = x_asprintf("%s: has a NUL byte", name);
		return -1;
	}
	copy = x_malloc(len + 1);
	memcpy(copy, text, len);
	copy[len] = '\0';
	rc = config_lines(reader, copy);
	free(copy);
	if (rc == 0)
		rc = config_defaults(reader);
	if (rc != 0)
		config_file_free(reader->keys, reader->target);
	return rc;
}

int
config_file_parse(const char *name, const char *text, size_t len,
    const struct config_key *keys, void *target, char **error_r)
{
	struct config_reader reader = { .name = name,
		.keys = keys,
		.target = target,
		.error_r = error_r };

	return config_parse(name, text, len, &reader);
}

static int
config_read(const char *path, struct config_reader *reader)
{
	char **error_r = reader->error_r;
	FILE *file = fopen(path, "re");
	char *text;
	size_t len;
	int rc;

	if (file == NULL) {
		*error_r = x_asprintf("%s: %s", path, strerror(errno));
		return -1;
	}
	text = x_malloc(CONFIG_MAX_SIZE);
	len = fread(text, 1, CONFIG_MAX_SIZE, file);
	if (ferror(file) || len == CONFIG_MAX_SIZE) {
		*error_r =
		    x_asprintf("%s: cannot be read or is too large", path);
		rc = -1;
	} else {
		rc = config_parse(path, text, len, reader);
	}
	free(text);
	fclose(file);
	return rc;
}

int
config_file_read(const char *path, const struct config_key *keys, void *target,
    char **error_r)
{
	struct config_reader reader = { .name = path,
		.keys = keys,
		.target = target,
		.error_r = error_r };

	return config_read(path, &reader);
}

int
config_file_peek(const char *path, const struct config_key *keys, void *target,
    char **error_r)
{
	struct config_reader reader = { .name = path,
		.keys = keys,
		.target = target,
		.error_r = error_r,
		.lenient = true };

	return config_read(path, &reader);
}

void
config_file_free(const struct config_key *keys, void *target)
{
	for (; keys->name != NULL; keys++) {
		char *at = (char *)target + keys->offset;

		if (keys->type == CONFIG_STRING) {
			x_free((char **)at);
		} else if (keys->type == CONFIG_LIST) {
			struct config_list *list = (struct config_list *)at;

			for (size_t i = 0; i < list->count; i++)
				free(list->items[i]);
			x_free(&list->items);
			list->count = 0;
		}
	}
}

int
config_list_has(const struct config_list *list, const char *item)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i], item) == 0)
			return 1;
	return 0;
}
