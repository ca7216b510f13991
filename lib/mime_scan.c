/* SPDX-License-Identifier: ISC
 *
 * Bounds depth and number of MIME parts: see mime_scan.h.
 */
#include "mime_scan.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "mime_box.h"

#define BOUNDARY_MAX 256 /* RFC 2046 allows 70 */
#define TYPE_MAX 4096 /* of a Content-Type that is looked at */

/* One level: a multipart (with its boundary) or an embedded message. */
struct scan_level {
	char boundary[BOUNDARY_MAX]; /* "" for a message */
	size_t len;
	bool digest;
};

struct scan {
	struct scan_level levels[MIME_MAX_DEPTH];
	unsigned depth;
	unsigned parts;
	bool in_header, in_type;
	char type[TYPE_MAX]; /* the Content-Type field, lower case */
	size_t type_len;
	char raw[TYPE_MAX]; /* the same as it stands */
};

static const char too_deep[] = "message is nested too deep";
static const char too_many[] = "message has too many parts";

static const char *
scan_part(struct scan *scan)
{
	scan->in_header = true;
	scan->in_type = false;
	scan->type_len = 0;
	return ++scan->parts > MIME_MAX_PARTS ? too_many : NULL;
}

static const char *
scan_push(struct scan *scan, const char *boundary, size_t len)
{
	struct scan_level *level;

	if (scan->depth == MIME_MAX_DEPTH)
		return too_deep;
	level = &scan->levels[scan->depth++];
	level->len = len < BOUNDARY_MAX ? len : BOUNDARY_MAX;
	memcpy(level->boundary, boundary, level->len);
	level->digest = strstr(scan->type, "digest") != NULL;
	return NULL;
}

/* The value of the boundary parameter; its length, 0 if there is none. */
static size_t
scan_boundary(const struct scan *scan, const char **boundary_r)
{
	const char *at = strstr(scan->type, "boundary");
	size_t len = 0;

	if (at == NULL)
		return 0;
	at = strchr(at, '=');
	if (at == NULL)
		return 0;
	at = scan->raw + (at + 1 - scan->type);
	at += strspn(at, " \t\r\n");
	if (*at == '"') {
		at++;
		while (at[len] != '\0' && at[len] != '"')
			len++;
	} else
		len = strcspn(at, " \t\r\n;");
	*boundary_r = at;
	return len;
}

/* The empty line behind a header: what does it announce? */
static const char *
scan_header_end(struct scan *scan)
{
	const char *boundary, *error;
	bool digest = scan->depth > 0 && scan->levels[scan->depth - 1].digest;
	size_t len;

	scan->in_header = false;
	scan->type[scan->type_len] = '\0';
	scan->raw[scan->type_len] = '\0';
	/* Without the "/": comments may stand before it. */
	if (strstr(scan->type, "multipart") != NULL &&
	    (len = scan_boundary(scan, &boundary)) > 0)
		return scan_push(scan, boundary, len);
	if (strstr(scan->type, "message") == NULL &&
	    !(digest && scan->type_len == 0))
		return NULL;
	scan->type[0] = '\0';
	if ((error = scan_push(scan, "", 0)) != NULL)
		return error;
	return scan_part(scan);
}

static void
scan_type_add(struct scan *scan, const char *line, size_t len)
{
	for (size_t i = 0; i < len && scan->type_len + 1 < TYPE_MAX; i++) {
		char byte = line[i] != '\0' ? line[i] : ' ';

		scan->raw[scan->type_len] = byte;
		scan->type[scan->type_len++] =
		    (char)tolower((unsigned char)byte);
	}
}

static const char *
scan_header_line(struct scan *scan, const char *line, size_t len)
{
	if (len == 0 || (len == 1 && line[0] == '\r'))
		return scan_header_end(scan);
	if (line[0] != ' ' && line[0] != '\t')
		scan->in_type =
		    len > 12 && strncasecmp(line, "content-type", 12) == 0;
	if (scan->in_type)
		scan_type_add(scan, line, len);
	return NULL;
}

/* True if the line is a boundary of an open level: closes what lies deeper,
 * and begins a part or ends the level. */
static bool
scan_boundary_line(struct scan *scan, const char *line, size_t len,
    const char **error_r)
{
	if (len < 3 || line[0] != '-' || line[1] != '-')
		return false;
	for (unsigned i = scan->depth; i-- > 0;) {
		const struct scan_level *level = &scan->levels[i];
		const char *rest = line + 2 + level->len;

		if (level->len == 0 || len - 2 < level->len ||
		    memcmp(line + 2, level->boundary, level->len) != 0)
			continue;
		if (len - 2 - level->len >= 2 && rest[0] == '-' &&
		    rest[1] == '-') {
			scan->depth = i;
			scan->in_header = false;
			return true;
		}
		scan->depth = i + 1;
		*error_r = scan_part(scan);
		return true;
	}
	return false;
}

const char *
mime_scan_lines(const char *message, size_t len,
    void (*tell)(void *context, size_t start, size_t line, bool structure),
    void *context)
{
	struct scan scan = { .in_header = true, .parts = 1 };
	const char *error = NULL;

	for (size_t at = 0; at < len && error == NULL;) {
		const char *line = message + at;
		const char *end = memchr(line, '\n', len - at);
		size_t line_len = end != NULL ? (size_t)(end - line) : len - at;
		bool structure = scan.in_header;

		if (scan_boundary_line(&scan, line, line_len, &error))
			structure = true;
		else if (scan.in_header)
			error = scan_header_line(&scan, line, line_len);
		line_len += end != NULL;
		if (tell != NULL)
			tell(context, at, line_len, structure);
		at += line_len;
	}
	return error;
}

const char *
mime_scan_check(const char *message, size_t len)
{
	return mime_scan_lines(message, len, NULL, NULL);
}
