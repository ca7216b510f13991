/* SPDX-License-Identifier: ISC
 *
 * Targets and fields of requests to a Resource Mailbox.
 */
#include "cargo_api.h"

#include <stdlib.h>

#include "test.h"

TEST(a_name_is_percent_encoded)
{
	char *path = cargo_api_resource_path("ab", "a b/\xc3\xa4");

	CHECK_STRING(path, "/v1/resources/ab?name=a%20b%2F%C3%A4");
	free(path);
	path = cargo_api_resource_path("ab", NULL);
	CHECK_STRING(path, "/v1/resources/ab");
	free(path);
}

TEST(queue_ids_are_letters_and_digits)
{
	CHECK(cargo_api_is_queue_id("4F2A9C1D"));
	CHECK(cargo_api_is_queue_id("3YrQzK0lBzzz1"));
	CHECK(cargo_api_is_queue_id("12345678901234567890123456789012"));
	CHECK(!cargo_api_is_queue_id("123456789012345678901234567890123"));
	CHECK(!cargo_api_is_queue_id(""));
	CHECK(!cargo_api_is_queue_id("-"));
	CHECK(!cargo_api_is_queue_id("4F2A message=x"));
	CHECK(!cargo_api_is_queue_id("4F2A\n"));
	CHECK(!cargo_api_is_queue_id(NULL));
}

int
main(void)
{
	RUN(a_name_is_percent_encoded);
	RUN(queue_ids_are_letters_and_digits);
	return test_done();
}
