/* SPDX-License-Identifier: ISC
 *
 * Strict HTTP/1.1 heads; see http_parse.h.
 */
#include <string.h>
#include <strings.h>

#include "http_header.h"
#include "http_parse.h"
#include "http_target.h"

static const struct {
	unsigned status;
	const char *problem;
} faults[HTTP_FAULT_COUNT] = {
	[HTTP_FAULT_NONE] = { 200, "" },
	[HTTP_FAULT_SYNTAX] = { 400, "bad-request" },
	[HTTP_FAULT_LENGTH] = { 411, "length-required" },
	[HTTP_FAULT_LARGE] = { 431, "header-too-large" },
	[HTTP_FAULT_EXPECT] = { 417, "expectation-failed" },
	[HTTP_FAULT_MISDIRECTED] = { 421, "misdirected" },
	[HTTP_FAULT_METHOD] = { 501, "method-unknown" },
	[HTTP_FAULT_VERSION] = { 505, "version-unknown" },
};

static const char *const methods[] = {
	[HTTP_GET] = "GET",
	[HTTP_HEAD] = "HEAD",
	[HTTP_PUT] = "PUT",
	[HTTP_POST] = "POST",
	[HTTP_DELETE] = "DELETE",
	[HTTP_OPTIONS] = "OPTIONS",
	[HTTP_PATCH] = "PATCH",
};

/* Fields whose second copy would make a message mean two things. */
static const char *const singletons[] = { "authorization", "content-encoding",
	"content-length", "content-location", "content-range", "content-type",
	"date", "etag", "expect", "host", "if-match", "if-modified-since",
	"if-none-match", "if-range", "if-unmodified-since", "last-modified",
	"location", "origin", "range", "referer", "retry-after",
	"transfer-encoding", "user-agent", NULL };

unsigned
http_fault_status(enum http_fault fault)
{
	return faults[fault].status;
}

const char *
http_fault_problem(enum http_fault fault)
{
	return faults[fault].problem;
}

long
http_find_head(const char *data, size_t len, size_t *scanned_r,
    enum http_fault *fault_r)
{
	size_t limit = len < HTTP_HEAD_MAX ? len : HTTP_HEAD_MAX;
	const char *p = data + *scanned_r, *end = data + limit, *lf;

