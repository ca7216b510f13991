/* SPDX-License-Identifier: ISC
 *
 * TXT records of GRIP. Reads hostile text from the DNS; no allocation.
 */
#include "grip_record.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "encoding.h"

#define RECORD_MAX 4096 /* bytes; a record of ours has about 90 */

struct span {
	const char *data;
	size_t len;
};

static struct span
trim(struct span span)
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

static bool
span_is(struct span span, const char *text)
{
	return span.len == strlen(text) &&
	    memcmp(span.data, text, span.len) == 0;
}

/* Takes one "tag=value" and the ";" after it off the front of *rest. */
static int
next_tag(struct span *rest, struct span *tag_r, struct span *value_r)
{
	const char *semicolon = memchr(rest->data, ';', rest->len);
	struct span pair = { rest->data, rest->len };
	const char *equals;

	if (semicolon != NULL)
		pair.len = (size_t)(semicolon - rest->data);
	rest->data += pair.len + (semicolon != NULL);
	rest->len -= pair.len + (semicolon != NULL);
	equals = memchr(pair.data, '=', pair.len);
	if (equals == NULL)
		return -1;
	*tag_r = trim((struct span){ pair.data, (size_t)(equals - pair.data) });
	*value_r = trim((struct span){ equals + 1,
	    pair.len - (size_t)(equals + 1 - pair.data) });
	return tag_r->len > 0 ? 0 : -1;
}

static int
parse_hash(struct span value, struct grip_record *record_r)
{
	char hex[SHA256_HEX_SIZE];

	if (value.len != SHA256_HEX_LEN)
		return -1;
	memcpy(hex, value.data, value.len);
	hex[value.len] = '\0';
	return hex_parse(hex, record_r->spki_sha256, SHA256_LEN);
}

int
grip_record_parse(const void *text, size_t len, struct grip_record *record_r)
{
	struct span rest = { text, len }, tag, value;
	bool have_h = false, have_p = false;

	if (len == 0 || len > RECORD_MAX)
		return -1;
	if (next_tag(&rest, &tag, &value) != 0 || !span_is(tag, "v") ||
	    !span_is(value, "grip1"))
		return -1;
	while (trim(rest).len > 0) {
		if (next_tag(&rest, &tag, &value) != 0)
			return -1;
		if (span_is(tag, "v")) {
			return -1;
		} else if (span_is(tag, "h")) {
			if (have_h || !span_is(value, "sha256"))
				return -1;
			have_h = true;
		} else if (span_is(tag, "p")) {
			if (have_p || parse_hash(value, record_r) != 0)
				return -1;
			have_p = true;
		}
	}
	return have_h && have_p ? 0 : -1;
}

void
grip_record_format(const struct grip_record *record,
    char text_r[GRIP_RECORD_TEXT_SIZE])
{
	char hex[SHA256_HEX_SIZE];

	hex_format(record->spki_sha256, SHA256_LEN, hex);
	snprintf(text_r, GRIP_RECORD_TEXT_SIZE, "v=grip1; h=sha256; p=%s", hex);
}
