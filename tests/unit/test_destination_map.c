/* SPDX-License-Identifier: ISC
 *
 * Which mailbox for which address and category.
 */
#include "destination_map.h"
#include "test.h"

#include <stdlib.h>

#define I "https://mailbox.insurance.test"
#define B "https://mailbox.bar.test"

static const char text[] = "  # who\twhat\twhere\n"
			   "\n"
			   "Bob@BAR.test\thealthcare " I "\n"
			   "bob@bar.test * " B " # comment\n"
			   "carol+x@bar.test * " I "\r\n"
			   "info@bar.test * -\n"
			   "dave@bar.test healthcare " I "\n"
			   "@bar.test * " B ":8443\n"
			   "@bar.test business " B "\n";

static const struct {
	const char *address, *category, *url, *mailbox; /* url NULL: none */
} cases[] = {
	{ "bob@bar.test", "healthcare", I, "bob@bar.test" },
	{ "bob@bar.test", "personal", B, "bob@bar.test" },
	{ "bob@bar.test", NULL, B, "bob@bar.test" },
	{ "bob+x@bar.test", "healthcare", I, "bob@bar.test" },
	{ "carol+x@bar.test", NULL, I, "carol+x@bar.test" },
	{ "carol+y@bar.test", NULL, B ":8443", "carol@bar.test" },
	{ "info@bar.test", NULL, NULL, NULL },
	{ "dave@bar.test", "healthcare", I, "dave@bar.test" },
	{ "dave@bar.test", "personal", B ":8443", "dave@bar.test" },
	{ "eve@bar.test", "business", B, "eve@bar.test" },
	{ "eve@foo.test", NULL, NULL, NULL },
};

TEST(the_nearest_entry_decides)
{
	char *error = NULL;
	struct destination_map *map =
	    destination_map_parse("map", text, &service_ports_default, &error);

	CHECK_FOR(map != NULL, "%s", error);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct destination found;
		int result = destination_map_find(map, cases[i].address, "+",
		    cases[i].category, &found);

		CHECK_FOR(result == (cases[i].url != NULL), "%s",
		    cases[i].address);
		if (result && cases[i].url != NULL) {
			CHECK_STRING(found.url.text, cases[i].url);
			CHECK_STRING(found.mailbox, cases[i].mailbox);
		}
	}
	destination_map_free(&map);
}

TEST(a_bad_line_is_named)
{
	static const struct {
		const char *text, *error; /* how it begins */
	} table[] = {
		{ "bob@bar.test " I "\n", "map:1: an address" },
		{ "\nbob@bar.test * " I " x\n", "map:2: an address" },
		{ "bob * " I "\n", "map:1: bad address" },
		{ "@bar..test * " I "\n", "map:1: bad address" },
		{ "bob@bar.test Health! " I "\n", "map:1: bad category" },
		{ "bob@bar.test * http://x.test\n", "map:1: bad dest" },
		{ "bob@bar.test * " I "/\n", "map:1: bad dest" },
		{ "bob@bar.test * " I ":22\n", "map:1: bad dest" },
		{ "bob@bar.test * " I "\nBob@bar.test * " B "\n",
		    "map: lines"
		    " " },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char *error = NULL;
		struct destination_map *map = destination_map_parse("map",
		    table[i].text, &service_ports_default, &error);

		CHECK_FOR(map == NULL, "%s", table[i].text);
		CHECK_FOR(error != NULL &&
			strncmp(error, table[i].error,
			    strlen(table[i].error)) == 0,
		    "%s: %s", table[i].text, error);
		free(error);
		destination_map_free(&map);
	}
}

TEST(an_empty_map_is_fine)
{
	char *error = NULL;
	struct destination found;
	struct destination_map *map =
	    destination_map_parse("map", "", &service_ports_default, &error);

	CHECK(map != NULL &&
	    destination_map_find(map, "a@b.test", "+", NULL, &found) == 0);
	destination_map_free(&map);
	CHECK(destination_map_read("/nonexistent", &service_ports_default,
		  &error) == NULL &&
	    strstr(error, "/nonexistent") != NULL);
	free(error);
}

TEST(domains_that_it_names)
{
	char *error = NULL;
	struct destination_map *map = destination_map_parse("map",
	    "bob@bar.test * " I "\n@foo.test * -\n", &service_ports_default,
	    &error);

	CHECK(destination_map_has_domain(map, "bar.test"));
	CHECK(destination_map_has_domain(map, "foo.test"));
	CHECK(!destination_map_has_domain(map, "ar.test"));
	CHECK(!destination_map_has_domain(map, "x.bar.test"));
	destination_map_free(&map);
}

int
main(void)
{
	RUN(the_nearest_entry_decides);
	RUN(a_bad_line_is_named);
	RUN(an_empty_map_is_fine);
	RUN(domains_that_it_names);
	return test_done();
}
