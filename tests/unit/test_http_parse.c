/* SPDX-License-Identifier: ISC
 *
 * Heads of HTTP messages: what is taken, and every attack that is not.
 */
#include <stdlib.h>

#include "http_parse.h"
#include "proxy_protocol.h"
#include "test.h"

#define HOST "Host: a.foo.test\r\n"
#define GET(fields) "GET / HTTP/1.1\r\n" HOST fields "\r\n"
#define TARGET(target) "GET " target " HTTP/1.1\r\n" HOST "\r\n"

struct row {
	const char *name;
	const char *head;
	size_t len;
	enum http_fault fault;
};
#define ROW(name, head, fault) \
	{ \
		name, head, sizeof(head) - 1, HTTP_FAULT_##fault \
	}

static const struct row rows[] = {
	ROW("plain", GET(""), NONE),
	ROW("lower case method", "get / HTTP/1.1\r\n" HOST "\r\n", METHOD),
	ROW("unknown method", "BREW / HTTP/1.1\r\n" HOST "\r\n", METHOD),
	ROW("CONNECT", "CONNECT a:1 HTTP/1.1\r\n" HOST "\r\n", SYNTAX),
	ROW("no method", " / HTTP/1.1\r\n" HOST "\r\n", SYNTAX),
	ROW("HTTP/1.0", "GET / HTTP/1.0\r\n" HOST "\r\n", VERSION),
	ROW("HTTP/2.0", "GET / HTTP/2.0\r\n" HOST "\r\n", VERSION),
	ROW("HTTP/0.9", "GET /\r\n\r\n", SYNTAX),
	ROW("http/1.1", "GET / http/1.1\r\n" HOST "\r\n", SYNTAX),
	ROW("HTTP/1.10", "GET / HTTP/1.10\r\n" HOST "\r\n", SYNTAX),
	ROW("two spaces", "GET  / HTTP/1.1\r\n" HOST "\r\n", SYNTAX),
	ROW("space at the end", "GET / HTTP/1.1 \r\n" HOST "\r\n", SYNTAX),
	ROW("tab", "GET\t/ HTTP/1.1\r\n" HOST "\r\n", SYNTAX),
	ROW("absolute-form", TARGET("http://a.foo.test/"), SYNTAX),
	ROW("asterisk-form", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", SYNTAX),
	ROW("no target", "GET  HTTP/1.1\r\n" HOST "\r\n", SYNTAX),
	ROW("empty line first", "\r\nGET / HTTP/1.1\r\n" HOST "\r\n", SYNTAX),
	ROW("bare LF", "GET / HTTP/1.1\nHost: a\n\n", SYNTAX),
	ROW("bare LF later", "GET / HTTP/1.1\r\n" HOST "A: b\n\r\n", SYNTAX),
	ROW("stray CR", "GET / HTTP/1.1\r\n" HOST "A: b\rc\r\n\r\n", SYNTAX),
	ROW("CR CR LF", "GET / HTTP/1.1\r\r\n" HOST "\r\n", SYNTAX),
	ROW("NUL", "GET / HTTP/1.1\r\n" HOST "A: b\0c\r\n\r\n", SYNTAX),
	ROW("NUL in target", "GET /\0 HTTP/1.1\r\n" HOST "\r\n", SYNTAX),
	ROW("8-bit value", GET("A: \xff\r\n"), SYNTAX),
	ROW("8-bit name", GET("\xc3\xa4: b\r\n"), SYNTAX),
	ROW("8-bit target", TARGET("/\xc3\xa4"), SYNTAX),
	ROW("control byte", GET("A: b\x01\r\n"), SYNTAX),
	ROW("DEL", GET("A: b\x7f\r\n"), SYNTAX),
	ROW("tab in value", GET("A: b\tc\r\n"), NONE),
	ROW("obs-fold", GET("A: b\r\n c\r\n"), SYNTAX),
	ROW("obs-fold by tab", GET("A: b\r\n\tc\r\n"), SYNTAX),
	ROW("fold on the request line", "GET / HTTP/1.1\r\n " HOST "\r\n",
	    SYNTAX),
	ROW("space before colon", GET("A : b\r\n"), SYNTAX),
	ROW("no colon", GET("A\r\n"), SYNTAX),
	ROW("no name", GET(": b\r\n"), SYNTAX),
	ROW("empty value", GET("A:\r\n"), NONE),
	ROW("no Host", "GET / HTTP/1.1\r\n\r\n", SYNTAX),
	ROW("two Hosts", GET("Host: b.foo.test\r\n"), SYNTAX),
	ROW("empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", SYNTAX),
	ROW("Host with user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", SYNTAX),
	ROW("Host with slash", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", SYNTAX),
	ROW("Host list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", SYNTAX),
	ROW("Host port", "GET / HTTP/1.1\r\nHost: a:8443\r\n\r\n", NONE),
	ROW("Host port 0", "GET / HTTP/1.1\r\nHost: a:0\r\n\r\n", SYNTAX),
	ROW("Host port empty", "GET / HTTP/1.1\r\nHost: a:\r\n\r\n", SYNTAX),
	ROW("Host port large", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n",
	    SYNTAX),
	ROW("two lengths",
	    GET("Content-Length: 1\r\n"
		"Content-Length: 1\r\n"),
	    SYNTAX),
	ROW("length list", GET("Content-Length: 1, 1\r\n"), SYNTAX),
	ROW("length signed", GET("Content-Length: +1\r\n"), SYNTAX),
	ROW("length negative", GET("Content-Length: -1\r\n"), SYNTAX),
	ROW("length hex", GET("Content-Length: 0x1\r\n"), SYNTAX),
	ROW("length empty", GET("Content-Length:\r\n"), SYNTAX),
	ROW("length huge", GET("Content-Length: 18446744073709551617\r\n"),
	    SYNTAX),
	ROW("length above 2^53", GET("Content-Length: 9007199254740993\r\n"),
	    SYNTAX),
	ROW("length 2^53", GET("Content-Length: 9007199254740992\r\n"), NONE),
	ROW("length and encoding",
	    GET("Content-Length: 1\r\n"
		"Transfer-Encoding: chunked\r\n"),
	    SYNTAX),
	ROW("encoding", GET("Transfer-Encoding: chunked\r\n"), LENGTH),
	ROW("two encodings",
	    GET("Transfer-Encoding: chunked\r\n"
		"Transfer-Encoding: x\r\n"),
	    SYNTAX),
	ROW("encoding hidden by a blank", GET("Transfer-Encoding : x\r\n"),
	    SYNTAX),
	ROW("expectation", GET("Expect: 100-Continue\r\n"), NONE),
	ROW("other expectation", GET("Expect: more\r\n"), EXPECT),
	ROW("two tokens",
	    GET("Authorization: GRIP a\r\n"
		"authorization: GRIP b\r\n"),
	    SYNTAX),
	ROW("two of a list", GET("Accept: a\r\nAccept: b\r\n"), NONE),
	ROW("escape cut", TARGET("/a%2"), SYNTAX),
	ROW("escape not hex", TARGET("/a%zz"), SYNTAX),
	ROW("escape of NUL", TARGET("/a%00"), SYNTAX),
	ROW("escape of slash", TARGET("/a%2fb"), SYNTAX),
	ROW("escape of LF", TARGET("/a%0a"), SYNTAX),
	ROW("escape not UTF-8", TARGET("/a%ff"), SYNTAX),
	ROW("escape overlong", TARGET("/a%c0%af"), SYNTAX),
	ROW("escape UTF-8", TARGET("/a%c3%a4"), NONE),
	ROW("dots", TARGET("/a/../b"), SYNTAX),
	ROW("dots escaped", TARGET("/a/%2e%2E/b"), SYNTAX),
	ROW("dot", TARGET("/./a"), SYNTAX),
	ROW("two slashes", TARGET("/a//b"), SYNTAX),
	ROW("two slashes first", TARGET("//a"), SYNTAX),
	ROW("backslash", TARGET("/a\\b"), SYNTAX),
	ROW("fragment", TARGET("/a#b"), SYNTAX),
	ROW("quote", TARGET("/a\"b"), SYNTAX),
	ROW("17 segments",
	    TARGET("/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/"
		   "17"),
	    SYNTAX),
	ROW("parameter twice", TARGET("/a?b=1&b=2"), SYNTAX),
	ROW("parameter twice, escaped", TARGET("/a?b=1&%62=2"), SYNTAX),
	ROW("parameter without name", TARGET("/a?=1"), SYNTAX),
	ROW("empty parameter", TARGET("/a?b=1&"), SYNTAX),
	ROW("empty query", TARGET("/a?"), NONE),
};

/* Parses as the server does; *head_r is to be freed. */
static enum http_fault
parse(const char *data, size_t len, struct http_request *request, char **head_r)
{
	enum http_fault fault;
	const char *detail;
	size_t scanned = 0;
	long end;

	*head_r = NULL;
	end = http_find_head(data, len, &scanned, &fault);
	if (end < 0)
		return fault;
	if (end == 0)
		return HTTP_FAULT_COUNT; /* more is needed */
	/* Exactly the head, so that a sanitizer sees a step beyond it. */
	*head_r = malloc((size_t)end);
	memcpy(*head_r, data, (size_t)end);
	return http_parse_request(*head_r, (size_t)end, request, &detail);
}

TEST(takes_and_refuses)
{
	struct http_request request;
	enum http_fault fault;
	char *head;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fault = parse(rows[i].head, rows[i].len, &request, &head);
		CHECK_FOR(fault == rows[i].fault, "%s gave %u", rows[i].name,
		    fault);
		free(head);
	}
}

TEST(says_what_a_request_is)
{
	static const char text[] =
	    "PUT /v1/a%20b/?wait=60&x&y=%3D HTTP/1.1\r\n"
	    "HOST: Mailbox.Hospital.TEST:8443\r\nContent-Length:  12 \r\n"
	    "Expect: 100-continue\r\nX-One: \t two words \r\n"
	    "Connection: keep-alive, Close\r\n\r\nrest";
	struct http_request r;
	char *head;

	CHECK(parse(text, sizeof(text) - 1, &r, &head) == HTTP_FAULT_NONE);
	CHECK(r.method == HTTP_PUT);
	CHECK_STRING(r.method_name, "PUT");
	CHECK(r.segment_count == 3);
	CHECK_STRING(r.segment[0], "v1");
	CHECK_STRING(r.segment[1], "a b");
	CHECK_STRING(r.segment[2], "");
	CHECK_STRING(http_query_get(&r, "wait"), "60");
	CHECK_STRING(http_query_get(&r, "x"), "");
	CHECK_STRING(http_query_get(&r, "y"), "=");
	CHECK(http_query_get(&r, "z") == NULL);
	CHECK_STRING(r.host, "mailbox.hospital.test");
	CHECK(r.port == 8443);
	CHECK(r.body_size == 12 && r.has_length && r.expect_continue);
	CHECK(r.close);
	CHECK_STRING(http_request_get(&r, "x-one"), "two words");
	CHECK(http_request_get(&r, "x-two") == NULL);
	free(head);
}

TEST(bounds_fields_and_bytes)
{
	char text[HTTP_HEAD_MAX + 100];
	struct http_request request;
	size_t len, i, fields;
	char *head;

	for (fields = HTTP_FIELDS_MAX; fields <= HTTP_FIELDS_MAX + 1;
	     fields++) {
		len = (size_t)sprintf(text, "GET / HTTP/1.1\r\nHost: a\r\n");
		for (i = 1; i < fields; i++)
			len += (size_t)sprintf(text + len, "a%zu: b\r\n", i);
		len += (size_t)sprintf(text + len, "\r\n");
		CHECK(parse(text, len, &request, &head) ==
		    (fields == HTTP_FIELDS_MAX ? HTTP_FAULT_NONE :
						 HTTP_FAULT_LARGE));
		free(head);
	}
	/* A head of exactly the limit, and one byte more. */
	for (i = 0; i < 2; i++) {
		len = (size_t)sprintf(text, "GET / HTTP/1.1\r\nHost: a\r\nb: ");
		memset(text + len, 'x', sizeof(text) - len);
		len = HTTP_HEAD_MAX + i;
		memcpy(text + len - 4, "\r\n\r\n", 4);
		CHECK(parse(text, len, &request, &head) ==
		    (i == 0 ? HTTP_FAULT_NONE : HTTP_FAULT_LARGE));
		free(head);
	}
}

/* However the bytes come in, the head is found once and at the same place. */
TEST(finds_a_head_byte_by_byte)
{
	static const char text[] = GET("A: b\r\n") "body\r\n\r\n";
	size_t want = sizeof(GET("A: b\r\n")) - 1, scanned = 0, len;
	enum http_fault fault;
	long end = 0;

	for (len = 1; len < sizeof(text) && end == 0; len++)
		end = http_find_head(text, len, &scanned, &fault);
	CHECK((size_t)end == want && len - 1 == want);
}

TEST(parses_responses)
{
	static const struct {
		const char *head;
		int status; /* 0: refused */
		int64_t size;
	} table[] = {
		{ "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", 200, 3 },
		{ "HTTP/1.1 100 Continue\r\n\r\n", 100, -1 },
		{ "HTTP/1.1 507\r\n\r\n", 507, -1 },
		{ "HTTP/1.0 200 OK\r\n\r\n", 0, 0 },
		{ "HTTP/1.1 600 x\r\n\r\n", 0, 0 },
		{ "HTTP/1.1 99 x\r\n\r\n", 0, 0 },
		{ "HTTP/1.1 20\r\n\r\n", 0, 0 },
		{ "HTTP/1.1  200 x\r\n\r\n", 0, 0 },
		{ "HTTP/1.1 200 \xff\r\n\r\n", 0, 0 },
		{ "HTTP/1.1 200 x\r\nContent-Length: 1\r\n"
		  "Content-Length: 1\r\n\r\n",
		    0, 0 },
		{ "HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n", 0,
		    0 },
	};
	struct http_response response;
	enum http_fault fault;
	const char *detail;
	char head[256];
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		strcpy(head, table[i].head);
		fault =
		    http_parse_response(head, strlen(head), &response, &detail);
		CHECK_FOR((fault == HTTP_FAULT_NONE) == (table[i].status != 0),
		    "row %zu", i);
		if (fault == HTTP_FAULT_NONE)
			CHECK_FOR(response.status ==
				    (unsigned)table[i].status &&
				response.body_size == table[i].size,
			    "row %zu", i);
	}
}

