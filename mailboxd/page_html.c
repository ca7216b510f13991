/* SPDX-License-Identifier: ISC
 *
 * The HTML of pages. See page_html.h.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "cargo_api.h"
#include "page_html.h"
#include "utf8.h"

/* For a telephone first; dark where people want it dark. The policy allows
 * this style by its digest and no other. */
static const char style[] =
    ":root{color-scheme:light dark}"
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:42rem;"
    "margin:0 auto;padding:1rem;color:#1b1b1b;background:#fff}"
    "h1{font-size:1.5rem;line-height:1.25}"
    "ul{list-style:none;padding:0}"
    "li{border:1px solid #888;border-radius:.5rem;padding:1rem;"
    "margin:1rem 0}"
    "h2{font-size:1.1rem;margin:0;overflow-wrap:anywhere}"
    "dl{margin:.5rem 0 1rem}dt{font-weight:600}dd{margin:0 0 .5rem}"
    "code{font:.9em/1.4 ui-monospace,monospace;overflow-wrap:anywhere}"
    "button{font:inherit;font-weight:600;width:100%;min-height:3rem;"
    "padding:.5rem 1rem;border:0;border-radius:.5rem;color:#fff;"
    "background:#0b5394;cursor:pointer}"
    /* For those who have the page read to them. */
    ".read{position:absolute;width:1px;height:1px;overflow:hidden;"
    "clip-path:inset(50%);white-space:nowrap}"
    "li p{margin:0}"
    "button:hover{background:#083d6d}"
    ":focus-visible{outline:3px solid #e69f00;outline-offset:2px}"
    "footer{border-top:1px solid #888;margin-top:2rem;font-size:.9rem}"
    "@media (prefers-color-scheme:dark){"
    "body{color:#e8e8e8;background:#161616}a{color:#8ab8e8}}";

/* ---- text ---------------------------------------------------------------- */

/* Controls, and what is not seen but turns or hides its neighbours: marks of
 * direction, joiners, separators, tags, what is no character. */
static bool
is_dangerous(uint32_t code)
{
	static const struct {
		uint32_t from, to;
	} ranges[] = {
		{ 0, 0x1f },
		{ 0x7f, 0x9f },
		{ 0xad, 0xad },
		{ 0x61c, 0x61c },
		{ 0x115f, 0x1160 },
		{ 0x180b, 0x180f },
		{ 0x200b, 0x200f },
		{ 0x2028, 0x202e },
		{ 0x2060, 0x206f },
		{ 0x3164, 0x3164 },
		{ 0xe000, 0xf8ff },
		{ 0xfdd0, 0xfdef },
		{ 0xfeff, 0xfeff },
		{ 0xffa0, 0xffa0 },
		{ 0xfff0, 0xfffb },
		{ 0xe0000, 0x10ffff },
	};
	size_t i;

	for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (code >= ranges[i].from && code <= ranges[i].to)
			return true;
	return (code & 0xfffe) == 0xfffe;
}

static const char *
entity(uint32_t code)
{
	switch (code) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	}
	return is_dangerous(code) ? "\xef\xbf\xbd" : NULL;
}

void
page_html_escape(struct buffer *html, const char *text)
{
	size_t left = strlen(text), len;
	const char *instead;
	uint32_t code;

	for (; left > 0; text += len, left -= len) {
		len = utf8_decode(text, left, &code);
		instead = len > 0 ? entity(code) : "\xef\xbf\xbd";
		if (len == 0)
			len = 1;
		if (instead != NULL)
			buffer_add_string(html, instead);
		else
			buffer_add(html, text, len);
	}
}

/* What a file system, a shell or a person takes for something else. */
static bool
fits_in_name(uint32_t code)
{
	return !is_dangerous(code) &&
	    (code >= 0x80 || strchr("\"*:<>?|", (int)code) == NULL);
}

void
page_html_name(const char *name, const char *hash, char name_r[PAGE_NAME_SIZE])
{
	size_t left, len, used = 0;
	uint32_t code;

	if (name == NULL)
		name = "";
	for (const char *at = name; *at != '\0'; at++)
		if (*at == '/' || *at == '\\')
			name = at + 1;
	name += strspn(name, ". -~");
	for (left = strlen(name); left > 0; name += len, left -= len) {
		len = utf8_decode(name, left, &code);
		if (used + (len > 0 ? len : 1) > PAGE_NAME_MAX)
			break;
		if (len > 0 && fits_in_name(code)) {
			memcpy(name_r + used, name, len);
			used += len;
			continue;
		}
		name_r[used++] = '_';
		if (len == 0)
			len = 1;
	}
	/* Windows drops them, and so would find another type. */
	while (used > 0 && strchr(". ", name_r[used - 1]) != NULL)
		used--;
	name_r[used] = '\0';
	if (used == 0)
		snprintf(name_r, PAGE_NAME_SIZE, "resource-%.12s", hash);
}

/* ---- numbers ------------------------------------------------------------- */

static void
add_grouped(struct buffer *html, int64_t value)
{
	if (value >= 1000) {
		add_grouped(html, value / 1000);
		buffer_add_format(html, ",%03d", (int)(value % 1000));
	} else {
		buffer_add_format(html, "%d", (int)value);
	}
}

