/* SPDX-License-Identifier: ISC
 *
 * Request targets; see http_target.h.
 *
 * Why by hand: evhttp_uri_parse and curl's URL parser are lenient and decode
 * the path as a whole, so that "%2F" and "/" become the same. Here the path
 * is split first and each segment decoded after.
 */
#include <string.h>

#include "http_target.h"
#include "utf8.h"

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Decoded text: no control bytes, and `forbidden` (a slash in a path) would
 * change the meaning of what was split already. */
static const char *
check_text(const char *text, char forbidden)
{
	const unsigned char *p;

	for (p = (const unsigned char *)text; *p != '\0'; p++) {
		if (*p < 0x20 || *p == 0x7f)
			return "control byte in the target";
		if (forbidden != '\0' && *p == (unsigned char)forbidden)
			return "encoded slash in the path";
	}
	if (!utf8_valid(text, strlen(text)))
		return "target is not UTF-8";
	return NULL;
}

/* Decodes %XX in place. '+' stays '+': this is no form. */
static const char *
decode(char *text)
{
	char *in = text, *out = text;
	int high, low;

	while (*in != '\0') {
		if (*in != '%') {
			*out++ = *in++;
			continue;
		}
		high = hex_value(in[1]);
		low = high < 0 ? -1 : hex_value(in[2]);
		if (low < 0)
			return "bad percent escape";
		if (high == 0 && low == 0)
			return "encoded NUL";
		*out++ = (char)(high << 4 | low);
		in += 3;
	}
	*out = '\0';
	return NULL;
}

static const char *
parse_path(char *path, struct http_request *request)
{
	const char *wrong;
	char *segment, *next;

	request->segment_count = 0;
	if (strcmp(path, "/") == 0)
		return NULL;
	for (segment = path + 1; segment != NULL; segment = next) {
		if ((next = strchr(segment, '/')) != NULL)
			*next++ = '\0';
		/* "a//b" is not "a/b"; a slash at the end is told apart by
		 * an empty last segment. */
		if (*segment == '\0' && next != NULL)
			return "empty path segment";
		if ((wrong = decode(segment)) != NULL ||
		    (wrong = check_text(segment, '/')) != NULL)
			return wrong;
		if (strcmp(segment, ".") == 0 || strcmp(segment, "..") == 0)
			return "dot segment";
		if (request->segment_count == HTTP_SEGMENTS_MAX)
			return "too many path segments";
		request->segment[request->segment_count++] = segment;
	}
	return NULL;
}

static const char *
parse_pair(char *pair, struct http_request *request)
{
	char *value = strchr(pair, '=');
	const char *wrong;

	if (value != NULL)
		*value++ = '\0';
	else
		value = pair + strlen(pair);
	if ((wrong = decode(pair)) != NULL ||
	    (wrong = check_text(pair, '\0')) != NULL ||
	    (wrong = decode(value)) != NULL ||
	    (wrong = check_text(value, '\0')) != NULL)
		return wrong;
	if (*pair == '\0')
		return "query parameter without a name";
	if (http_query_get(request, pair) != NULL)
		return "query parameter given twice";
	if (request->query_count == HTTP_QUERY_MAX)
		return "too many query parameters";
	request->query[request->query_count].name = pair;
	request->query[request->query_count++].value = value;
	return NULL;
}

const char *
http_target_parse(char *target, struct http_request *request)
{
	const char *wrong;
	char *query, *next, *p;

	if (target[0] != '/')
		return "target is not in origin-form";
	/* What may stand in a URI (RFC 3986), raw. */
	for (p = target; *p != '\0'; p++)
		if (*p <= 0x20 || *p >= 0x7f || strchr("\"<>\\^`{|}#", *p))
			return "character that no target may hold";
	if ((query = strchr(target, '?')) != NULL)
		*query++ = '\0';
	if ((wrong = parse_path(target, request)) != NULL)
		return wrong;
	request->query_count = 0;
	if (query == NULL || *query == '\0')
		return NULL;
	for (; query != NULL; query = next) {
		if ((next = strchr(query, '&')) != NULL)
			*next++ = '\0';
		if ((wrong = parse_pair(query, request)) != NULL)
			return wrong;
	}
	return NULL;
}
