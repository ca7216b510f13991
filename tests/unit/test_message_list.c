/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "json_strict.h"
#include "message_list.h"
#include "test.h"

#define HASH "2f77668a9dfbf8d5848b9eeb4a7145ca94c6ed9236e4a773f6dcafa5132b2f91"
#define RESOURCE(state) \
	"{\"hash\":\"" HASH "\",\"size\":7," \
	"\"type\":\"video/mp4\",\"name\":\"scan.mp4\",\"state\":\"" state \
	"\"}"
#define MESSAGE(resources) \
	"{\"messages\":[{\"id\":\"00ff\"," \
	"\"direction\":\"in\",\"time\":1800000000," \
	"\"sender\":\"alice@foo.test\",\"resources\":[" resources "]}]"

static enum outcome
parse(const char *text, struct message_list *list, char **next_r)
{
	cJSON *page = json_parse(text, strlen(text), NULL);
	struct reason why;
	enum outcome outcome;

	memset(list, 0, sizeof(*list));
	CHECK_FOR(page != NULL, "%s", text);
	outcome = message_list_parse(page, list, next_r, &why);
	cJSON_Delete(page);
	return outcome;
}

TEST(a_page_is_read)
{
	struct message_list list;
	char *next;

	CHECK(parse(MESSAGE(RESOURCE("stored") "," RESOURCE(
			"pending")) ",\"next\":\"01\"}",
		  &list, &next) == OUTCOME_OK);
	CHECK(list.count == 1);
	CHECK_STRING(list.items[0].id, "00ff");
	CHECK_STRING(list.items[0].sender, "alice@foo.test");
	CHECK_STRING(list.items[0].category, "");
	CHECK(!list.items[0].out);
	CHECK(list.items[0].count == 2);
	CHECK_STRING(list.items[0].resources[0].name, "scan.mp4");
	CHECK(list.items[0].resources[0].state == MESSAGE_STORED);
	CHECK(list.items[0].resources[1].state == MESSAGE_PENDING);
	CHECK_STRING(next, "01");
	free(next);
	message_list_free(&list);
}

TEST(only_what_is_under_way_is_waited_for)
{
	struct message_list list;
	char *next;

	CHECK(parse(MESSAGE(RESOURCE("failed") "," RESOURCE(
			"deleted") "," RESOURCE("new")) "}",
		  &list, &next) == OUTCOME_OK);
	CHECK(next == NULL);
	CHECK(list.items[0].resources[0].state == MESSAGE_FAILED);
	CHECK(list.items[0].resources[1].state == MESSAGE_FAILED);
	CHECK(list.items[0].resources[2].state == MESSAGE_FAILED);
	CHECK_STRING(list.items[0].resources[1].status, "deleted");
	message_list_free(&list);
}

TEST(what_is_no_list_is_refused)
{
	static const char *const bad[] = {
		"{}",
		"{\"messages\":7}",
		"{\"messages\":[7]}",
		"{\"messages\":[{\"id\":\"00\"}]}",
		MESSAGE("{\"hash\":\"../x\",\"size\":1}") "}",
		MESSAGE("{\"hash\":\"" HASH "\",\"size\":-1}") "}",
		MESSAGE("") ",\"next\":\"x&y\"}",
	};
	struct message_list list;
	char *next;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK_FOR(parse(bad[i], &list, &next) == OUTCOME_TEMPFAIL, "%s",
		    bad[i]);
		CHECK(next == NULL);
		message_list_free(&list);
	}
}

int
main(void)
{
	RUN(a_page_is_read);
	RUN(only_what_is_under_way_is_waited_for);
	RUN(what_is_no_list_is_refused);
	return test_done();
}