void
page_html_size(struct buffer *html, int64_t size)
{
	static const char *const units[] = { "kB", "MB", "GB", "TB", "PB" };
	int64_t tenths = size / 100;
	unsigned unit = 0;

	if (size >= 1000) {
		for (; tenths >= 10000 && unit < 4; unit++)
			tenths /= 1000;
		buffer_add_format(html, "%lld.%lld %s (",
		    (long long)(tenths / 10), (long long)(tenths % 10),
		    units[unit]);
	}
	add_grouped(html, size);
	buffer_add_string(html, size == 1 ? " byte" : " bytes");
	if (size >= 1000)
		buffer_add_string(html, ")");
}

/* The process is in the C locale. */
static void
add_time(struct buffer *html, int64_t when)
{
	char exact[40] = "", day[32] = "", month[64] = "";
	time_t seconds = (time_t)when;
	struct tm tm = { 0 };

	if (gmtime_r(&seconds, &tm) != NULL) {
		strftime(exact, sizeof(exact), "%Y-%m-%dT%H:%M:%SZ", &tm);
		strftime(day, sizeof(day), "%A", &tm);
		strftime(month, sizeof(month), "%B %Y, %H:%M UTC", &tm);
	}
	buffer_add_format(html, "<time datetime=\"%s\">%s, %d %s</time>", exact,
	    day, tm.tm_mday, month);
}

/* ---- pages --------------------------------------------------------------- */

static void
begin(struct buffer *html, const char *title)
{
	buffer_add_string(html,
	    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
	    "<meta charset=\"utf-8\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width, "
	    "initial-scale=1\">\n"
	    "<meta name=\"robots\" content=\"noindex, nofollow\">\n<title>");
	page_html_escape(html, title);
	buffer_add_string(html, "</title>\n<style>");
	buffer_add_string(html, style);
	buffer_add_string(html, "</style>\n</head>\n<body>\n<main>\n<h1>");
	page_html_escape(html, title);
	buffer_add_string(html, "</h1>\n");
}

static void
add_file(struct buffer *html, const struct page_view *view,
    const struct page_file *file)
{
	buffer_add_string(html, "<li>\n<h2><bdi>");
	page_html_escape(html, file->name);
	buffer_add_string(html, "</bdi></h2>\n<dl>\n<dt>Size</dt><dd>");
	page_html_size(html, file->size);
	buffer_add_format(html,
	    "</dd>\n<dt>SHA-256</dt><dd><code>%s</code></dd>\n</dl>\n",
	    file->hash);
	if (!file->there) {
		buffer_add_string(html,
		    "<p>The sender has removed this file.</p>\n</li>\n");
		return;
	}
	buffer_add_format(html,
	    "<form method=\"post\" action=\"" CARGO_API_PAGE "%s/%s\">\n"
	    "<button>Download<span class=\"read\"> <bdi>",
	    view->secret, file->hash);
	page_html_escape(html, file->name);
	buffer_add_string(html, "</bdi></span></button>\n</form>\n</li>\n");
}

void
page_html_show(struct buffer *html, const struct page_view *view)
{
	size_t i;

	begin(html, view->count == 1 ? "A file for you" : "Files for you");
	buffer_add_string(html, "<p>");
	if (view->sender[0] != '\0') {
		buffer_add_string(html, "<bdi>");
		page_html_escape(html, view->sender);
		buffer_add_string(html, "</bdi>");
	} else {
		buffer_add_string(html,
		    "The sender of the message that led you here");
	}
	buffer_add_format(html,
	    " shares %zu file%s with you. You can download %s until ",
	    view->count, view->count == 1 ? "" : "s",
	    view->count == 1 ? "it" : "them");
	add_time(html, view->expires);
	buffer_add_string(html, ".</p>\n<ul>\n");
	for (i = 0; i < view->count; i++)
		add_file(html, view, &view->files[i]);
	buffer_add_string(html,
	    "</ul>\n</main>\n<footer>\n"
	    "<p>Nothing is downloaded before you press a button. Whoever has "
	    "the address of this page can download too, so keep it to "
	    "yourself.</p>\n"
	    "<p>To be sure that a file is the one that was sent, compare its "
	    "SHA-256 with the one in the message: "
	    "<code>certutil -hashfile</code> <i>file</i> <code>SHA256</code> "
	    "on Windows, <code>shasum -a 256</code> <i>file</i> on a Mac, "
	    "<code>sha256sum</code> <i>file</i> on Linux.</p>\n"
	    "</footer>\n</body>\n</html>\n");
}

void
page_html_say(struct buffer *html, const char *title, const char *text,
    const char *link)
{
	begin(html, title);
	buffer_add_string(html, "<p>");
	page_html_escape(html, text);
	buffer_add_string(html, "</p>\n");
	if (link != NULL) {
		buffer_add_string(html, "<p><a href=\"" CARGO_API_PAGE);
		page_html_escape(html, link);
		buffer_add_string(html, "\">To the page</a></p>\n");
	}
	buffer_add_string(html, "</main>\n</body>\n</html>\n");
}

void
page_html_policy(char policy_r[PAGE_POLICY_SIZE])
{
	char text[sodium_base64_ENCODED_LEN(crypto_hash_sha256_BYTES,
	    sodium_base64_VARIANT_ORIGINAL)];
	unsigned char digest[crypto_hash_sha256_BYTES];

	crypto_hash_sha256(digest, (const unsigned char *)style,
	    sizeof(style) - 1);
	sodium_bin2base64(text, sizeof(text), digest, sizeof(digest),
	    sodium_base64_VARIANT_ORIGINAL);
	snprintf(policy_r, PAGE_POLICY_SIZE,
	    "default-src 'none'; style-src 'sha256-%s'; form-action 'self'; "
	    "base-uri 'none'; frame-ancestors 'none'",
	    text);
}
