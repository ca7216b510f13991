/* SPDX-License-Identifier: ISC
 *
 * JSON (RFC 8259) as we take it. Every byte is hostile. The validator is
 * written by hand because cJSON accepts duplicate members, control bytes,
 * invalid UTF-8, trailing bytes and any number, and has no hook to refuse
 * them; after it has passed, cJSON builds the tree. It allocates only for
 * comparing member names that contain escapes, and recurses at most
 * JSON_MAX_DEPTH deep.
 */
#include "json_strict.h"

#include <stdlib.h>
#include <string.h>

#define JSON_MAX_MEMBERS 4096 /* in one object: the uniqueness check */
#define JSON_MAX_NAME 256 /* bytes of a member name, decoded */

struct json_scan {
	const unsigned char *at, *end;
	const char *error;
	int depth;
};

static bool json_value(struct json_scan *scan);

static bool
json_fail(struct json_scan *scan, const char *error)
{
	if (scan->error == NULL)
		scan->error = error;
	return false;
}

static void
json_space(struct json_scan *scan)
{
	while (scan->at < scan->end &&
	    (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\n' ||
		*scan->at == '\r'))
		scan->at++;
}

static bool
json_take(struct json_scan *scan, unsigned char c)
{
	if (scan->at >= scan->end || *scan->at != c)
		return false;
	scan->at++;
	return true;
}

/* Where a decoded string goes: NULL counts only. */
struct json_text {
	char *data;
	size_t len, max;
	bool over;
};

static void
json_put(struct json_text *text, unsigned c)
{
	if (text == NULL)
		return;
	if (text->len < text->max)
		text->data[text->len++] = (char)c;
	else
		text->over = true;
}

static void
json_put_code(struct json_text *text, unsigned code)
{
	if (code < 0x80) {
		json_put(text, code);
	} else if (code < 0x800) {
		json_put(text, 0xc0 | code >> 6);
		json_put(text, 0x80 | (code & 0x3f));
	} else if (code < 0x10000) {
		json_put(text, 0xe0 | code >> 12);
		json_put(text, 0x80 | (code >> 6 & 0x3f));
		json_put(text, 0x80 | (code & 0x3f));
	} else {
		json_put(text, 0xf0 | code >> 18);
		json_put(text, 0x80 | (code >> 12 & 0x3f));
		json_put(text, 0x80 | (code >> 6 & 0x3f));
		json_put(text, 0x80 | (code & 0x3f));
	}
}

static bool
json_hex4(struct json_scan *scan, unsigned *code_r)
{
	unsigned code = 0;

	if (scan->end - scan->at < 4)
		return json_fail(scan, "cut escape");
	for (int i = 0; i < 4; i++) {
		unsigned char c = *scan->at++;

		code <<= 4;
		if (c >= '0' && c <= '9')
			code |= c - '0';
		else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			code |= (c | 0x20) - 'a' + 10u;
		else
			return json_fail(scan, "bad \\u escape");
	}
	*code_r = code;
	return true;
}

/* After "\u": surrogates only in pairs, never U+0000. */
static bool
json_unicode(struct json_scan *scan, struct json_text *text)
{
	unsigned code, low;

	if (!json_hex4(scan, &code))
		return false;
	if (code == 0)
		return json_fail(scan, "\\u0000 in a string");
	if (code >= 0xdc00 && code <= 0xdfff)
		return json_fail(scan, "lone surrogate");
	if (code >= 0xd800 && code <= 0xdbff) {
		if (!json_take(scan, '\\') || !json_take(scan, 'u'))
			return json_fail(scan, "lone surrogate");
		if (!json_hex4(scan, &low))
			return false;
		if (low < 0xdc00 || low > 0xdfff)
			return json_fail(scan, "lone surrogate");
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	}
	json_put_code(text, code);
	return true;
}

