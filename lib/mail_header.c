/* SPDX-License-Identifier: ISC
 *
 * Header fields in the raw: see mail_header.h.
 */
#include "mail_header.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "memory.h"
#include "utf8.h"

/* Bytes of the line at `at`, its end included. */
static size_t
line_length(const char *text, size_t len, size_t at)
{
	const char *end = memchr(text + at, '\n', len - at);

	return end != NULL ? (size_t)(end - (text + at)) + 1 : len - at;
}

static bool
is_empty_line(const char *line, size_t len)
{
	return (len == 1 && line[0] == '\n') ||
	    (len == 2 && line[0] == '\r' && line[1] == '\n');
}

/* Length of the name if the line begins a field, else 0. */
static size_t
field_name(const char *line, size_t len)
{
	size_t name = 0;

	while (name < len && line[name] > ' ' && line[name] < 0x7f &&
	    line[name] != ':')
		name++;
	return name > 0 && name < len && line[name] == ':' ? name : 0;
}

bool
mail_header_next(const char *header, size_t len, size_t *at,
    struct mail_field *field_r)
{
	size_t start = *at, end, name;

	if (start >= len)
		return false;
	end = start + line_length(header, len, start);
	name = field_name(header + start, end - start);
	if (name == 0)
		return false;
	while (end < len && (header[end] == ' ' || header[end] == '\t'))
		end += line_length(header, len, end);
	*field_r = (struct mail_field){
		.raw = header + start,
		.raw_len = end - start,
		.name_len = name,
		.body = header + start + name + 1,
		.body_len = end - start - name - 1,
	};
	*at = end;
	return true;
}

size_t
mail_header_length(const char *message, size_t len, bool *broken_r)
{
	struct mail_field field;
	size_t at = 0, line;

	while (mail_header_next(message, len, &at, &field))
		;
	if (broken_r != NULL)
		*broken_r = false;
	if (at >= len)
		return len;
	line = line_length(message, len, at);
	if (is_empty_line(message + at, line))
		return at + line;
	if (broken_r != NULL)
		*broken_r = true;
	return at;
}

bool
mail_header_is(const struct mail_field *field, const char *name)
{
	return strlen(name) == field->name_len &&
	    strncasecmp(field->raw, name, field->name_len) == 0;
}

size_t
mail_header_find(const char *header, size_t len, const char *name,
    struct mail_field *field_r)
{
	struct mail_field field;
	size_t at = 0, count = 0;

	while (mail_header_next(header, len, &at, &field)) {
		if (!mail_header_is(&field, name))
			continue;
		if (count++ == 0 && field_r != NULL)
			*field_r = field;
	}
	return count;
}

char *
mail_header_unfold(const struct mail_field *field)
{
	char *text = x_malloc(field->body_len + 1);
	size_t len = 0, skip = 0;

	for (size_t i = 0; i < field->body_len; i++) {
		unsigned char byte = (unsigned char)field->body[i];

		if (byte == '\t')
			byte = ' ';
		if (byte >= ' ' && byte != 0x7f)
			text[len++] = (char)byte;
	}
	while (len > 0 && text[len - 1] == ' ')
		len--;
	while (skip < len && text[skip] == ' ')
		skip++;
	memmove(text, text + skip, len - skip);
	text[len - skip] = '\0';
	return text;
}

char *
mail_header_get(const char *header, size_t len, const char *name)
{
	struct mail_field field;

	if (mail_header_find(header, len, name, &field) == 0)
		return NULL;
	return mail_header_unfold(&field);
}

/* ---- a single mailbox -------------------------------------------------- */

/* Behind the comment that begins at `text` (nesting counted), or NULL. */
static const char *
skip_comment(const char *text)
{
	int depth = 0;

	for (; *text != '\0'; text++) {
		if (*text == '\\' && text[1] != '\0')
			text++;
		else if (*text == '(')
			depth++;
		else if (*text == ')' && --depth == 0)
			return text + 1;
	}
	return NULL;
}

/* Behind the quoted string that begins at `text`, or NULL. */
static const char *
skip_quoted(const char *text)
{
	for (text++; *text != '\0'; text++) {
		if (*text == '\\' && text[1] != '\0')
			text++;
		else if (*text == '"')
			return text + 1;
	}
	return NULL;
}

/* Copies `text` without its comments; refuses what makes more than one
 * mailbox of it ("," ";" ":" outside of quotes and brackets). */
static int
strip_comments(const char *text, char *plain_r)
{
	size_t len = 0;

	while (*text != '\0') {
		const char *end;

		if (*text == '(') {
			if ((text = skip_comment(text)) == NULL)
				return -1;
			continue;
		}
		if (*text == ',' || *text == ';' || *text == ':')
			return -1;
		end = *text == '"' ? skip_quoted(text) : text + 1;
		if (end == NULL)
			return -1;
		memcpy(plain_r + len, text, (size_t)(end - text));
		len += (size_t)(end - text);
		text = end;
	}
	while (len > 0 && plain_r[len - 1] == ' ')
		len--;
	plain_r[len] = '\0';
	return 0;
}

/* The "<" outside of quotes, or NULL. */
static char *
find_angle(char *text)
{
	while (*text != '\0' && *text != '<') {
		if (*text == '"') {
			const char *end = skip_quoted(text);

			text += end - text; /* quotes were checked above */
		} else
			text++;
	}
	return *text == '<' ? text : NULL;
}

int
mail_header_mailbox(const char *text, char normal_r[MAIL_ADDRESS_SIZE])
{
	char path[MAIL_ADDRESS_SIZE];
	const char *end;
	char *plain, *angle, *start;
	int result = -1;

	plain = x_malloc(strlen(text) + 1);
	if (strip_comments(text, plain) < 0)
		goto out;
	angle = find_angle(plain);
	if (angle != NULL) {
		if (mail_address_parse_path(angle, &end, path) == 0 &&
		    *end == '\0')
			result = mail_address_normalise(path, normal_r);
		goto out;
	}
	start = plain + strspn(plain, " ");
	result = mail_address_normalise(start, normal_r);
out:
	free(plain);
	return result;
}

int
mail_header_from(const char *header, size_t len,
    char normal_r[MAIL_ADDRESS_SIZE])
{
	struct mail_field field;
	char *text;
	int result;

	if (mail_header_find(header, len, "From", &field) != 1)
		return -1;
	text = mail_header_unfold(&field);
	result = mail_header_mailbox(text, normal_r);
	free(text);
	return result;
}

char *
mail_header_message_id(const char *header, size_t len)
{
	struct mail_field field;
	char *text, *id = NULL;
	size_t end;

	if (mail_header_find(header, len, "Message-ID", &field) != 1)
		return NULL;
	text = mail_header_unfold(&field);
	end = strlen(text);
	if (end > 4 && end <= 1000 && text[0] == '<' && text[end - 1] == '>') {
		text[end - 1] = '\0';
		/* It goes into JSON. */
		if (strpbrk(text + 1, "<> \"") == NULL &&
		    strchr(text + 1, '@') != NULL &&
		    utf8_valid(text + 1, end - 2))
			id = x_strdup(text + 1);
	}
	free(text);
	return id;
}
