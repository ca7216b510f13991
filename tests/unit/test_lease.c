/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "lease.h"
#include "test.h"

#define HASH "2f77668a9dfbf8d5848b9eeb4a7145ca94c6ed9236e4a773f6dcafa5132b2f91"
#define HEAD \
	"{\"lease\":\"00ff-1a\",\"agent\":\"_rra.insurance.test\"," \
	"\"origin\":\"https://mailbox.hospital.test\"," \
	"\"share\":\"6vFabcdefghijklmnopqrQ\",\"token\":\"a.b.c\","
#define RESOURCE(size, have, mode) \
	"{\"hash\":\"" HASH "\",\"size\":" #size ",\"have\":" #have \
	",\"mode\":\"" mode "\"}"
#define GOOD \
	HEAD "\"until\":1800000000,\"resources\":[" RESOURCE(4096000000, 4000, \
	    "get") "," RESOURCE(7, 0, "head") "]}"

static const struct {
	const char *name, *body;
} bad[] = {
	{ "nothing", "" },
	{ "no object", "[]" },
	{ "no until", HEAD "\"resources\":[]}" },
	{ "superfluous member", HEAD "\"x\":1,\"until\":1,\"resources\":[]}" },
	{ "have beyond size",
	    HEAD "\"until\":1,\"resources\":[" RESOURCE(5, 6, "get") "]}" },
	{ "negative size",
	    HEAD "\"until\":1,\"resources\":[" RESOURCE(-1, 0, "get") "]}" },
	{ "unknown mode",
	    HEAD "\"until\":1,\"resources\":[" RESOURCE(5, 0, "put") "]}" },
	{ "hash in upper case",
	    HEAD "\"until\":1,\"resources\":[{\"hash\":\"ABCD\",\"size\":1,"
		 "\"have\":0,\"mode\":\"get\"}]}" },
	{ "path in the lease",
	    "{\"lease\":\"../x-1\",\"agent\":\"a\",\"origin\":\"o\","
	    "\"share\":\"s\",\"token\":\"t\",\"until\":1,\"resources\":[]}" },
	{ "lease without number",
	    "{\"lease\":\"00ff\",\"agent\":\"a\",\"origin\":\"o\","
	    "\"share\":\"s\",\"token\":\"t\",\"until\":1,\"resources\":[]}" },
	{ "number for a string",
	    "{\"lease\":\"00ff-1\",\"agent\":1,\"origin\":\"o\","
	    "\"share\":\"s\",\"token\":\"t\",\"until\":1,\"resources\":[]}" },
};

TEST(a_lease_is_read)
{
	struct lease *lease = NULL;
	struct reason why;

	CHECK(lease_parse(GOOD, strlen(GOOD), &lease, &why) == OUTCOME_OK);
	if (lease == NULL)
		return;
	CHECK_STRING(lease->id, "00ff-1a");
	CHECK_STRING(lease->message, "00ff");
	CHECK_STRING(lease->agent, "_rra.insurance.test");
	CHECK_STRING(lease->token, "a.b.c");
	CHECK(lease->until == 1800000000);
	CHECK(lease->count == 2);
	CHECK(lease->resources[0].size == 4096000000LL);
	CHECK(lease->resources[0].have == 4000);
	CHECK(lease->resources[0].mode == LEASE_GET);
	CHECK(lease->resources[1].mode == LEASE_HEAD);
	CHECK_STRING(lease->resources[1].hash, HASH);
	lease_free(&lease);
	CHECK(lease == NULL);
}

TEST(anything_else_is_refused)
{
	struct lease *lease;
	struct reason why;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		CHECK_FOR(lease_parse(bad[i].body, strlen(bad[i].body), &lease,
			      &why) == OUTCOME_PERMFAIL,
		    "%s", bad[i].name);
		CHECK_FOR(lease == NULL, "%s", bad[i].name);
		CHECK(reason_is(&why, "lease"));
	}
}

TEST(facts_are_json_whatever_the_peer_said)
{
	struct lease_facts facts = { .status = 404,
		.problem = "not-shared",
		.authenticated = true,
		.hash = HASH };
	char *text;

	lease_facts_set_detail(&facts, "no\r\n\xff \"way\"");
	text = lease_facts_format(&facts);
	CHECK_STRING(text,
	    "{\"status\":404,\"problem\":\"not-shared\","
	    "\"authenticated\":true,\"hash\":\"" HASH "\","
	    "\"detail\":\"no??? \\\"way\\\"\"}");
	free(text);
}

int
main(void)
{
	RUN(a_lease_is_read);
	RUN(anything_else_is_refused);
	RUN(facts_are_json_whatever_the_peer_said);
	return test_done();
}
