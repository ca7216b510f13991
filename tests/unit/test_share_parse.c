/* SPDX-License-Identifier: ISC
 *
 * The body of a share.
 */
#include <stdlib.h>

#include "json_strict.h"
#include "share_store.h"
#include "test.h"

#define NOW 1000000
#define A "2f77668a9dfbf8d5848b9eeb4a7145ca94c6ed9236e4a773f6dcafa5132b2f91"
#define B "0000000000000000000000000000000000000000000000000000000000000000"

static const char *
parse(const char *text, struct share **share_r)
{
	cJSON *body = json_parse(text, strlen(text), NULL);
	static struct reason why;
	enum outcome outcome;

	*share_r = calloc(1, sizeof(struct share));
	(*share_r)->now = NOW;
	outcome = share_parse(body, *share_r, &why);
	cJSON_Delete(body);
	return outcome == OUTCOME_OK ? "ok" : why.word;
}

TEST(a_share_in_any_order_is_the_same)
{
	struct share *one, *two;

	CHECK_STRING(parse("{\"message\":\"1@foo.test\",\"category\":\"\","
			   "\"recipients\":[\"bob@bar.test\",\"A@B.test\"],"
			   "\"resources\":[\"" A "\",\"" B "\"],"
			   "\"expires\":1000100}",
			 &one),
	    "ok");
	CHECK_STRING(parse("{\"expires\":1000100,\"message\":\"1@foo.test\","
			   "\"resources\":[\"" B "\",\"" A "\",\"" A "\"],"
			   "\"recipients\":[\"a@b.test\",\"Bob@bar.test\","
			   "\"bob@BAR.test\"]}",
			 &two),
	    "ok");
	CHECK(one->recipient_count == 2 && two->recipient_count == 2);
	CHECK(one->hash_count == 2 && two->hash_count == 2);
	CHECK_STRING(one->recipients[0], "a@b.test");
	CHECK_STRING(two->content, one->content);
	share_free(one);
	share_free(two);
}

#define PAGES(list) \
	"{\"message\":\"1\",\"recipients\":[],\"resources\":[\"" A \
	"\"],\"expires\":1000001,\"pages\":" list "}"
#define PAGE(address, key) "{\"recipient\":\"" address "\",\"key\":\"" key "\"}"

TEST(pages_of_a_share)
{
	static const struct {
		const char *text, *answer;
		size_t count;
	} rows[] = {
		{ PAGES("[" PAGE("Bob@BAR.test", A) "]"), "ok", 1 },
		{ PAGES("[" PAGE("a@b.test", A) "," PAGE("a@b.test", B) "]"),
		    "ok", 2 },
		{ PAGES("[" PAGE("a@b.test", A) "," PAGE("a@b.test", A) "]"),
		    "ok", 1 },
		{ PAGES("[" PAGE("a@b.test", A) "," PAGE("c@b.test", A) "]"),
		    "malformed", 1 },
		{ PAGES("[]"), "malformed", 0 },
		{ PAGES("{}"), "malformed", 0 },
		{ PAGES("null"), "malformed", 0 },
		{ PAGES("[1]"), "malformed", 0 },
		{ PAGES("[{\"recipient\":\"a@b.test\"}]"), "malformed", 0 },
		{ PAGES("[" PAGE("a", A) "]"), "malformed", 0 },
		{ PAGES("[" PAGE("a@b.test", "secret") "]"), "malformed", 0 },
		{ PAGES("[{\"recipient\":\"a@b.test\",\"key\":\"" A
			"\",\"more\":1}]"),
		    "malformed", 0 },
	};
	struct share *share;
	const char *answer;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		answer = parse(rows[i].text, &share);
		CHECK_FOR(strcmp(answer, rows[i].answer) == 0 &&
			share->page_count == rows[i].count,
		    "row %zu: %s %zu", i, answer, share->page_count);
		share_free(share);
	}
	/* They do not make another share of it. */
	parse(rows[0].text, &share);
	CHECK_STRING(share->pages[0].recipient, "bob@bar.test");
	share_free(share);
}

TEST(what_is_no_share_is_refused)
{
	static const struct {
		const char *text, *answer;
	} rows[] = {
		{ "{}", "malformed" },
		{ "{\"message\":\"1\",\"recipients\":[\"a@b.test\"],"
		  "\"resources\":[\"" A "\"],\"expires\":1000000}",
		    "malformed" },
		{ "{\"message\":\"1\",\"recipients\":[\"a@b.test\"],"
		  "\"resources\":[\"" A "\"],\"expires\":3000000}",
		    "malformed" },
		{ "{\"message\":\"1\",\"recipients\":[],"
		  "\"resources\":[\"" A "\"],\"expires\":1000001}",
		    "malformed" },
		{ "{\"message\":\"1\",\"recipients\":[\"a\"],"
		  "\"resources\":[\"" A "\"],\"expires\":1000001}",
		    "malformed" },
		{ "{\"message\":\"1\",\"recipients\":[\"a@b.test\"],"
		  "\"resources\":[\"abc\"],\"expires\":1000001}",
		    "malformed" },
		{ "{\"message\":\"1\",\"recipients\":[\"a@b.test\"],"
		  "\"resources\":[1],\"expires\":1000001}",
		    "malformed" },
		{ "{\"message\":\"1\",\"recipients\":[\"a@b.test\"],"
		  "\"resources\":[\"" A "\"],\"expires\":1000001,"
		  "\"category\":\"No\"}",
		    "malformed" },
		{ "{\"message\":\"1\",\"recipients\":[\"a@b.test\"],"
		  "\"resources\":[\"" A "\"],\"expires\":1000001,"
		  "\"more\":1}",
		    "malformed" },
	};
	struct share *share;
	const char *answer;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		answer = parse(rows[i].text, &share);
		CHECK_FOR(strcmp(answer, rows[i].answer) == 0, "row %zu: %s", i,
		    answer);
		share_free(share);
	}
}

int
main(void)
{
	RUN(a_share_in_any_order_is_the_same);
	RUN(pages_of_a_share);
	RUN(what_is_no_share_is_refused);
	return test_done();
}
