/* SPDX-License-Identifier: ISC
 *
 * What people see of a page: hostile names in HTML and in header fields,
 * sizes, whose form it is, and what of it the log may know.
 */
#include <stdio.h>

#include "http_header.h"
#include "page.h"
#include "page_html.h"
#include "resource_reply.h"
#include "test.h"
#include "utf8.h"

#define HASH "2f77668a9dfbf8d5848b9eeb4a7145ca94c6ed9236e4a773f6dcafa5132b2f91"
#define SECRET "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define BAD "\xef\xbf\xbd" /* U+FFFD */

TEST(text_is_escaped)
{
	static const struct {
		const char *text, *html;
	} rows[] = {
		{ "a.txt", "a.txt" },
		{ "<script>alert('1')</script>",
		    "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;" },
		{ "\" onclick=\"x", "&quot; onclick=&quot;x" },
		{ "&lt;", "&amp;lt;" },
		{ "na\xc3\xafve \xe2\x82\xac", "na\xc3\xafve \xe2\x82\xac" },
		{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" },
		{ "a\r\nb\x7f", "a" BAD BAD "b" BAD },
		{ "\xc2\x85", BAD }, /* a C1 control */
		{ "gnp\xe2\x80\xae.exe", "gnp" BAD ".exe" }, /* RLO */
		{ "a\xe2\x80\x8b"
		  "b",
		    "a" BAD "b" }, /* zero width */
		{ "a\xff<", "a" BAD "&lt;" }, /* no UTF-8 */
		{ "\xc0\xbc", BAD BAD }, /* overlong '<' */
		{ "\xed\xa0\x80", BAD BAD BAD }, /* a surrogate */
		{ "\xe2\x82", BAD BAD }, /* cut short */
		{ "", "" },
	};
	struct buffer html;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buffer_init(&html, 4096);
		page_html_escape(&html, rows[i].text);
		CHECK_FOR(strcmp(buffer_string(&html), rows[i].html) == 0,
		    "row %zu: %s", i, buffer_string(&html));
		buffer_free(&html);
	}
}

TEST(names_become_names_of_files)
{
	static const struct {
		const char *name, *file;
	} rows[] = {
		{ "scan.pdf", "scan.pdf" },
		{ "../../etc/passwd", "passwd" },
		{ "C:\\Windows\\evil.dll", "evil.dll" },
		{ ".bashrc", "bashrc" },
		{ "-rf", "rf" },
		{ "... .x", "x" },
		{ "a<b>\"c\"?*|:d", "a_b__c_____d" },
		{ "gnp\xe2\x80\xae"
		  "exe",
		    "gnp_exe" },
		{ "a\nb", "a_b" },
		{ "page.html. . ", "page.html" },
		{ "R\xc3\xb6ntgen.png", "R\xc3\xb6ntgen.png" },
		{ "\xff\xfe", "__" },
		{ "", "resource-2f77668a9dfb" },
		{ NULL, "resource-2f77668a9dfb" },
		{ "/", "resource-2f77668a9dfb" },
		{ "..", "resource-2f77668a9dfb" },
	};
	char file[PAGE_NAME_SIZE], name[1000];
	size_t len;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		page_html_name(rows[i].name, HASH, file);
		CHECK_FOR(strcmp(file, rows[i].file) == 0, "row %zu: %s", i,
		    file);
	}
	/* Cut between characters. */
	for (len = 0; len + 2 < sizeof(name); len += 2)
		memcpy(name + len, "\xc3\xb6", 3);
	page_html_name(name, HASH, file);
	CHECK(strlen(file) == PAGE_NAME_MAX && utf8_valid(file, strlen(file)));
	name[0] = 'x';
	name[1] = 'y';
	page_html_name(name + 1, HASH, file);
	CHECK(strlen(file) == PAGE_NAME_MAX - 1 &&
	    utf8_valid(file, strlen(file)));
}

TEST(names_in_header_fields)
{
	static const struct {
		const char *name, *line;
	} rows[] = {
		{ "scan.pdf",
		    "attachment; filename=\"scan.pdf\"; "
		    "filename*=UTF-8''scan.pdf" },
		{ "a b\".txt",
		    "attachment; filename=\"a_b_.txt\"; "
		    "filename*=UTF-8''a%20b%22.txt" },
		{ "\xc3\xb6.txt",
		    "attachment; filename=\"__.txt\"; "
		    "filename*=UTF-8''%C3%B6.txt" },
		{ "x\r\nSet-Cookie: a=b",
		    "attachment; filename=\"x__Set-Cookie__a_b\"; "
		    "filename*=UTF-8''x%0D%0ASet-Cookie%3A%20a%3Db" },
		{ NULL, "attachment" },
	};
	struct http_header_list headers;
	char want[300];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		http_header_init(&headers);
		resource_reply_name(&headers, rows[i].name);
		snprintf(want, sizeof(want), "Content-Disposition: %s\r\n",
		    rows[i].line);
		CHECK(!headers.failed);
		CHECK_STRING(headers.text, want);
	}
}

