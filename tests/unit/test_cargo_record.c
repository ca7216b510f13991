/* SPDX-License-Identifier: ISC
 *
 * The TXT record of a domain with Cargomail.
 */
#include "cargo_record.h"

#include "test.h"

TEST(ours_and_others)
{
	static const struct {
		const char *text;
		bool ours;
	} rows[] = {
		{ "v=cargomail1", true },
		{ "v=cargomail1;", true },
		{ " v = cargomail1 ; ", true },
		{ "v=cargomail1; contact=postmaster; limit=2G", true },
		{ "v=cargomail1; a=b=c", true },
		{ "", false },
		{ ";", false },
		{ "v", false },
		{ "v=", false },
		{ "=cargomail1", false },
		{ "v=cargomail", false },
		{ "v=cargomail10", false },
		{ "v=cargomail2", false },
		{ "V=cargomail1", false },
		{ "v=Cargomail1", false },
		{ "v=spf1 -all", false },
		{ "v=cargomail1 -all", false },
		{ "a=b; v=cargomail1", false },
		{ "v=cargomail1; v=cargomail1", false },
		{ "v=cargomail1; word", false },
		{ "v=cargomail1;;", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_FOR(cargo_record_is(rows[i].text, strlen(rows[i].text)) ==
			rows[i].ours,
		    "%s", rows[i].text);
}

TEST(no_further_than_told_and_not_without_end)
{
	char text[5000];

	CHECK(!cargo_record_is("v=cargomail1", 11));
	CHECK(cargo_record_is("v=cargomail11", 12));
	memset(text, 'a', sizeof(text));
	memcpy(text, "v=cargomail1; a=", 16);
	CHECK(cargo_record_is(text, 4096));
	CHECK(!cargo_record_is(text, 4097));
	CHECK(!cargo_record_is("v=cargomail1\0x", 14));
}

int
main(void)
{
	RUN(ours_and_others);
	RUN(no_further_than_told_and_not_without_end);
	return test_done();
}
