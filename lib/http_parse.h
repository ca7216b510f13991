/* SPDX-License-Identifier: ISC
 *
 * The head of an HTTP/1.1 message, parsed strictly (RFC 9110, 9112).
 *
 * Why by hand: llhttp is not packaged, http-parser is unmaintained, evhttp
 * and libmicrohttpd cannot be used (no streaming of bodies; GnuTLS). Lenient
 * parsing is what request smuggling lives on, so there is one spelling of
 * everything: origin-form, HTTP/1.1, CRLF, no folding, no space before the
 * colon, one Content-Length, no Transfer-Encoding in requests, no 8-bit and
 * no control bytes. Reads hostile bytes; works in place, allocates nothing.
 */
#ifndef HTTP_PARSE_H
#define HTTP_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_HEAD_MAX 16384 /* bytes of a head with its empty line */
#define HTTP_FIELDS_MAX 100
#define HTTP_SEGMENTS_MAX 16
#define HTTP_QUERY_MAX 16

enum http_method {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_PUT,
	HTTP_POST,
	HTTP_DELETE,
	HTTP_OPTIONS,
	HTTP_PATCH,
};

struct http_field {
	const char *name; /* lower case */
	const char *value; /* without blanks around it */
};

struct http_fields {
	unsigned count;
	struct http_field list[HTTP_FIELDS_MAX];
};

/* All text lies in the buffer that was parsed, NUL-terminated. */
struct http_request {
	enum http_method method;
	const char *method_name;
	/* The path's segments, percent-decoded one by one: "/" has none,
	 * "/v1/x" has two, "/v1/" has "v1" and "". No segment holds a slash,
	 * a control byte or invalid UTF-8; none is "." or "..". */
	unsigned segment_count;
	const char *segment[HTTP_SEGMENTS_MAX];
	unsigned query_count;
	struct http_field query[HTTP_QUERY_MAX]; /* decoded, names unique */
	const char *host; /* lower case, without port */
	uint16_t port; /* of the Host field, 0 if none */
	int64_t body_size; /* Content-Length, 0 if none */
	bool has_length; /* there was a Content-Length */
	bool expect_continue;
	bool close; /* Connection: close */
	struct http_fields fields;
};

struct http_response {
	unsigned status; /* 100 to 599 */
	int64_t body_size; /* Content-Length, -1 if none */
	bool close;
	struct http_fields fields;
};

/* What was wrong, with the status that it is answered with. */
enum http_fault {
	HTTP_FAULT_NONE,
	HTTP_FAULT_SYNTAX, /* 400 bad-request */
	HTTP_FAULT_LENGTH, /* 411 length-required: Transfer-Encoding */
	HTTP_FAULT_LARGE, /* 431 header-too-large */
	HTTP_FAULT_EXPECT, /* 417 expectation-failed */
	HTTP_FAULT_MISDIRECTED, /* 421 misdirected: not a host of ours */
	HTTP_FAULT_METHOD, /* 501 method-unknown */
	HTTP_FAULT_VERSION, /* 505 version-unknown */
	HTTP_FAULT_COUNT
};

/* HTTP status of a fault, and its problem name ("bad-request"). */
unsigned http_fault_status(enum http_fault fault);
const char *http_fault_problem(enum http_fault fault);

/*
 * Looks for the end of a head in the first `len` bytes; *scanned_r says
 * where to go on next time (0 at first). Returns the length of the head with
 * its empty line, 0 if more is needed, -1 at a line end that is not CRLF, a
 * NUL, or a head larger than HTTP_HEAD_MAX (*fault_r says which).
 */
long http_find_head(const char *data, size_t len, size_t *scanned_r,
    enum http_fault *fault_r);

/*
 * Parses a whole head of `len` bytes (as told by http_find_head), writing
 * into `head`. Pointers of *request_r point into `head` and live as long as
 * it. *detail_r is set on a fault: a fixed text.
 */
enum http_fault http_parse_request(char *head, size_t len,
    struct http_request *request_r, const char **detail_r);

/* The same for the head of a response. */
enum http_fault http_parse_response(char *head, size_t len,
    struct http_response *response_r, const char **detail_r);

/* The value of a field (lower-case name), NULL if absent. Fields that may
 * stand only once were checked while parsing. */
const char *http_fields_get(const struct http_fields *fields, const char *name);
const char *
http_request_get(const struct http_request *request, const char *name);

/* The decoded value of a query parameter, "" if it has none, NULL if the
 * parameter is absent. */
const char *
http_query_get(const struct http_request *request, const char *name);

/* "Range: bytes=…" against a representation of `size` bytes: 1 and the range
 * (inside the size), 0 if it is to be ignored (absent, several ranges,
 * another unit, malformed), -1 if it cannot be satisfied (416). `value` may
 * be NULL. RFC 9110, section 14. */
int http_parse_range(const char *value, int64_t size, int64_t *offset_r,
    int64_t *len_r);

/* "bytes A-B/SIZE": 0 and the numbers, or -1. The length is B - A + 1. */
int http_parse_content_range(const char *value, int64_t *offset_r,
    int64_t *len_r, int64_t *size_r);

#endif
