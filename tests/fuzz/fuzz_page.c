/* SPDX-License-Identifier: ISC
 *
 * The body of a share with pages, and the HTML of a page whose names are any
 * bytes: it stays UTF-8 and gets no tag that is not ours.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http_header.h"
#include "json_strict.h"
#include "page_html.h"
#include "resource_reply.h"
#include "share_store.h"
#include "utf8.h"

#define HASH "2f77668a9dfbf8d5848b9eeb4a7145ca94c6ed9236e4a773f6dcafa5132b2f91"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void
read_share(const char *text, size_t len)
{
	cJSON *body = json_parse(text, len, NULL);
	struct share *share = calloc(1, sizeof(*share));
	struct reason why;

	if (share == NULL)
		abort();
	if (cJSON_IsObject(body))
		share_parse(body, share, &why);
	share_free(share);
	cJSON_Delete(body);
}

static size_t
count_tags(const struct buffer *html)
{
	size_t count = 0;

	for (size_t i = 0; i < html->len; i++)
		count += html->data[i] == '<' || html->data[i] == '"';
	return count;
}

static size_t
show(const char *sender, const char *name)
{
	struct page_file file = { .hash = HASH, .size = 1, .there = true };
	struct page_view view = { sender, "secret", 1, &file, 1 };
	struct http_header_list headers;
	struct buffer html;
	size_t tags;

	page_html_name(name, HASH, file.name);
	if (file.name[0] == '\0' || file.name[0] == '.' ||
	    strpbrk(file.name, "/\\\r\n") != NULL)
		abort();
	buffer_init(&html, PAGE_HTML_MAX);
	page_html_show(&html, &view);
	if (html.failed || !utf8_valid(html.data, html.len))
		abort();
	tags = count_tags(&html);
	buffer_free(&html);
	http_header_init(&headers);
	resource_reply_name(&headers, file.name);
	if (headers.failed)
		abort();
	return tags;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char *text;

	if (len > 16384)
		return 0;
	text = malloc(len + 1);
	if (text == NULL)
		abort();
	memcpy(text, data, len);
	text[len] = '\0';
	read_share(text, len);
	/* A sender that is not told makes other words, but no other tags
	 * than one; so compare with one that is. */
	if (show(*text != '\0' ? text : "x", text) != show("x", "x"))
		abort();
	free(text);
	return 0;
}