	*fault_r = HTTP_FAULT_SYNTAX;
	while (p < end && (lf = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		/* A bare LF is found at once, not when time is up. */
		if (lf == data || lf[-1] != '\r')
			return -1;
		/* The empty line. One before the request line is refused
		 * too: there is no reason to send one. */
		if (lf == data + 1)
			return -1;
		if (lf - data >= 3 && lf[-2] == '\n') {
			if (memchr(data, '\0', (size_t)(lf - data)) != NULL)
				return -1;
			*fault_r = HTTP_FAULT_NONE;
			return lf + 1 - data;
		}
		p = lf + 1;
	}
	*scanned_r = (size_t)(p - data);
	if (len >= HTTP_HEAD_MAX) {
		*fault_r = HTTP_FAULT_LARGE;
		return -1;
	}
	*fault_r = HTTP_FAULT_NONE;
	return 0;
}

/* Cuts the line at `line` off at its CRLF; the start of the next one, NULL
 * if there is none or a CR stands elsewhere. `end` is the end of the head. */
static char *
cut_line(char *line, const char *end)
{
	char *cr = memchr(line, '\r', (size_t)(end - line));

	if (cr == NULL || cr + 1 >= end || cr[1] != '\n')
		return NULL;
	*cr = '\0';
	return cr + 2;
}

static bool
is_singleton(const char *name)
{
	unsigned i;

	for (i = 0; singletons[i] != NULL; i++)
		if (strcmp(singletons[i], name) == 0)
			return true;
	return false;
}

/* One "name: value" line. Folding ends here too: a line that begins with a
 * blank has no name. */
static const char *
parse_field(char *line, struct http_field *field)
{
	unsigned char *p = (unsigned char *)line;
	char *value, *end;

	for (; http_is_token_char(*p); p++)
		if (*p >= 'A' && *p <= 'Z')
			*p += 'a' - 'A';
	if (p == (unsigned char *)line || *p != ':')
		return "bad field name";
	*p++ = '\0';
	value = (char *)p + strspn((char *)p, " \t");
	for (p = (unsigned char *)value; *p != '\0'; p++)
		if ((*p < 0x20 && *p != '\t') || *p >= 0x7f)
			return "control or 8-bit byte in a field";
	for (end = (char *)p; end > value; end--)
		if (end[-1] != ' ' && end[-1] != '\t')
			break;
	*end = '\0';
	field->name = line;
	field->value = value;
	return NULL;
}

static enum http_fault
parse_fields(char *line, const char *end, struct http_fields *fields,
    const char **detail_r)
{
	struct http_field *field;
	char *next;

	fields->count = 0;
	for (; line < end; line = next) {
		if ((next = cut_line(line, end)) == NULL) {
			*detail_r = "stray CR";
			return HTTP_FAULT_SYNTAX;
		}
		if (*line == '\0')
			break; /* the empty line */
		if (fields->count == HTTP_FIELDS_MAX) {
			*detail_r = "too many fields";
			return HTTP_FAULT_LARGE;
		}
		field = &fields->list[fields->count];
		if ((*detail_r = parse_field(line, field)) != NULL)
			return HTTP_FAULT_SYNTAX;
		if (is_singleton(field->name) &&
		    http_fields_get(fields, field->name) != NULL) {
			*detail_r = "field given twice";
			return HTTP_FAULT_SYNTAX;
		}
		fields->count++;
	}
	return HTTP_FAULT_NONE;
}

/* Digits only, at most 2^53: 0 or -1. */
static int
parse_length(const char *text, int64_t *size_r)
{
	int64_t size = 0;
	const char *p;

	for (p = text; *p >= '0' && *p <= '9'; p++) {
		if (p - text >= 16)
			return -1;
		size = size * 10 + (*p - '0');
	}
	if (p == text || *p != '\0' || size > (INT64_C(1) << 53))
		return -1;
	*size_r = size;
	return 0;
}

/* True if `word` is a member of a comma-separated list. */
static bool
list_has(const char *list, const char *word)
{
	size_t len = strlen(word), n;

	while (list != NULL && *list != '\0') {
		list += strspn(list, " \t,");
		n = strcspn(list, " \t,");
		if (n == len && strncasecmp(list, word, n) == 0)
			return true;
		list += n;
	}
	return false;
}

static bool
wants_close(const struct http_fields *fields)
{
	unsigned i;

	for (i = 0; i < fields->count; i++)
		if (strcmp(fields->list[i].name, "connection") == 0 &&
		    list_has(fields->list[i].value, "close"))
			return true;
	return false;
}

/* "host" or "host:port"; written over in lower case. */
static const char *
parse_host(struct http_request *request)
{
	const char *value = http_request_get(request, "host");
	char *p;
	int64_t port = 0;

	if (value == NULL)
		return "no Host";
	/* The value lies in the caller's buffer: it is ours to write. */
	p = (char *)(uintptr_t)value;
	request->host = p;
	for (; *p != '\0' && *p != ':'; p++) {
		if (*p >= 'A' && *p <= 'Z')
			*p += 'a' - 'A';
		if (!(*p >= 'a' && *p <= 'z') && !(*p >= '0' && *p <= '9') &&
		    *p != '-' && *p != '.')
			return "bad Host";
	}
	if (p == value || p - value > 253)
		return "bad Host";
	if (*p == ':') {
		*p++ = '\0';
		if (parse_length(p, &port) != 0 || port < 1 || port > 65535)
			return "bad port in Host";
	}
	request->port = (uint16_t)port;
	return NULL;
}

/* "METHOD target HTTP/1.1": exactly two spaces. */
static enum http_fault
parse_request_line(char *line, struct http_request *request,
    const char **detail_r)
{
	char *target, *version, *p;
	unsigned i, count = sizeof(methods) / sizeof(methods[0]);

	for (p = line; http_is_token_char((unsigned char)*p); p++)
		;
	*detail_r = "bad request line";
	if (p == line || *p != ' ')
		return HTTP_FAULT_SYNTAX;
	*p = '\0';
	target = p + 1;
	if ((version = strchr(target, ' ')) == NULL)
		return HTTP_FAULT_SYNTAX;
	*version++ = '\0';
	if (strncmp(version, "HTTP/", 5) != 0 || strlen(version) != 8 ||
	    version[5] < '0' || version[5] > '9' || version[6] != '.' ||
	    version[7] < '0' || version[7] > '9')
		return HTTP_FAULT_SYNTAX;
	*detail_r = "HTTP/1.1 only";
	if (strcmp(version, "HTTP/1.1") != 0)
		return HTTP_FAULT_VERSION;
	if ((*detail_r = http_target_parse(target, request)) != NULL)
		return HTTP_FAULT_SYNTAX;
	for (i = 0; i < count && strcmp(methods[i], line) != 0; i++)
		;
	*detail_r = "unknown method";
	if (i == count)
		return HTTP_FAULT_METHOD;
	request->method = (enum http_method)i;
	request->method_name = methods[i];
	return HTTP_FAULT_NONE;
}

/* The fields that frame the body (RFC 9112, section 6). */
static enum http_fault
parse_framing(struct http_request *request, const char **detail_r)
{
	const char *length = http_request_get(request, "content-length");
	const char *expect = http_request_get(request, "expect");

	if (http_request_get(request, "transfer-encoding") != NULL) {
		*detail_r = "Transfer-Encoding: send a Content-Length";
		return length != NULL ? HTTP_FAULT_SYNTAX : HTTP_FAULT_LENGTH;
	}
	if (length != NULL && parse_length(length, &request->body_size) != 0) {
		*detail_r = "bad Content-Length";
		return HTTP_FAULT_SYNTAX;
	}
	request->has_length = length != NULL;
	if (expect != NULL && strcasecmp(expect, "100-continue") != 0) {
		*detail_r = "unknown expectation";
		return HTTP_FAULT_EXPECT;
	}
	request->expect_continue = expect != NULL && request->body_size > 0;
	request->close = wants_close(&request->fields);
	return HTTP_FAULT_NONE;
}

enum http_fault
http_parse_request(char *head, size_t len, struct http_request *request_r,
    const char **detail_r)
{
	enum http_fault fault;
	char *fields = cut_line(head, head + len);

	request_r->segment_count = request_r->query_count = 0;
	request_r->fields.count = 0;
	request_r->body_size = 0;
	request_r->has_length = request_r->expect_continue = false;
	request_r->close = false;
	*detail_r = "stray CR";
	if (fields == NULL)
		return HTTP_FAULT_SYNTAX;
	fault = parse_request_line(head, request_r, detail_r);
	if (fault != HTTP_FAULT_NONE)
		return fault;
	fault = parse_fields(fields, head + len, &request_r->fields, detail_r);
	if (fault != HTTP_FAULT_NONE)
		return fault;
	if ((*detail_r = parse_host(request_r)) != NULL)
		return HTTP_FAULT_SYNTAX;
	return parse_framing(request_r, detail_r);
}

/* "HTTP/1.1 200 reason": the reason may be empty and is not kept. */
static int
parse_status_line(const char *line, unsigned *status_r)
{
	const unsigned char *p;

	if (strncmp(line, "HTTP/1.1 ", 9) != 0)
		return -1;
	line += 9;
	if (line[0] < '1' || line[0] > '5' || line[1] < '0' || line[1] > '9' ||
	    line[2] < '0' || line[2] > '9' ||
	    (line[3] != ' ' && line[3] != '\0'))
		return -1;
	for (p = (const unsigned char *)line; *p != '\0'; p++)
		if (*p < 0x20 || *p >= 0x7f)
			return -1;
	*status_r = (unsigned)((line[0] - '0') * 100 + (line[1] - '0') * 10 +
	    (line[2] - '0'));
	return 0;
}

enum http_fault
http_parse_response(char *head, size_t len, struct http_response *response_r,
    const char **detail_r)
{
	char *fields = cut_line(head, head + len);
	enum http_fault fault;
	const char *length;

	*detail_r = "bad status line";
	if (fields == NULL || parse_status_line(head, &response_r->status))
		return HTTP_FAULT_SYNTAX;
	fault = parse_fields(fields, head + len, &response_r->fields, detail_r);
	if (fault != HTTP_FAULT_NONE)
		return fault;
	*detail_r = "bad framing";
	length = http_fields_get(&response_r->fields, "content-length");
	response_r->body_size = -1;
	if (http_fields_get(&response_r->fields, "transfer-encoding") != NULL ||
	    (length != NULL &&
		parse_length(length, &response_r->body_size) != 0))
		return HTTP_FAULT_SYNTAX;
	response_r->close = wants_close(&response_r->fields);
	return HTTP_FAULT_NONE;
}

const char *
http_fields_get(const struct http_fields *fields, const char *name)
{
	unsigned i;

	for (i = 0; i < fields->count; i++)
		if (strcmp(fields->list[i].name, name) == 0)
			return fields->list[i].value;
	return NULL;
}

const char *
http_request_get(const struct http_request *request, const char *name)
{
	return http_fields_get(&request->fields, name);
}

const char *
http_query_get(const struct http_request *request, const char *name)
{
	unsigned i;

	for (i = 0; i < request->query_count; i++)
		if (strcmp(request->query[i].name, name) == 0)
			return request->query[i].value;
	return NULL;
}
