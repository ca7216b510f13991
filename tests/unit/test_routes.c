/* SPDX-License-Identifier: ISC
 *
 * Which request finds which route, by which door.
 */
#include <stdio.h>

#include "routes.h"
#include "test.h"

#define HASH "2f77668a9dfbf8d5848b9eeb4a7145ca94c6ed9236e4a773f6dcafa5132b2f91"
#define ID "0123456789abcdef0123456789abcdef"
#define SHARE "6vF0cJr9yN2uTzq1W0bYQQ"

static const char *
find(const char *line, enum door door, const struct route **route_r)
{
	static struct reason why;
	struct http_request request;
	const char *detail, *subject;
	char head[1024];
	int len;

	len = snprintf(head, sizeof(head),
	    "%s HTTP/1.1\r\n"
	    "Host: x.test\r\n\r\n",
	    line);
	if (http_parse_request(head, (size_t)len, &request, &detail) !=
	    HTTP_FAULT_NONE)
		return "syntax";
	if (routes_find(&request, door, route_r, &subject, &why) != OUTCOME_OK)
		return why.word;
	return "ok";
}

TEST(requests_find_their_routes)
{
	static const struct {
		const char *line;
		enum door door;
		const char *answer;
	} rows[] = {
		{ "GET /.well-known/cargomail", DOOR_TLS, "ok" },
		{ "GET /.well-known/cargomail", DOOR_BROKER, "ok" },
		{ "GET /.well-known/cargomail", DOOR_PULL, "not-found" },
		{ "PUT /v1/resources/" HASH, DOOR_TLS, "ok" },
		{ "PUT /v1/resources/" HASH "?lease=x", DOOR_PULL, "ok" },
		{ "GET /v1/resources/" HASH, DOOR_TLS, "ok" },
		{ "HEAD /v1/resources/" HASH, DOOR_TLS, "ok" },
		{ "DELETE /v1/resources/" HASH, DOOR_TLS, "ok" },
		{ "POST /v1/resources/" HASH, DOOR_TLS, "method" },
		{ "GET /v1/resources/abc", DOOR_TLS, "malformed" },
		{ "GET /v1/resources/" HASH "/x", DOOR_TLS, "not-found" },
		{ "GET /v1/resources/", DOOR_TLS, "malformed" },
		{ "GET /v1/resources", DOOR_TLS, "ok" },
		{ "PUT /v1/shares/" SHARE, DOOR_TLS, "ok" },
		{ "PUT /v1/shares/" SHARE "x", DOOR_TLS, "malformed" },
		{ "DELETE /v1/shares/" SHARE, DOOR_BROKER, "ok" },
		{ "GET /v1/shares/" SHARE, DOOR_TLS, "method" },
		{ "POST /v1/notifications", DOOR_TLS, "ok" },
		{ "POST /v1/notifications", DOOR_BROKER, "ok" },
		{ "POST /v1/notifications", DOOR_PULL, "not-found" },
		{ "GET /v1/messages/" ID, DOOR_TLS, "ok" },
		{ "GET /v1/messages/" ID "0", DOOR_TLS, "malformed" },
		{ "POST /v1/sessions", DOOR_TLS, "ok" },
		/* Nothing of retrievald's from outside, nothing of an owner's
		 * or an agent's by the local doors. */
		{ "POST /v1/pulls/lease", DOOR_PULL, "ok" },
		{ "POST /v1/pulls/lease", DOOR_TLS, "not-found" },
		{ "POST /v1/pulls/lease", DOOR_BROKER, "not-found" },
		{ "POST /v1/pulls/" ID "-1f/done", DOOR_PULL, "ok" },
		{ "POST /v1/pulls/" ID "-1f/failed", DOOR_PULL, "ok" },
		{ "POST /v1/pulls/" ID "-/done", DOOR_PULL, "malformed" },
		{ "POST /v1/pulls/" ID "-1F/done", DOOR_PULL, "malformed" },
		{ "POST /v1/pulls/" ID "-1f/done", DOOR_TLS, "not-found" },
		{ "GET /v1/resources/" HASH, DOOR_PULL, "method" },
		{ "GET /v1/resources/" HASH, DOOR_BROKER, "ok" },
		{ "HEAD /v1/resources/" HASH, DOOR_BROKER, "ok" },
		{ "GET /v1/messages/" ID "?wait=30", DOOR_BROKER, "ok" },
		{ "GET /v1/resources", DOOR_BROKER, "not-found" },
		{ "DELETE /v1/resources/" HASH, DOOR_BROKER, "method" },
		{ "GET /v1/messages", DOOR_BROKER, "not-found" },
		{ "POST /v1/sessions", DOOR_BROKER, "not-found" },
		{ "GET /", DOOR_TLS, "not-found" },
		/* Pages by their own door, and nothing else by it. */
		{ "GET /s/x", DOOR_WEB, "ok" },
		{ "HEAD /s/x", DOOR_WEB, "ok" },
		{ "POST /s/x", DOOR_WEB, "method" },
		{ "POST /s/x/" HASH, DOOR_WEB, "ok" },
		{ "GET /s/x/" HASH, DOOR_WEB, "method" },
		{ "HEAD /s/x/" HASH, DOOR_WEB, "method" },
		{ "POST /s/x/y", DOOR_WEB, "malformed" },
		{ "POST /s/x/" HASH "/", DOOR_WEB, "not-found" },
		{ "GET /s", DOOR_WEB, "not-found" },
		{ "GET /", DOOR_WEB, "not-found" },
		{ "GET /.well-known/cargomail", DOOR_WEB, "not-found" },
		{ "GET /v1/messages", DOOR_WEB, "not-found" },
		{ "PUT /v1/resources/" HASH, DOOR_WEB, "not-found" },
		{ "POST /v1/sessions", DOOR_WEB, "not-found" },
		{ "GET /s/x", DOOR_TLS, "not-found" },
		{ "POST /s/x/" HASH, DOOR_TLS, "not-found" },
		{ "GET /s/x", DOOR_BROKER, "not-found" },
		{ "GET /s/x", DOOR_PULL, "not-found" },
		{ "GET /v2/messages", DOOR_TLS, "not-found" },
	};
	const struct route *route;
	const char *answer;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		answer = find(rows[i].line, rows[i].door, &route);
		CHECK_FOR(strcmp(answer, rows[i].answer) == 0,
		    "%s by door %d: %s", rows[i].line, rows[i].door, answer);
	}
}

