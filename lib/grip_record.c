/* SPDX-License-Identifier: ISC
 *
 * TXT records of GRIP. Reads hostile text from the DNS; no allocation.
 */
#include "grip_record.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "encoding.h"
#include "tag_list.h"

static int
parse_hash(struct tag_span value, struct grip_record *record_r)
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
	struct tag_span rest, tag, value;
	bool have_h = false, have_p = false;
	int more;

	if (!tag_list_open(text, len, "grip1", &rest))
		return -1;
	while ((more = tag_list_next(&rest, &tag, &value)) == 1) {
		if (tag_list_is(tag, "v")) {
			return -1;
		} else if (tag_list_is(tag, "h")) {
			if (have_h || !tag_list_is(value, "sha256"))
				return -1;
			have_h = true;
		} else if (tag_list_is(tag, "p")) {
			if (have_p || parse_hash(value, record_r) != 0)
				return -1;
			have_p = true;
		}
	}
	return more == 0 && have_h && have_p ? 0 : -1;
}

void
grip_record_format(const struct grip_record *record,
    char text_r[GRIP_RECORD_TEXT_SIZE])
{
	char hex[SHA256_HEX_SIZE];

	hex_format(record->spki_sha256, SHA256_LEN, hex);
	snprintf(text_r, GRIP_RECORD_TEXT_SIZE, "v=grip1; h=sha256; p=%s", hex);
}
