/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "json_strict.h"
#include "memory.h"
#include "terminal.h"
#include "test.h"

static const struct {
	const char *hostile, *want;
} escapes[] = {
	{ "plain text", "plain text" },
	{ "Grüße", "Grüße" },
	{ "\033]0;owned\007", "\\x1b]0;owned\\x07" },
	{ "a\r\nb", "a\\x0d\\x0ab" },
	{ "\xc2\x9bm", "\\xc2\\x9bm" },
	{ "\xe2\x80\xae", "\\xe2\\x80\\xae" },
	{ "\xff", "\\xff" },
	{ NULL, "" },
};

static const struct {
	int64_t bytes;
	const char *want;
} sizes[] = {
	{ 0, "0 bytes" },
	{ 999, "999 bytes" },
	{ 1000, "1.0 kB" },
	{ 87328426, "87.3 MB" },
	{ 999999, "1.0 MB" },
	{ 4000000000LL, "4.0 GB" },
};

TEST(hostile_text_is_escaped)
{
	size_t i;
	char *got;

	for (i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++) {
		got = terminal_escape(escapes[i].hostile);
		CHECK_STRING(got, escapes[i].want);
		free(got);
	}
}

/* What a string of JSON holds, and how it is written out. */
static const struct {
	const char *hostile, *want;
} members[] = {
	{ "plain \"text\"", "plain \\\"text\\\"" },
	{ "Gr\u00fc\u00dfe \U0001f4e8", "Gr\u00fc\u00dfe \U0001f4e8" },
	{ "\033[2J", "\\u001b[2J" },
	{ "a\x7f", "a\\u007f" },
	{ "\xc2\x9bm", "\\u009bm" },
	{ "\xe2\x80\xaex", "\\u202ex" },
	{ "\xf3\xa0\x81\x81", "\\udb40\\udc41" },
	{ "x\xffy", "x\xef\xbf\xbdy" },
	{ "cut \xe2\x80", "cut \xef\xbf\xbd\xef\xbf\xbd" },
	{ "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
};

TEST(json_is_escaped_and_stays_json)
{
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		cJSON *object = cJSON_CreateObject();
		char *text, *got, *want;

		json_add_string(object, "text", members[i].hostile);
		json_add_integer(object, members[i].hostile, 7);
		text = json_format(object);
		got = terminal_escape_json(text);
		want = x_asprintf("{\"text\":\"%s\",\"%s\":7}", members[i].want,
		    members[i].want);
		CHECK_STRING(got, want);
		CHECK_FOR(json_check(got, strlen(got)) == NULL, "%zu", i);
		free(want);
		free(got);
		free(text);
		cJSON_Delete(object);
	}
}

TEST(sizes_are_for_people)
{
	char text[TERMINAL_SIZE_SIZE];
	size_t i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		terminal_format_size(sizes[i].bytes, text);
		CHECK_STRING(text, sizes[i].want);
	}
}

TEST(progress_shows_share_and_rate)
{
	struct terminal_progress progress;
	char line[TERMINAL_LINE_SIZE];
	FILE *out = tmpfile();

	terminal_progress_begin(&progress, out, "scan\033.mp4", 2000000, 1000);
	CHECK(progress.out == NULL); /* no terminal: silent */
	terminal_progress_format(&progress, 1000000, 3000, line);
	CHECK_STRING(line, "scan\\x1b.mp4   50%  1.0 MB  500.0 kB/s");
	progress.total = -1;
	terminal_progress_format(&progress, 500, 1000, line);
	CHECK_STRING(line, "scan\\x1b.mp4  500 bytes  0 bytes/s");
	terminal_progress_set(&progress, 500, 9000);
	terminal_progress_end(&progress);
	CHECK(ftell(out) == 0);
	fclose(out);
}

int
main(void)
{
	RUN(hostile_text_is_escaped);
	RUN(json_is_escaped_and_stays_json);
	RUN(sizes_are_for_people);
	RUN(progress_shows_share_and_rate);
	return test_done();
}
