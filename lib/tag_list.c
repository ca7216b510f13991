/* SPDX-License-Identifier: ISC
 *
 * Tag lists: see tag_list.h.
 */
#include "tag_list.h"

#include <string.h>

static struct tag_span
trim(struct tag_span span)
{
	while (span.len > 0 && (*span.data == ' ' || *span.data == '\t')) {
		span.data++;
		span.len--;
	}
	while (span.len > 0 &&
	    (span.data[span.len - 1] == ' ' || span.data[span.len - 1] == '\t'))
		span.len--;
	return span;
}

bool
tag_list_is(struct tag_span span, const char *text)
{
	return span.len == strlen(text) &&
	    memcmp(span.data, text, span.len) == 0;
}

int
tag_list_next(struct tag_span *rest, struct tag_span *tag_r,
    struct tag_span *value_r)
{
	struct tag_span pair = *rest;
	const char *semicolon, *equals;

	if (trim(*rest).len == 0)
		return 0;
	semicolon = memchr(rest->data, ';', rest->len);
	if (semicolon != NULL)
		pair.len = (size_t)(semicolon - rest->data);
	equals = memchr(pair.data, '=', pair.len);
	if (equals == NULL)
		return -1;
	*tag_r =
	    trim((struct tag_span){ pair.data, (size_t)(equals - pair.data) });
	*value_r = trim((struct tag_span){ equals + 1,
	    pair.len - (size_t)(equals + 1 - pair.data) });
	if (tag_r->len == 0)
		return -1;
	rest->data += pair.len + (semicolon != NULL);
	rest->len -= pair.len + (semicolon != NULL);
	return 1;
}

bool
tag_list_open(const void *text, size_t len, const char *version,
    struct tag_span *rest_r)
{
	struct tag_span tag, value;

	*rest_r = (struct tag_span){ text, len };
	return len > 0 && len <= TAG_LIST_MAX &&
	    tag_list_next(rest_r, &tag, &value) == 1 && tag_list_is(tag, "v") &&
	    tag_list_is(value, version);
}