TEST(sizes_for_people)
{
	static const struct {
		int64_t size;
		const char *text;
	} rows[] = {
		{ 0, "0 bytes" },
		{ 1, "1 byte" },
		{ 999, "999 bytes" },
		{ 1000, "1.0 kB (1,000 bytes)" },
		{ 2563, "2.5 kB (2,563 bytes)" },
		{ 999999, "999.9 kB (999,999 bytes)" },
		{ 1000000, "1.0 MB (1,000,000 bytes)" },
		{ 41943040, "41.9 MB (41,943,040 bytes)" },
		{ 2147483648, "2.1 GB (2,147,483,648 bytes)" },
		{ 1LL << 50, "1.1 PB (1,125,899,906,842,624 bytes)" },
	};
	struct buffer html;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buffer_init(&html, 4096);
		page_html_size(&html, rows[i].size);
		CHECK_STRING(buffer_string(&html), rows[i].text);
		buffer_free(&html);
	}
}

TEST(the_page_shows_all_and_loads_nothing)
{
	struct page_file files[2] = {
		{ .hash = HASH, .size = 41943040, .there = true },
		{ .hash = HASH, .size = 5 }
	};
	struct page_view view = { "<b>@foo.test", SECRET, 1796479501, files,
		2 };
	struct buffer html;
	const char *text;

	page_html_name("<img src=x onerror=alert(1)>.png", HASH, files[0].name);
	strcpy(files[1].name, "<b>gone");
	buffer_init(&html, PAGE_HTML_MAX);
	page_html_show(&html, &view);
	text = buffer_string(&html);
	CHECK(strstr(text, "&lt;b&gt;@foo.test") != NULL);
	CHECK(strstr(text, "Saturday, 5 December 2026, 14:05 UTC") != NULL);
	CHECK(strstr(text, "2026-12-05T14:05:01Z") != NULL);
	CHECK(strstr(text, "41.9 MB (41,943,040 bytes)") != NULL);
	CHECK(strstr(text, HASH) != NULL);
	CHECK(strstr(text, "action=\"/s/" SECRET "/" HASH "\"") != NULL);
	CHECK(strstr(text, "&lt;b&gt;gone") != NULL);
	CHECK(strstr(text, "<b>") == NULL && strstr(text, "<img") == NULL);
	CHECK(strstr(text, "<script") == NULL && strstr(text, "<link") == NULL);
	CHECK(strstr(text, "http://") == NULL &&
	    strstr(text, "https://") == NULL);
	/* The one that is gone has no button. */
	text = strstr(text, "<form");
	CHECK(text != NULL && strstr(text + 1, "<form") == NULL);
	buffer_free(&html);
}

static struct http_request
request(char head[1024], const char *target, const char *fields)
{
	struct http_request request;
	const char *detail;
	int len;

	len = snprintf(head, 1024, "POST %s HTTP/1.1\r\nHost: %s\r\n%s\r\n",
	    target, "web.a.test", fields);
	CHECK(http_parse_request(head, (size_t)len, &request, &detail) ==
	    HTTP_FAULT_NONE);
	return request;
}

TEST(other_sites_forms_are_not_ours)
{
	static const struct {
		const char *fields;
		bool own;
	} rows[] = {
		{ "", true }, /* curl, and old browsers */
		{ "Sec-Fetch-Site: same-origin\r\nOrigin: null\r\n", true },
		{ "Sec-Fetch-Site: none\r\n", true },
		{ "Origin: https://web.a.test\r\n", true },
		{ "Origin: null\r\n", true },
		{ "Sec-Fetch-Site: cross-site\r\nOrigin: null\r\n", false },
		{ "Sec-Fetch-Site: same-site\r\n", false },
		{ "Sec-Fetch-Site: cross-site\r\n"
		  "Origin: https://web.a.test\r\n",
		    false },
		{ "Origin: https://evil.test\r\n", false },
		{ "Origin: http://web.a.test\r\n", false },
		{ "Origin: https://web.a.test:8443\r\n", false },
		{ "Origin: https://web.a.test.evil.test\r\n", false },
	};
	char head[1024];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_request r = request(head, "/s/x/y", rows[i].fields);

		CHECK_FOR(page_is_own_form(&r) == rows[i].own, "row %zu", i);
	}
}

TEST(the_log_never_has_a_secret)
{
	static const struct {
		const char *target, *path;
	} rows[] = {
		{ "/s/" SECRET, "/s/*" },
		{ "/s/" SECRET "/" HASH, "/s/*/" HASH },
		{ "/s/" SECRET "/" SECRET, "/s/*" },
		{ "/s/" SECRET "/", "/s/*" },
		{ "/S/" SECRET, "-" },
		{ "/" SECRET, "-" },
		{ "/s", "-" },
		{ "/", "-" },
		{ "/%73/" SECRET, "/s/*" },
	};
	char head[1024], path[96];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_request r = request(head, rows[i].target, "");

		page_log_path(&r, path, sizeof(path));
		CHECK_STRING(path, rows[i].path);
		CHECK(page_is_path(&r) == (strcmp(rows[i].path, "-") != 0));
	}
}

int
main(void)
{
	RUN(text_is_escaped);
	RUN(names_become_names_of_files);
	RUN(names_in_header_fields);
	RUN(sizes_for_people);
	RUN(the_page_shows_all_and_loads_nothing);
	RUN(other_sites_forms_are_not_ours);
	RUN(the_log_never_has_a_secret);
	return test_done();
}
