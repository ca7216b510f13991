/* SPDX-License-Identifier: ISC
 *
 * Heads of requests and responses, ranges and the PROXY protocol. Beyond
 * not crashing, what was accepted must be what the header promises.
 */
#include <stdlib.h>
#include <string.h>

#include "http_parse.h"
#include "proxy_protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool condition)
{
	if (!condition)
		abort();
}

static void
check_request(const struct http_request *r)
{
	int64_t offset, len;
	unsigned i;

	require(r->segment_count <= HTTP_SEGMENTS_MAX);
	for (i = 0; i < r->segment_count; i++) {
		require(strchr(r->segment[i], '/') == NULL);
		require(strcmp(r->segment[i], "..") != 0);
		require(strcmp(r->segment[i], ".") != 0);
	}
	for (i = 0; i < r->query_count; i++)
		require(
		    http_query_get(r, r->query[i].name) == r->query[i].value);
	require(r->host != NULL && r->host[0] != '\0');
	require(r->body_size >= 0);
	require(http_request_get(r, "transfer-encoding") == NULL);
	require(r->fields.count <= HTTP_FIELDS_MAX);
	for (i = 0; i < r->fields.count; i++)
		require(strpbrk(r->fields.list[i].value, "\r\n") == NULL);
	if (http_parse_range(http_request_get(r, "range"), 1000, &offset,
		&len) == 1)
		require(offset >= 0 && len > 0 && offset + len <= 1000);
}

/* A copy of just this size, so that a sanitizer sees a step beyond it. */
static char *
copy(const void *data, size_t size)
{
	char *p = malloc(size > 0 ? size : 1);

	if (p == NULL)
		abort();
	memcpy(p, data, size);
	return p;
}

static void
parse_head(const char *text, size_t size, bool response)
{
	struct http_response answer;
	struct http_request request;
	enum http_fault fault;
	const char *detail;
	size_t scanned = 0;
	long end = http_find_head(text, size, &scanned, &fault);
	char *head;

	if (end <= 0)
		return;
	require((size_t)end <= size && end <= HTTP_HEAD_MAX);
	head = copy(text, (size_t)end);
	if (response) {
		if (http_parse_response(head, (size_t)end, &answer, &detail) ==
		    HTTP_FAULT_NONE)
			require(answer.status >= 100 && answer.status < 600);
	} else if (http_parse_request(head, (size_t)end, &request, &detail) ==
	    HTTP_FAULT_NONE) {
		check_request(&request);
	} else {
		require(detail != NULL);
	}
	free(head);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sockaddr_storage source;
	int64_t offset, len, total;
	char *text = copy(data, size), *line;
	long n;

	parse_head(text, size, false);
	parse_head(text, size, true);
	n = proxy_protocol_parse(text, size, &source);
	require(n >= -1 && n <= (long)size);
	line = malloc(size + 1);
	if (line == NULL)
		abort();
	memcpy(line, data, size);
	line[size] = '\0';
	if (http_parse_content_range(line, &offset, &len, &total) == 0)
		require(offset >= 0 && len > 0 && offset + len <= total);
	free(line);
	free(text);
	return 0;
}
