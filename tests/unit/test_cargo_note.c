/* SPDX-License-Identifier: ISC
 *
 * The note: what people read must say everything, fit the screen, and show
 * a deceptive name for what it is.
 */
#include <stdlib.h>
#include <string.h>

#include "cargo_note.h"
#include "test.h"

#define H1 "2f77668a9dfbf8d5848b9eeb4a7145ca94c6ed9236e4a773f6dcafa5132b2f91"
#define PAGE \
	"https://web.hospital.test/s/" \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define LONG \
	"0123456789012345678901234567890123456789012345678901234567890123" \
	"4567890123456789.pdf"

static char *
format(const char *name, const char *type, int64_t size, const char *page)
{
	struct cargo_draft_resource r = { H1, size, type, name, "attachment" };
	struct cargo_note note = { &r, 1, "https://mailbox.hospital.test",
		1780668301, page };

	return cargo_note_format(&note);
}

static bool
has(const char *text, const char *what)
{
	return text != NULL && strstr(text, what) != NULL;
}

/* Bytes, so only for ASCII. */
static size_t
longest_line(const char *text)
{
	size_t longest = 0, len;

	for (; *text != '\0'; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		if (len > longest)
			longest = len;
	}
	return longest;
}

static const struct {
	const char *name, *type;
	int64_t size;
	const char *shown;
} names[] = {
	{ "scan.mp4", "video/mp4", 87328426,
	    "   1. scan.mp4\n      87.3 MB,"
	    " SHA-256 2f77668a9dfb...\n" },
	{ NULL, "text/plain; charset=utf-8", 1,
	    "the text of the message\n"
	    "      1 byte," },
	{ "", "image/png", 999, "a picture\n      999 bytes," },
	{ NULL, "application/pdf", 1000,
	    "a file without a name\n"
	    "      1.0 kB," },
	{ "x", "text/plain", 999960, "1.0 MB" },
	{ "x", "text/plain", -1, "size unknown" },
	{ "Bef\u00fcnde \u65e5\u672c.pdf", "application/pdf", 2,
	    "Bef\u00fcnde \u65e5\u672c.pdf\n" },
	{ "\u05e9\u05dc\u05d5\u05dd.pdf", "application/pdf", 2,
	    "\u05e9\u05dc\u05d5\u05dd.pdf\n" },
	{ "scan\u202efdp.exe", "application/pdf", 2, "scan\\u{202e}fdp.exe" },
	{ "a\nUntil: never\x1b[2J\x9b", "text/x", 2,
	    "a\\u{000a}Until: never\\u{001b}[2J\\x9b\n" },
	{ "Findings of the clinic for Mrs Miller, an overview of all that "
	  "was seen.pdf",
	    "text/x", 2, "all that was\n      seen.pdf\n" },
	{ LONG, "text/x", 2, "012345\n      678901" },
};

TEST(names_are_shown_as_they_are)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *text =
		    format(names[i].name, names[i].type, names[i].size, NULL);

		if (!has(text, names[i].shown))
			printf("# case %zu:\n%s\n", i, text);
		CHECK(has(text, names[i].shown));
		free(text);
	}
}

TEST(wide_characters_wrap_earlier)
{
	char name[120 + 1] = "", *text;

	for (int i = 0; i < 40; i++)
		strcat(name, "\u65e5");
	text = format(name, "text/x", 2, NULL);
	/* 33 of them fill 66 columns behind the indent. */
	name[33 * 3] = '\0';
	CHECK(has(text, name));
	CHECK(has(strchr(text, '1'), "\u65e5\n      \u65e5"));
	name[33 * 3] = '\xe6';
	CHECK(!has(text, name));
	free(text);
}

TEST(the_placeholder_says_what_to_do)
{
	char *text = format("scan.mp4", "video/mp4", 5, NULL);

	CHECK(has(text, "travels apart"));
	CHECK(has(text, "\n  mailbox.hospital.test\n"));
	CHECK(!has(text, "https:"));
	CHECK(has(text, "Fri, 5 Jun 2026 14:05:01 +0000"));
	CHECK(has(text, "cargomail open FILE"));
	CHECK(!has(text, H1));
	CHECK(longest_line(text) <= 72);
	free(text);
}

TEST(the_page_says_where_to_download)
{
	char *text = format(LONG, "video/mp4", 5, PAGE);

	CHECK(has(text, "\n" PAGE "\n"));
	CHECK(has(text, "      " H1 "\n"));
	CHECK(has(text, "Fri, 5 Jun 2026 14:05:01 +0000"));
	CHECK(!has(text, "cargomail open"));
	CHECK(!has(text, "mailbox"));
	CHECK(longest_line(text) <= 72);
	free(text);
}

int
main(void)
{
	RUN(names_are_shown_as_they_are);
	RUN(wide_characters_wrap_earlier);
	RUN(the_placeholder_says_what_to_do);
	RUN(the_page_says_where_to_download);
	return test_done();
}