static bool
json_escape(struct json_scan *scan, struct json_text *text)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *hit;

	if (scan->at >= scan->end)
		return json_fail(scan, "cut escape");
	if (*scan->at == 'u') {
		scan->at++;
		return json_unicode(scan, text);
	}
	hit = *scan->at != '\0' ? strchr(from, *scan->at) : NULL;
	if (hit == NULL)
		return json_fail(scan, "unknown escape");
	json_put(text, (unsigned char)to[hit - from]);
	scan->at++;
	return true;
}

/* One multi-byte character: shortest form, no surrogates, <= U+10FFFF. */
static bool
json_utf8(struct json_scan *scan, struct json_text *text)
{
	static const unsigned least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char lead = *scan->at;
	int len = lead >= 0xf0 && lead < 0xf5 ? 4 :
	    lead >= 0xe0 && lead < 0xf0	      ? 3 :
	    lead >= 0xc2 && lead < 0xe0	      ? 2 :
						0;
	unsigned code;

	if (len == 0 || scan->end - scan->at < len)
		return json_fail(scan, "invalid UTF-8");
	code = lead & (0xffu >> (len + 1));
	for (int i = 1; i < len; i++) {
		if ((scan->at[i] & 0xc0) != 0x80)
			return json_fail(scan, "invalid UTF-8");
		code = code << 6 | (scan->at[i] & 0x3fu);
	}
	if (code < least[len] || code > 0x10ffff ||
	    (code >= 0xd800 && code <= 0xdfff))
		return json_fail(scan, "invalid UTF-8");
	for (int i = 0; i < len; i++)
		json_put(text, scan->at[i]);
	scan->at += len;
	return true;
}

/* A string, its opening quote not yet taken. */
static bool
json_scan_string(struct json_scan *scan, struct json_text *text)
{
	if (!json_take(scan, '"'))
		return json_fail(scan, "string expected");
	while (scan->at < scan->end) {
		unsigned char c = *scan->at;

		if (c == '"') {
			scan->at++;
			return true;
		}
		if (c < 0x20)
			return json_fail(scan, "control byte in a string");
		if (c == '\\') {
			scan->at++;
			if (!json_escape(scan, text))
				return false;
		} else if (c >= 0x80) {
			if (!json_utf8(scan, text))
				return false;
		} else {
			json_put(text, c);
			scan->at++;
		}
	}
	return json_fail(scan, "string not closed");
}

static bool
json_number(struct json_scan *scan)
{
	const unsigned char *start;
	bool minus = json_take(scan, '-');
	int64_t value = 0;

	start = scan->at;
	while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9') {
		value = value * 10 + (*scan->at++ - '0');
		if (value > JSON_MAX_INTEGER)
			return json_fail(scan, "number beyond 2^53");
	}
	if (scan->at == start)
		return json_fail(scan, "value expected");
	if (*start == '0' && (scan->at - start > 1 || minus))
		return json_fail(scan, "number with a leading zero");
	if (scan->at < scan->end &&
	    (*scan->at == '.' || *scan->at == 'e' || *scan->at == 'E'))
		return json_fail(scan, "number is not an integer");
	return true;
}

static bool
json_word(struct json_scan *scan)
{
	static const char *const words[] = { "true", "false", "null" };

	for (size_t i = 0; i < 3; i++) {
		size_t len = strlen(words[i]);

		if ((size_t)(scan->end - scan->at) >= len &&
		    memcmp(scan->at, words[i], len) == 0) {
			scan->at += len;
			return true;
		}
	}
	return json_fail(scan, "value expected");
}

static bool
json_scan_array(struct json_scan *scan)
{
	json_space(scan);
	if (json_take(scan, ']'))
		return true;
	for (;;) {
		if (!json_value(scan))
			return false;
		json_space(scan);
		if (json_take(scan, ']'))
			return true;
		if (!json_take(scan, ','))
			return json_fail(scan, "comma or ] expected");
	}
}

struct json_name {
	size_t len;
	char text[]; /* decoded */
};

