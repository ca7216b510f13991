/* SPDX-License-Identifier: ISC
 *
 * Header fields that we send; see http_header.h.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "http_header.h"

bool
http_is_token_char(unsigned char c)
{
	/* One bit for each ASCII character: letters, digits and
	 * !#$%&'*+-.^_`|~ (RFC 9110, section 5.6.2). */
	static const uint32_t map[4] = {
		0x00000000,
		0x03ff6cfa,
		0xc7fffffe,
		0x57ffffff,
	};

	return c < 128 && (map[c >> 5] >> (c & 31) & 1) != 0;
}

void
http_header_init(struct http_header_list *list)
{
	list->len = 0;
	list->failed = false;
	list->text[0] = '\0';
}

static bool
name_is_good(const char *name)
{
	const char *p;

	for (p = name; *p != '\0'; p++)
		if (!http_is_token_char((unsigned char)*p))
			return false;
	return p != name;
}

/* Printable, blank, tab; 8-bit bytes only as somebody else's text would
 * have them, so we send none. */
static bool
value_is_good(const char *value)
{
	const unsigned char *p = (const unsigned char *)value;

	for (; *p != '\0'; p++)
		if ((*p < 0x20 && *p != '\t') || *p >= 0x7f)
			return false;
	return true;
}

int
http_header_add(struct http_header_list *list, const char *name,
    const char *value)
{
	size_t room = sizeof(list->text) - list->len;
	int n;

	if (list->failed)
		return -1;
	if (!name_is_good(name) || !value_is_good(value))
		goto fail;
	n = snprintf(list->text + list->len, room, "%s: %s\r\n", name, value);
	if (n < 0 || (size_t)n >= room)
		goto fail;
	list->len += (size_t)n;
	return 0;
fail:
	list->failed = true;
	list->text[list->len] = '\0';
	return -1;
}

int
http_header_add_format(struct http_header_list *list, const char *name,
    const char *format, ...)
{
	char value[HTTP_HEADER_LIST_MAX];
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(value, sizeof(value), format, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(value)) {
		list->failed = true;
		return -1;
	}
	return http_header_add(list, name, value);
}
