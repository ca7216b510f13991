/* SPDX-License-Identifier: ISC
 *
 * File names out of messages: hostile bytes in, a harmless base name out,
 * the same in every locale.
 */
#include "file_name.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "utf8.h"

size_t
file_name_next(const char *text, long *code_r)
{
	uint32_t code;
	size_t len;

	*code_r = -1;
	if (text[0] == '\0')
		return 0;
	len = utf8_decode(text, strnlen(text, 4), &code);
	if (len == 0)
		return 1;
	*code_r = (long)code;
	return len;
}

int
file_name_code_is_bad(long code)
{
	return code < 0 || utf8_is_deceptive((uint32_t)code);
}

/* Both kinds of slash: the sender may sit at another system. */
static const char *
base_name(const char *path)
{
	const char *p, *base = path;

	for (p = path; *p != '\0'; p++)
		if (*p == '/' || *p == '\\')
			base = p + 1;
	return base;
}

/* Where the extension begins (its dot), or the end if there is none that
 * is short and stands behind something. */
static size_t
extension_offset(const char *name)
{
	size_t len = strlen(name);
	const char *dot = strrchr(name, '.');

	if (dot == NULL || dot == name || len - (size_t)(dot - name) > 16)
		return len;
	return (size_t)(dot - name);
}

/* The longest run of whole characters within `max` bytes. */
static size_t
whole_characters(const char *name, size_t max)
{
	size_t at = 0, len;
	long code;

	while ((len = file_name_next(name + at, &code)) > 0 && at + len <= max)
		at += len;
	return at;
}

static void
shorten(char *name)
{
	size_t len = strlen(name), dot = extension_offset(name);
	size_t keep;

	if (len <= FILE_NAME_MAX_LEN)
		return;
	keep = whole_characters(name, FILE_NAME_MAX_LEN - (len - dot));
	memmove(name + keep, name + dot, len - dot + 1);
}

static void
trim(char *name)
{
	size_t len, skip = strspn(name, ".- ");

	memmove(name, name + skip, strlen(name + skip) + 1);
	len = strlen(name);
	while (len > 0 && (name[len - 1] == '.' || name[len - 1] == ' '))
		name[--len] = '\0';
}

char *
file_name_clean(const char *hostile, const char *fallback)
{
	const char *in;
	char *name;
	size_t len, out = 0;
	long code;

	if (hostile == NULL)
		return x_strdup(fallback);
	in = base_name(hostile);
	name = x_malloc(strlen(in) + 1);
	for (; (len = file_name_next(in, &code)) > 0; in += len) {
		if (file_name_code_is_bad(code)) {
			name[out++] = '_';
			continue;
		}
		memcpy(name + out, in, len);
		out += len;
	}
	name[out] = '\0';
	trim(name);
	shorten(name);
	/* Only what was taken out would be left: that is no name. */
	if (name[strspn(name, "_")] == '\0') {
		free(name);
		return x_strdup(fallback);
	}
	return name;
}

char *
file_name_number(const char *name, unsigned number)
{
	size_t dot = extension_offset(name);

	return x_asprintf("%.*s-%u%s", (int)dot, name, number, name + dot);
}