static int
json_name_compare(const void *a, const void *b)
{
	const struct json_name *x = *(struct json_name *const *)a;
	const struct json_name *y = *(struct json_name *const *)b;

	if (x->len != y->len)
		return x->len < y->len ? -1 : 1;
	return memcmp(x->text, y->text, x->len);
}

struct json_names {
	struct json_name **list;
	size_t count, size;
};

static bool
json_names_add(struct json_scan *scan, struct json_names *names)
{
	char room[JSON_MAX_NAME];
	struct json_text text = { room, 0, sizeof(room), false };
	struct json_name *name, **list;

	if (!json_scan_string(scan, &text))
		return false;
	if (text.over || names->count >= JSON_MAX_MEMBERS)
		return json_fail(scan, "too many or too long member names");
	if (names->count == names->size) {
		names->size = names->size > 0 ? 2 * names->size : 16;
		list = realloc(names->list, names->size * sizeof(*list));
		if (list == NULL)
			return json_fail(scan, JSON_NO_MEMORY);
		names->list = list;
	}
	name = malloc(sizeof(*name) + text.len);
	if (name == NULL)
		return json_fail(scan, JSON_NO_MEMORY);
	name->len = text.len;
	memcpy(name->text, room, text.len);
	names->list[names->count++] = name;
	return true;
}

static bool
json_members(struct json_scan *scan, struct json_names *names)
{
	json_space(scan);
	if (json_take(scan, '}'))
		return true;
	for (;;) {
		json_space(scan);
		if (!json_names_add(scan, names))
			return false;
		json_space(scan);
		if (!json_take(scan, ':'))
			return json_fail(scan, "colon expected");
		if (!json_value(scan))
			return false;
		json_space(scan);
		if (json_take(scan, '}'))
			return true;
		if (!json_take(scan, ','))
			return json_fail(scan, "comma or } expected");
	}
}

/* Sorts, so that 4096 members cost no more than they should. */
static bool
json_scan_object(struct json_scan *scan)
{
	struct json_names names = { NULL, 0, 0 };
	bool good = json_members(scan, &names);

	if (good && names.count > 1) {
		qsort(names.list, names.count, sizeof(*names.list),
		    json_name_compare);
		for (size_t i = 1; i < names.count; i++)
			if (json_name_compare(&names.list[i - 1],
				&names.list[i]) == 0)
				good = json_fail(scan, "duplicate member");
	}
	for (size_t i = 0; i < names.count; i++)
		free(names.list[i]);
	free(names.list);
	return good;
}

static bool
json_value(struct json_scan *scan)
{
	bool good;

	json_space(scan);
	if (scan->at >= scan->end)
		return json_fail(scan, "value expected");
	switch (*scan->at) {
	case '"':
		return json_scan_string(scan, NULL);
	case '{':
	case '[':
		if (++scan->depth > JSON_MAX_DEPTH)
			return json_fail(scan, "nested too deeply");
		good = *scan->at++ == '{' ? json_scan_object(scan) :
					    json_scan_array(scan);
		scan->depth--;
		return good;
	case '-':
	case '0' ... '9':
		return json_number(scan);
	default:
		return json_word(scan);
	}
}

const char *
json_check(const char *data, size_t len)
{
	struct json_scan scan = { (const unsigned char *)data,
		(const unsigned char *)data + len, NULL, 0 };

	if (json_value(&scan)) {
		json_space(&scan);
		if (scan.at != scan.end)
			json_fail(&scan, "bytes after the value");
	}
	return scan.error;
}

cJSON *
json_parse(const char *data, size_t len, const char **error_r)
{
	const char *error = json_check(data, len);
	cJSON *value = NULL;

	if (error == NULL) {
		value = cJSON_ParseWithLength(data, len);
		if (value == NULL)
			error = JSON_NO_MEMORY;
	}
	if (error_r != NULL)
		*error_r = error;
	return value;
}
