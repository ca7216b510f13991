/* SPDX-License-Identifier: ISC
 *
 * The table of problem types.
 */
#include <stdlib.h>

#include "cargo_problem.h"
#include "grip_check.h"
#include "json_strict.h"
#include "test.h"

TEST(names_are_unique_and_statuses_are_refusals)
{
	size_t count, i, j;
	const struct cargo_problem *list = cargo_problem_list(&count);

	for (i = 0; i < count; i++) {
		CHECK_FOR(list[i].status >= 400 && list[i].status < 600, "%s",
		    list[i].name);
		/* A server in trouble is never a permanent refusal. */
		CHECK_FOR(list[i].status < 500 || list[i].status == 501 ||
			list[i].status == 505 || !list[i].permanent,
		    "%s", list[i].name);
		for (j = 0; j < i; j++)
			CHECK(strcmp(list[i].name, list[j].name) != 0);
		CHECK(cargo_problem_find(list[i].name) == &list[i]);
	}
	CHECK(cargo_problem_find("no-such") == NULL);
}

TEST(every_check_of_grip_is_there_with_its_permanence)
{
	const struct cargo_problem *problem;
	const char *name;
	size_t i;

	for (i = 0; (name = grip_check_name(i)) != NULL; i++) {
		problem = cargo_problem_find(name);
		CHECK_FOR(problem != NULL, "%s", name);
		if (problem == NULL)
			continue;
		CHECK_FOR(problem->permanent != grip_check_is_temporary(name),
		    "%s", name);
		CHECK_FOR(problem->status == 401 || problem->status == 403,
		    "%s", name);
	}
	CHECK(i == 11);
}

TEST(the_name_is_taken_from_a_type)
{
	static const struct {
		const char *type, *name;
	} rows[] = {
		{ "/problems/quota", "quota" },
		{ "https://mailbox.hospital.test/problems/quota", "quota" },
		{ "/problems/", NULL },
		{ "/problems/a/b", NULL },
		{ "about:blank", NULL },
		{ "http://x/problems/quota", NULL },
		{ "https://x", NULL },
		{ "", NULL },
	};
	const char *name;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		name = cargo_problem_name(rows[i].type);
		CHECK_FOR((name == NULL) == (rows[i].name == NULL) &&
			(name == NULL || strcmp(name, rows[i].name) == 0),
		    "%s", rows[i].type);
	}
}

TEST(what_is_temporary_is_never_told_as_permanent)
{
	struct reason why;

	reason_set(&why, OUTCOME_TEMPFAIL, "form", "x");
	CHECK_STRING(cargo_problem_of(&why)->name, "unavailable");
	reason_set(&why, OUTCOME_PERMFAIL, "form", "x");
	CHECK_STRING(cargo_problem_of(&why)->name, "form");
	reason_set(&why, OUTCOME_TEMPFAIL, "gripd", "x");
	CHECK_STRING(cargo_problem_of(&why)->name, "unavailable");
	reason_set(&why, OUTCOME_PERMFAIL, "what-else", "x");
	CHECK_STRING(cargo_problem_of(&why)->name, "refused");
	reason_set(&why, OUTCOME_TEMPFAIL, "published", "x");
	CHECK_STRING(cargo_problem_of(&why)->name, "published");
}

TEST(a_body_is_good_json)
{
	char *text = cargo_problem_format(cargo_problem_find("quota"),
	    "a \"quote\" and a\nline");
	cJSON *object = json_parse(text, strlen(text), NULL);
	int64_t status = 0;

	CHECK_STRING(json_string(object, "type"), "/problems/quota");
	CHECK(json_integer(object, "status", 0, 999, &status) == 0);
	CHECK(status == 507);
	CHECK_STRING(json_string(object, "detail"), "a \"quote\" and a\nline");
	cJSON_Delete(object);
	free(text);
}

int
main(void)
{
	RUN(names_are_unique_and_statuses_are_refusals);
	RUN(every_check_of_grip_is_there_with_its_permanence);
	RUN(the_name_is_taken_from_a_type);
	RUN(what_is_temporary_is_never_told_as_permanent);
	RUN(a_body_is_good_json);
	return test_done();
}
