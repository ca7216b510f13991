/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "json_strict.h"
#include "test.h"

/* What must be refused, and the words that say why. Length counts: some
 * have NUL bytes inside. */
static const struct {
	const char *data;
	size_t len; /* 0: strlen */
	const char *error;
} bad[] = {
	{ "", 0, "value expected" },
	{ "{\"a\":1}x", 0, "bytes after the value" },
	{ "{\"a\":1,\"a\":2}", 0, "duplicate member" },
	{ "{\"a\":1,\"\\u0061\":2}", 0, "duplicate member" },
	{ "{\"a\":{\"b\":1,\"c\":1,\"b\":1}}", 0, "duplicate member" },
	{ "\"\\u0000\"", 0, "\\u0000 in a string" },
	{ "{\"a\\u0000\":1}", 0, "\\u0000 in a string" },
	{ "\"a\nb\"", 0, "control byte in a string" },
	{ "\"a\0b\"", 5, "control byte in a string" },
	{ "\xef\xbb\xbf{}", 0, "value expected" },
	{ "\"\xff\"", 0, "invalid UTF-8" },
	{ "\"\xc0\xaf\"", 0, "invalid UTF-8" },
	{ "\"\xe0\x80\xaf\"", 0, "invalid UTF-8" },
	{ "\"\xed\xa0\x80\"", 0, "invalid UTF-8" },
	{ "\"\xf4\x90\x80\x80\"", 0, "invalid UTF-8" },
	{ "\"\\ud800\"", 0, "lone surrogate" },
	{ "\"\\udc00\"", 0, "lone surrogate" },
	{ "\"\\ud800\\u0041\"", 0, "lone surrogate" },
	{ "\"\\x41\"", 0, "unknown escape" },
	{ "1.5", 0, "number is not an integer" },
	{ "1e3", 0, "number is not an integer" },
	{ "01", 0, "number with a leading zero" },
	{ "-0", 0, "number with a leading zero" },
	{ "9007199254740993", 0, "number beyond 2^53" },
	{ "99999999999999999999999", 0, "number beyond 2^53" },
	{ "[[[[[[[[[1]]]]]]]]]", 0, "nested too deeply" },
	{ "[1,]", 0, "value expected" },
	{ "{\"a\":1,}", 0, "string expected" },
	{ "{a:1}", 0, "string expected" },
	{ "nul", 0, "value expected" },
	{ "True", 0, "value expected" },
	{ "[1 2]", 0, "comma or ] expected" },
	{ "\"abc", 0, "string not closed" },
	{ "\"\\", 0, "cut escape" },
	{ "{}\0", 3, "bytes after the value" },
	{ "'a'", 0, "value expected" },
};

static const char *const good[] = { "{}", "[]", " [ 1 , -2 , true ] ",
	"{\"a\":\"\\u00e4\\ud83d\\ude00\"}", "9007199254740992", "null", "0",
	"[[[[[[[[1]]]]]]]]", "{\"a\":1,\"A\":2}", "\"\xf0\x9f\x98\x80\"" };

TEST(bad_input_is_refused_with_its_reason)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		size_t len = bad[i].len > 0 ? bad[i].len : strlen(bad[i].data);
		const char *error = NULL;
		cJSON *value = json_parse(bad[i].data, len, &error);

		CHECK_FOR(value == NULL, "row %zu", i);
		CHECK_FOR(error != NULL && strcmp(error, bad[i].error) == 0,
		    "row %zu: %s", i, error);
		cJSON_Delete(value);
	}
}

TEST(good_input_is_parsed)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		cJSON *value = json_parse(good[i], strlen(good[i]), NULL);

		CHECK_FOR(value != NULL, "%s", good[i]);
		cJSON_Delete(value);
	}
}

TEST(getters_are_exact_about_case_and_type)
{
	static const char text[] =
	    "{\"name\":\"x\",\"n\":9007199254740992,\"yes\":true}";
	static const char *const all[] = { "name", "n", "yes", NULL };
	static const char *const two[] = { "name", "n", NULL };
	cJSON *value = json_parse(text, strlen(text), NULL);
	const char *unknown = NULL;
	int64_t n = 0;

	CHECK_STRING(json_string(value, "name"), "x");
	CHECK(json_string(value, "NAME") == NULL);
	CHECK(json_string(value, "n") == NULL);
	CHECK(json_integer(value, "n", 0, JSON_MAX_INTEGER, &n) == 0);
	CHECK(n == JSON_MAX_INTEGER);
	CHECK(json_integer(value, "n", 0, 10, &n) == -1);
	CHECK(json_integer(value, "name", 0, 10, &n) == -1);
	CHECK(json_boolean(value, "yes") == 1);
	CHECK(json_boolean(value, "name") == -1);
	CHECK(json_members_exact(value, all));
	CHECK(!json_members_exact(value, two));
	CHECK(!json_members_known(value, two, &unknown));
	CHECK_STRING(unknown, "yes");
	cJSON_Delete(value);
}

TEST(large_integers_are_written_exactly)
{
	cJSON *object = cJSON_CreateObject();
	char *text;

	json_add_integer(object, "a", 9007199254740991);
	json_add_integer(object, "b", 1000000000000000);
	json_add_integer(object, "c", -5);
	json_add_integer(object, "d", 4294967296);
	text = json_format(object);
	CHECK_STRING(text,
	    "{\"a\":9007199254740991,\"b\":1000000000000000,"
	    "\"c\":-5,\"d\":4294967296}");
	CHECK(json_check(text, strlen(text)) == NULL);
	free(text);
	cJSON_Delete(object);
}

int
main(void)
{
	RUN(bad_input_is_refused_with_its_reason);
	RUN(good_input_is_parsed);
	RUN(getters_are_exact_about_case_and_type);
	RUN(large_integers_are_written_exactly);
	return test_done();
}
