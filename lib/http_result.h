/* SPDX-License-Identifier: ISC
 *
 * What came back from an HTTP call: status, some fields, a problem of RFC
 * 9457, a bounded body. Everything in it was sent by somebody else.
 */
#ifndef HTTP_RESULT_H
#define HTTP_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"

#define HTTP_RESULT_FIELDS_MAX 16384 /* bytes of fields that are kept */
#define HTTP_RESULT_PROBLEM_MAX 65536 /* bytes of a body without a sink */

struct http_result {
	unsigned status; /* 0: no response */
	bool authenticated; /* the response came from a verified peer */
	bool overrun; /* the body exceeded max_body */
	bool sink_failed; /* sink, head, read or progress gave up */
	int64_t bytes; /* of the response's body */
	int64_t retry_after; /* seconds, -1 if not said */
	char problem[32]; /* name of the problem type, "" if none */
	char detail[160]; /* its detail, printable ASCII */
	struct buffer fields; /* "name: value\n" lines, names lower case */
	struct buffer body; /* what did not go to a sink */
};

/* A result is initialised once, may be used for many calls, and is freed. */
void http_result_init(struct http_result *result);
void http_result_free(struct http_result *result);

/* The value of a response field (lower-case name), copied to text_r of
 * `size` bytes; NULL if it is absent or does not fit. */
const char *http_result_header(const struct http_result *result,
    const char *name, char *text_r, size_t size);

/* Drops the content, for the next call. */
void http_result_clear(struct http_result *result);

/* The same field as text in a buffer of `name: value` lines. NULL if it is
 * absent or does not fit. For http_call.head. */
const char *http_result_field(const struct buffer *fields, const char *name,
    char *text_r, size_t size);

/* Adds a field to result->fields, its name in lower case. One with 8-bit or
 * control bytes is left out. -1 if there is no room. */
int
http_result_add_field(struct http_result *result, const char *line, size_t len);

/* Once all is in: reads retry_after, problem and detail out of fields and
 * body. `now` in seconds since 1970. */
void http_result_interpret(struct http_result *result, int64_t now);

#endif
