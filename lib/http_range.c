/* SPDX-License-Identifier: ISC
 *
 * Range and Content-Range in bytes (RFC 9110, section 14); declared in
 * http_parse.h. Reads hostile text.
 */
#include <string.h>

#include "http_parse.h"

/* Digits at *p, at most 2^53; moves *p on. -1 if there are none or too
 * many. */
static int64_t
take_number(const char **p)
{
	const char *start = *p;
	int64_t n = 0;

	for (; **p >= '0' && **p <= '9'; (*p)++) {
		if (*p - start >= 16)
			return -1;
		n = n * 10 + (**p - '0');
	}
	return *p == start || n > (INT64_C(1) << 53) ? -1 : n;
}

int
http_parse_range(const char *value, int64_t size, int64_t *offset_r,
    int64_t *len_r)
{
	int64_t first, last = -1;

	if (value == NULL || strncmp(value, "bytes=", 6) != 0)
		return 0;
	value += 6;
	if (*value == '-') { /* the last N bytes */
		value++;
		if ((last = take_number(&value)) < 0 || *value != '\0')
			return 0;
		if (last == 0 || size == 0)
			return -1;
		*len_r = last < size ? last : size;
		*offset_r = size - *len_r;
		return 1;
	}
	if ((first = take_number(&value)) < 0 || *value++ != '-')
		return 0;
	if (*value != '\0' &&
	    ((last = take_number(&value)) < first || *value != '\0'))
		return 0;
	if (first >= size)
		return -1;
	if (last < 0 || last >= size)
		last = size - 1;
	*offset_r = first;
	*len_r = last - first + 1;
	return 1;
}

int
http_parse_content_range(const char *value, int64_t *offset_r, int64_t *len_r,
    int64_t *size_r)
{
	int64_t first, last, size;

	if (value == NULL || strncmp(value, "bytes ", 6) != 0)
		return -1;
	value += 6;
	if ((first = take_number(&value)) < 0 || *value++ != '-')
		return -1;
	if ((last = take_number(&value)) < first || *value++ != '/')
		return -1;
	if ((size = take_number(&value)) <= last || *value != '\0')
		return -1;
	*offset_r = first;
	*len_r = last - first + 1;
	*size_r = size;
	return 0;
}