TEST(by_a_local_door_only_its_own_caller_is_heard)
{
	const struct route *list;
	size_t count, i;

	list = routes_list(&count);
	for (i = 0; i < count; i++)
		if (list[i].doors == 1U << DOOR_BROKER)
			CHECK_FOR(list[i].accept == CALLER_ACCEPT_RELEASE,
			    "%zu", i);
		else if (list[i].doors & (1U << DOOR_BROKER))
			CHECK_FOR(list[i].method != HTTP_GET ||
				(list[i].accept & CALLER_ACCEPT_NOBODY),
			    "%zu", i);
}

TEST(two_paths_are_open_to_nobody)
{
	const struct route *list;
	size_t count, i;

	list = routes_list(&count);
	for (i = 0; i < count; i++) {
		if (list[i].accept & CALLER_ACCEPT_NOBODY)
			CHECK_STRING(list[i].path[0],
			    list[i].doors == 1U << DOOR_WEB ? "s" :
							      ".well-known");
		if (list[i].doors & (1U << DOOR_WEB))
			CHECK_FOR(list[i].doors == 1U << DOOR_WEB, "%zu", i);
		CHECK_FOR(list[i].accept != 0 && list[i].serve != NULL, "%zu",
		    i);
	}
}

int
main(void)
{
	RUN(requests_find_their_routes);
	RUN(by_a_local_door_only_its_own_caller_is_heard);
	RUN(two_paths_are_open_to_nobody);
	return test_done();
}
