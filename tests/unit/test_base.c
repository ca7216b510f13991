/* SPDX-License-Identifier: ISC
 *
 * The small modules of the base layer: buffer, encoding, clock, outcome.
 */
#include <stdlib.h>

#include "buffer.h"
#include "clock.h"
#include "encoding.h"
#include "outcome.h"
#include "test.h"

TEST(buffer_keeps_its_limit)
{
	struct buffer buffer;

	buffer_init(&buffer, 10);
	CHECK_STRING(buffer_string(&buffer), "");
	CHECK(buffer_add_string(&buffer, "hello") == 0);
	CHECK(buffer_add_format(&buffer, "%d", 12345) == 0);
	CHECK_STRING(buffer_string(&buffer), "hello12345");
	CHECK(buffer_add(&buffer, "x", 1) == -1);
	CHECK(buffer.failed);
	CHECK(buffer_add(&buffer, "", 0) == -1);
	buffer_clear(&buffer);
	CHECK(buffer_add_string(&buffer, "abc") == 0);
	buffer_consume(&buffer, 2);
	CHECK_STRING(buffer_string(&buffer), "c");
	buffer_consume(&buffer, 99);
	CHECK(buffer.len == 0);
	buffer_free(&buffer);
}

TEST(hex_is_lower_case_and_exact)
{
	unsigned char data[2];
	char text[5];

	CHECK(hex_parse("00ff", data, 2) == 0);
	CHECK(data[0] == 0 && data[1] == 0xff);
	hex_format(data, 2, text);
	CHECK_STRING(text, "00ff");
	CHECK(hex_parse("00FF", data, 2) == -1);
	CHECK(hex_parse("00f", data, 2) == -1);
	CHECK(hex_parse("00ff0", data, 2) == -1);
	CHECK(hex_parse("0x00", data, 2) == -1);
	CHECK(hex_parse("00 f", data, 2) == -1);
}

TEST(base64url_is_canonical)
{
	unsigned char data[8];
	char text[16];
	size_t len;

	CHECK(base64url_parse("AQID", 4, data, 8, &len) == 0 && len == 3);
	CHECK(base64url_parse("AQI", 3, data, 8, &len) == 0 && len == 2);
	CHECK(base64url_parse("AQJ", 3, data, 8, &len) == -1); /* spare bits */
	CHECK(base64url_parse("AQI=", 4, data, 8, &len) == -1);
	CHECK(base64url_parse("A", 1, data, 8, &len) == -1);
	CHECK(base64url_parse("A+ID", 4, data, 8, &len) == -1);
	CHECK(base64url_parse("AQ D", 4, data, 8, &len) == -1);
	CHECK(base64url_parse("AQIDBAUGBwgJ", 12, data, 8, &len) == -1);
	CHECK(base64url_parse("", 0, data, 8, &len) == 0 && len == 0);
	for (size_t n = 0; n < 8; n++) {
		base64url_format("\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8", n, text);
		CHECK(strlen(text) == base64url_length(n));
	}
}

TEST(base64_round_trip)
{
	size_t len = 0;
	char *text = base64_format("Cargo", 5);
	char *data = base64_parse(text, strlen(text), &len);

	CHECK_STRING(text, "Q2FyZ28=");
	CHECK(data != NULL && len == 5 && memcmp(data, "Cargo", 5) == 0);
	CHECK(base64_parse("Q2Fy\nZ28=", 9, &len) == NULL);
	CHECK(base64_parse("Q2FyZ28", 7, &len) == NULL);
	free(text);
	free(data);
}

TEST(sha256_of_abc)
{
	char text[SHA256_HEX_SIZE];

	sha256_hex("abc", 3, text);
	CHECK_STRING(text,
	    "ba7816bf8f01cfea414140de5dae2223"
	    "b00361a396177a9cb410ff61f20015ad");
	CHECK(hex_is_sha256(text));
	text[0] = 'B';
	CHECK(!hex_is_sha256(text));
}

static const struct {
	const char *text;
	int64_t when; /* -1: refused */
} dates[] = {
	{ "Sat, 5 Dec 2026 14:05:01 +0000", 1796479501 },
	{ "5 Dec 2026 14:05:01 +0000", 1796479501 },
	{ "Sat,  05 Dec 2026 15:05:01 +0100 (CET)", 1796479501 },
	{ "Sat, 5 Dec 2026 14:05:01 GMT", 1796479501 },
	{ "Sat, 5 Dec 2026 10:35:01 -0330", 1796479501 },
	{ "Sat, 5 Dec 2026 14:05 +0000", 1796479500 },
	{ "Thu, 1 Jan 1970 00:00:00 +0000", 0 },
	{ "Sat, 32 Dec 2026 14:05:01 +0000", -1 },
	{ "Sat, 5 Foo 2026 14:05:01 +0000", -1 },
	{ "Sat, 5 Dec 2026 24:05:01 +0000", -1 },
	{ "Sat, 5 Dec 2026 14:05:01", -1 },
	{ "Sat, 5 Dec 26 14:05:01 +0000", -1 },
	{ "Sat, 5 Dec 2026 14:05:01 +0000 x", -1 },
	{ "", -1 },
};

TEST(dates_of_mail)
{
	char text[CLOCK_TEXT_SIZE];
	int64_t when;

	for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
		when = -1;
		if (clock_parse_mail(dates[i].text, &when) != 0)
			when = -1;
		CHECK_FOR(when == dates[i].when, "%s: %lld", dates[i].text,
		    (long long)when);
	}
	clock_format_mail(1796479501, text);
	CHECK_STRING(text, "Sat, 5 Dec 2026 14:05:01 +0000");
	clock_format_internet(1796479501, text);
	CHECK_STRING(text, "2026-12-05T14:05:01Z");
	CHECK(!clock_is_plausible(0));
	CHECK(!clock_is_plausible(1704067199));
	CHECK(clock_is_plausible(1704067200));
}

TEST(reasons_and_outcomes)
{
	struct reason why;
	enum outcome outcome;

	CHECK(reason_set(&why, OUTCOME_PERMFAIL, "form", "no %s", "dot") ==
	    OUTCOME_PERMFAIL);
	CHECK_STRING(why.word, "form");
	CHECK_STRING(why.text, "no dot");
	CHECK(reason_is(&why, "form") && !reason_is(&why, "time"));
	CHECK(reason_set(NULL, OUTCOME_TEMPFAIL, "x", "y") == OUTCOME_TEMPFAIL);
	CHECK(outcome_parse("permfail", &outcome) == 0 &&
	    outcome == OUTCOME_PERMFAIL);
	CHECK(outcome_parse("maybe", &outcome) == -1);
	CHECK_STRING(outcome_name((enum outcome)77), "tempfail");
}

int
main(void)
{
	RUN(buffer_keeps_its_limit);
	RUN(hex_is_lower_case_and_exact);
	RUN(base64url_is_canonical);
	RUN(base64_round_trip);
	RUN(sha256_of_abc);
	RUN(dates_of_mail);
	RUN(reasons_and_outcomes);
	return test_done();
}