TEST(parses_ranges)
{
	static const struct {
		const char *value;
		int64_t size;
		int result;
		int64_t offset, len;
	} table[] = {
		{ NULL, 10, 0, 0, 0 },
		{ "bytes=0-", 10, 1, 0, 10 },
		{ "bytes=0-0", 10, 1, 0, 1 },
		{ "bytes=3-5", 10, 1, 3, 3 },
		{ "bytes=3-100", 10, 1, 3, 7 },
		{ "bytes=9-", 10, 1, 9, 1 },
		{ "bytes=10-", 10, -1, 0, 0 },
		{ "bytes=0-", 0, -1, 0, 0 },
		{ "bytes=-3", 10, 1, 7, 3 },
		{ "bytes=-30", 10, 1, 0, 10 },
		{ "bytes=-0", 10, -1, 0, 0 },
		{ "bytes=5-3", 10, 0, 0, 0 },
		{ "bytes=1-2,4-5", 10, 0, 0, 0 },
		{ "bytes=", 10, 0, 0, 0 },
		{ "bytes=-", 10, 0, 0, 0 },
		{ "bytes=a-", 10, 0, 0, 0 },
		{ "bytes= 0-", 10, 0, 0, 0 },
		{ "lines=0-", 10, 0, 0, 0 },
		{ "bytes=99999999999999999999-", 10, 0, 0, 0 },
	};
	int64_t offset, len, size;
	int result;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		offset = len = 0;
		result = http_parse_range(table[i].value, table[i].size,
		    &offset, &len);
		CHECK_FOR(result == table[i].result, "row %zu: %d", i, result);
		CHECK_FOR(offset == table[i].offset && len == table[i].len,
		    "row %zu", i);
	}
	CHECK(http_parse_content_range("bytes 3-9/10", &offset, &len, &size) ==
		0 &&
	    offset == 3 && len == 7 && size == 10);
	CHECK(http_parse_content_range("bytes 3-10/10", &offset, &len, &size) ==
	    -1);
	CHECK(http_parse_content_range("bytes 3-2/10", &offset, &len, &size) ==
	    -1);
	CHECK(http_parse_content_range("bytes 3-9/*", &offset, &len, &size) ==
	    -1);
	CHECK(http_parse_content_range("bytes 3-9/10 ", &offset, &len, &size) ==
	    -1);
	CHECK(http_parse_content_range(NULL, &offset, &len, &size) == -1);
}

