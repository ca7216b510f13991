/* SPDX-License-Identifier: ISC
 *
 * TXT records: ours are read, everything else is skipped.
 */
#include "grip_record.h"

#include "test.h"

#define P "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

TEST(reads_ours)
{
	static const char *const good[] = {
		"v=grip1; h=sha256; p=" P,
		"v=grip1;h=sha256;p=" P,
		" v = grip1 ;\th = sha256 ; p = " P " ; ",
		"v=grip1; p=" P "; h=sha256;",
		"v=grip1; t=anything; h=sha256; n=a=b; p=" P,
	};
	struct grip_record record;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		memset(&record, 0, sizeof(record));
		CHECK_FOR(grip_record_parse(good[i], strlen(good[i]),
			      &record) == 0,
		    "%s", good[i]);
		CHECK_FOR(record.spki_sha256[0] == 0x01 &&
			record.spki_sha256[31] == 0xef,
		    "%s", good[i]);
	}
}

TEST(skips_others)
{
	static const char *const bad[] = {
		"",
		";",
		"v=spf1 -all",
		"v=grip2; h=sha256; p=" P,
		"v=grip1; h=sha512; p=" P,
		"v=grip1; p=" P,
		"v=grip1; h=sha256",
		"h=sha256; v=grip1; p=" P,
		"v=grip1; h=sha256; p=" P "0",
		"v=grip1; h=sha256; p=0123",
		"v=grip1; h=sha256; "
		"p=0123456789ABCDEF0123456789abcdef0123456789"
		"abcdef0123456789abcdef",
		"v=grip1; h=sha256; p=" P "; p=" P,
		"v=grip1; h=sha256; h=sha256; p=" P,
		"v=grip1; v=grip1; h=sha256; p=" P,
		"v=grip1; word; h=sha256; p=" P,
		"V=grip1; h=sha256; p=" P,
		"v=grip1; h=sha256;; p=" P,
	};
	struct grip_record record;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_FOR(grip_record_parse(bad[i], strlen(bad[i]), &record) ==
			-1,
		    "%s", bad[i]);
}

TEST(reads_no_further_than_told)
{
	const char *text = "v=grip1; h=sha256; p=" P;
	struct grip_record record;

	CHECK(grip_record_parse(text, strlen(text) - 1, &record) == -1);
}

TEST(writes_what_it_reads)
{
	struct grip_record record, again;
	char text[GRIP_RECORD_TEXT_SIZE];

	for (int i = 0; i < 32; i++)
		record.spki_sha256[i] = (uint8_t)(i * 7);
	grip_record_format(&record, text);
	CHECK(grip_record_parse(text, strlen(text), &again) == 0);
	CHECK(memcmp(&record, &again, sizeof(record)) == 0);
}

int
main(void)
{
	RUN(reads_ours);
	RUN(skips_others);
	RUN(reads_no_further_than_told);
	RUN(writes_what_it_reads);
	return test_done();
}
