/* SPDX-License-Identifier: ISC
 *
 * Header fields that we send, for requests and replies alike: a small list
 * of lines on the caller's stack, nothing to free. What would break the
 * line (CR, LF, NUL, other control bytes, a bad name) or overflow marks the
 * list as failed; it is then refused where it is used.
 */
#ifndef HTTP_HEADER_H
#define HTTP_HEADER_H

#include <stdbool.h>
#include <stddef.h>

/* Room for a GRIP token of 8 KiB and some short fields. */
#define HTTP_HEADER_LIST_MAX 10240

struct http_header_list {
	size_t len;
	bool failed;
	char text[HTTP_HEADER_LIST_MAX]; /* "Name: value\r\n" lines, NUL */
};

/* Makes the list empty. */
void http_header_init(struct http_header_list *list);

/* Adds one field. 0, or -1 (and list->failed). */
int http_header_add(struct http_header_list *list, const char *name,
    const char *value);
int http_header_add_format(struct http_header_list *list, const char *name,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* True for a character of an RFC 9110 token. */
bool http_is_token_char(unsigned char c);

#endif