TEST(parses_the_proxy_protocol)
{
#define V2 "\r\n\r\n\0\r\nQUIT\n"
#define P(text, result, family) \
	{ \
		text, sizeof(text) - 1, result, family \
	}
	static const struct {
		const char *data;
		size_t len;
		long result;
		int family;
	} table[] = {
		P("PROXY TCP4 192.0.2.1 192.0.2.2 1 443\r\nx", 38, AF_INET),
		P("PROXY TCP6 2001:db8::1 2001:db8::2 1 443\r\n", 42, AF_INET6),
		P("PROXY UNKNOWN\r\n", 15, 0),
		P("PROXY UNKNOWN a b c d\r\n", 23, 0),
		P("PROXY TCP4 192.0.2.1 192.0.2.2 1 443", 0, 0),
		P("PROXY TCP4 192.0.2.1\r\n", -1, 0),
		P("PROXY TCP4 192.0.2.256 192.0.2.2 1 443\r\n", -1, 0),
		P("PROXY TCP4 192.0.2.1 192.0.2.2 65536 443\r\n", -1, 0),
		P("PROXY TCP4 192.0.2.1 192.0.2.2 1 443\n", -1, 0),
		P("PRO", 0, 0),
		P("GET / HTTP/1.1\r\n", -1, 0),
		P("\x16\x03\x01", -1, 0),
		P(V2, 0, 0),
		P(V2 "\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\0\1\1\xbb", 28,
		    AF_INET),
		P(V2 "\x21\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\0\1\1", 0, 0),
		P(V2 "\x20\0\0\0", 16, 0),
		P(V2 "\x21\x11\0\4\xc0\0\2\1", -1, 0),
		P(V2 "\x11\x11\0\x0c\xc0\0\2\1\xc0\0\2\2\0\1\1\xbb", -1, 0),
		P(V2 "\x21\x11\xff\xff", -1, 0),
	};
	struct sockaddr_storage source;
	long result;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		source.ss_family = 0;
		result =
		    proxy_protocol_parse(table[i].data, table[i].len, &source);
		CHECK_FOR(result == table[i].result, "row %zu: %ld", i, result);
		CHECK_FOR(source.ss_family == table[i].family, "row %zu", i);
	}
}

TEST(names_every_fault)
{
	unsigned i;

	for (i = HTTP_FAULT_SYNTAX; i < HTTP_FAULT_COUNT; i++) {
		CHECK(http_fault_status(i) >= 400);
		CHECK(http_fault_problem(i)[0] != '\0');
	}
}

int
main(void)
{
	RUN(takes_and_refuses);
	RUN(says_what_a_request_is);
	RUN(bounds_fields_and_bytes);
	RUN(finds_a_head_byte_by_byte);
	RUN(parses_responses);
	RUN(parses_ranges);
	RUN(parses_the_proxy_protocol);
	RUN(names_every_fault);
	return test_done();
}
