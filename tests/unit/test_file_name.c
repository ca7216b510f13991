/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "file_name.h"
#include "test.h"

static const struct {
	const char *hostile, *want;
} names[] = {
	{ "scan.mp4", "scan.mp4" },
	{ "Befund Müller.pdf", "Befund Müller.pdf" },
	{ "/etc/passwd", "passwd" },
	{ "../../.ssh/authorized_keys", "authorized_keys" },
	{ "C:\\Windows\\evil.exe", "evil.exe" },
	{ "a/", "fallback" },
	{ ".bashrc", "bashrc" },
	{ "...", "fallback" },
	{ "..", "fallback" },
	{ "-rf", "rf" },
	{ " - .x", "x" },
	{ "name. ", "name" },
	{ "", "fallback" },
	{ NULL, "fallback" },
	{ "a\nb\tc\033[2Jd", "a_b_c_[2Jd" },
	{ "\001\002", "fallback" },
	{ "fdp.\xe2\x80\xae"
	  "cod.exe",
	    "fdp._cod.exe" },
	{ "\xc2\x9b"
	  "31m",
	    "_31m" },
	{ "\xff\xfe"
	  "x",
	    "__x" },
	{ "\xc0\xaf"
	  "etc",
	    "__etc" },
	{ "x\xed\xa0\x80", "x___" },
	{ "\xe2\x82", "fallback" },
	{ "zero\xe2\x80\x8bwidth", "zero_width" },
};

TEST(hostile_names_become_base_names)
{
	size_t i;
	char *got;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		got = file_name_clean(names[i].hostile, "fallback");
		CHECK_STRING(got, names[i].want);
		free(got);
	}
}

TEST(long_names_keep_their_extension_and_whole_characters)
{
	char hostile[1000], *got;
	size_t i;

	for (i = 0; i < 400; i++)
		memcpy(hostile + 2 * i, "\xc3\xa9", 2);
	strcpy(hostile + 800, ".tar");
	got = file_name_clean(hostile, "f");
	CHECK(strlen(got) <= FILE_NAME_MAX_LEN);
	CHECK(strlen(got) >= FILE_NAME_MAX_LEN - 2);
	CHECK(strlen(got) > 4 && strcmp(got + strlen(got) - 4, ".tar") == 0);
	CHECK(memcmp(got + strlen(got) - 6, "\xc3\xa9.tar", 6) == 0);
	free(got);

	memset(hostile, 'a', 900);
	hostile[900] = '\0';
	got = file_name_clean(hostile, "f");
	CHECK(strlen(got) == FILE_NAME_MAX_LEN);
	free(got);
}

TEST(taken_names_are_numbered)
{
	char *got;

	got = file_name_number("scan.mp4", 2);
	CHECK_STRING(got, "scan-2.mp4");
	free(got);
	got = file_name_number("README", 3);
	CHECK_STRING(got, "README-3");
	free(got);
}

int
main(void)
{
	RUN(hostile_names_become_base_names);
	RUN(long_names_keep_their_extension_and_whole_characters);
	RUN(taken_names_are_numbered);
	return test_done();
}
