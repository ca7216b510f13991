/* SPDX-License-Identifier: ISC
 *
 * Pictures for HTML: see html_view.h.
 */
#include "html_view.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "encoding.h"

#define ID_MAX 998
#define POLICY \
	"<meta http-equiv=\"Content-Security-Policy\" content=\"" \
	"default-src 'none'; img-src file: data:; style-src 'unsafe-inline'; " \
	"base-uri 'none'; form-action 'none'\">"

/* What may stand before a URL, and what ends one. */
static const char before[] = "\"'=( \t\r\n";
static const char after[] = "\"'()<> \t\r\n";

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The id of a cid: URL, decoded; false if it is none that fits. */
static bool
decode_id(const char *url, size_t len, char id_r[ID_MAX + 1])
{
	size_t out = 0;

	if (len > ID_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = url[i];

		if (c == '%' && i + 2 < len && hex_digit(url[i + 1]) >= 0 &&
		    hex_digit(url[i + 2]) >= 0) {
			c = (char)(hex_digit(url[i + 1]) << 4 |
			    hex_digit(url[i + 2]));
			i += 2;
		}
		if (c == '\0')
			return false;
		id_r[out++] = c;
	}
	id_r[out] = '\0';
	return out > 0;
}

/* A relative reference of unreserved characters (RFC 3986): no scheme, no
 * quote, nothing that HTML or CSS would read as more. */
static void
add_reference(struct buffer *out, const char *name)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";

	for (; *name != '\0'; name++)
		if (strchr(plain, *name) != NULL)
			buffer_add(out, name, 1);
		else
			buffer_add_format(out, "%%%02X", (unsigned char)*name);
}

/* Where the policy goes: behind a doctype, which must come first. */
static size_t
skip_doctype(const char *html, size_t len)
{
	size_t at = 0;
	const char *end;

	if (len >= 3 && memcmp(html, "\xef\xbb\xbf", 3) == 0)
		at = 3;
	while (
	    at < len && strchr(" \t\r\n", html[at]) != NULL && html[at] != '\0')
		at++;
	if (len - at < 9 || strncasecmp(html + at, "<!doctype", 9) != 0)
		return 0;
	end = memchr(html + at, '>', len - at);
	return end != NULL ? (size_t)(end + 1 - html) : 0;
}

static void
add_front(struct buffer *out, const char *charset)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:";

	buffer_add_string(out, POLICY);
	if (charset != NULL && charset[0] != '\0' && strlen(charset) <= 40 &&
	    charset[strspn(charset, plain)] == '\0')
		buffer_add_format(out, "<meta charset=\"%s\">", charset);
}

/* The part that the cid: URL at `at` names, NULL if none; *end_r is where
 * the URL ends. */
static const struct html_view_part *
find_part(const char *html, size_t len, size_t at,
    const struct html_view_part *parts, size_t count, size_t *end_r)
{
	char id[ID_MAX + 1];
	size_t end = at + 4;

	if (at + 4 > len || strncasecmp(html + at, "cid:", 4) != 0 ||
	    (at > 0 &&
		memchr(before, html[at - 1], sizeof(before) - 1) == NULL))
		return NULL;
	while (end < len && memchr(after, html[end], sizeof(after) - 1) == NULL)
		end++;
	if (!decode_id(html + at + 4, end - at - 4, id))
		return NULL;
	*end_r = end;
	for (size_t i = 0; i < count; i++)
		if (strcmp(parts[i].id, id) == 0)
			return &parts[i];
	return NULL;
}

static size_t
replace(const char *html, size_t len, const struct html_view_part *parts,
    size_t count, const char *scheme, struct buffer *out)
{
	const struct html_view_part *part;
	size_t done = 0, replaced = 0, end = 0;

	for (size_t at = 0; at < len; at++) {
		part = find_part(html, len, at, parts, count, &end);
		if (part == NULL)
			continue;
		buffer_add(out, html + done, at - done);
		buffer_add_string(out, scheme);
		add_reference(out, part->name);
		replaced++;
		done = end;
		at = end - 1;
	}
	buffer_add(out, html + done, len - done);
	return replaced;
}

size_t
html_view_format(const char *html, size_t len, const char *charset,
    const struct html_view_part *parts, size_t count, struct buffer *out)
{
	size_t front = skip_doctype(html, len);

	buffer_add(out, html, front);
	add_front(out, charset);
	return replace(html + front, len - front, parts, count, "", out);
}

size_t
html_view_name(const char *html, size_t len, const struct html_view_part *parts,
    size_t count, struct buffer *out)
{
	return replace(html, len, parts, count, "cid:", out);
}
