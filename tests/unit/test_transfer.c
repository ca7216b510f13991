/* SPDX-License-Identifier: ISC
 *
 * Downloads that break: they go on where they stopped, and what comes in
 * the end is right or refused. The mailbox is a script: session_call is
 * ours here.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "encoding.h"
#include "test.h"
#include "transfer.h"

#define CONTENT "0123456789abcdefghij"
#define HASH "6bc14bdc4517a7a682c6910de2e2946eb8e1ecd04090728fef6d092a7ceb62c5"

/* One answer: status, where it begins and how many bytes come before it
 * breaks (or all that it has). */
struct step {
	unsigned status;
	int64_t first, bytes;
	const char *word; /* "" when complete */
};

static const struct step *script;
static unsigned calls;
static char asked[8][40]; /* the Range of each call */

enum outcome
session_call(struct session *session, struct http_call *call, const char *path,
    struct http_header_list *headers, struct http_result *result_r,
    struct reason *why)
{
	const struct step *step = &script[calls];
	const char *range = strstr(headers->text, "bytes=");
	struct buffer fields;
	int failed;

	(void)session;
	CHECK_STRING(path, "/v1/resources/" HASH);
	snprintf(asked[calls++], sizeof(asked[0]), "%.*s",
	    range != NULL ? (int)strcspn(range, "\r") : 0,
	    range != NULL ? range : "");
	if (step->status == 0)
		return reason_set(why, OUTCOME_TEMPFAIL, step->word, "no");
	result_r->status = step->status;
	if (step->status / 100 != 2)
		return OUTCOME_OK;
	buffer_init(&fields, 1000);
	if (step->status == 206)
		buffer_add_format(&fields, "content-range: bytes %lld-19/20\n",
		    (long long)step->first);
	failed = call->head(call->arg, step->status, -1, &fields);
	buffer_free(&fields);
	if (failed == 0 && step->bytes > 0)
		failed = call->sink(call->arg, CONTENT + step->first,
		    (size_t)step->bytes);
	if (failed != 0)
		return reason_set(why, OUTCOME_TEMPFAIL, "stopped", "given up");
	return step->word[0] != '\0' ?
	    reason_set(why, OUTCOME_TEMPFAIL, step->word, "it broke") :
	    OUTCOME_OK;
}

enum outcome
session_refused(const struct http_result *result, struct reason *why)
{
	return result->status == 503 ?
	    reason_set(why, OUTCOME_TEMPFAIL, "unavailable", "503") :
	    reason_set(why, OUTCOME_PERMFAIL, "revoked", "410");
}

const struct client_mailbox *
session_mailbox(const struct session *session)
{
	(void)session;
	return NULL;
}

static const struct {
	const char *what;
	struct step steps[4];
	const char *word; /* "" if it is good */
	unsigned calls;
	const char *last_range;
} cases[] = {
	{ "whole", { { 200, 0, 20, "" } }, "", 1, "" },
	{ "broken once", { { 200, 0, 7, "broken" }, { 206, 7, 13, "" } }, "", 2,
	    "bytes=7-" },
	{ "broken twice",
	    { { 200, 0, 7, "broken" }, { 206, 7, 3, "timeout" },
		{ 206, 10, 10, "" } },
	    "", 3, "bytes=10-" },
	{ "no ranges there", { { 200, 0, 7, "broken" }, { 200, 0, 20, "" } },
	    "", 2, "bytes=7-" },
	{ "a range from before",
	    { { 200, 0, 7, "broken" }, { 206, 5, 15, "" } }, "", 2,
	    "bytes=7-" },
	{ "a range with a gap", { { 200, 0, 7, "broken" }, { 206, 9, 11, "" } },
	    "protocol", 2, "bytes=7-" },
	{ "revoked meanwhile", { { 200, 0, 7, "broken" }, { 410, 0, 0, "" } },
	    "revoked", 2, "bytes=7-" },
	{ "never began", { { 0, 0, 0, "connect" } }, "connect", 1, "" },
	{ "too short", { { 200, 0, 19, "" } }, "wrong-size", 1, "" },
};

TEST(broken_transfers_are_resumed)
{
	char got[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reason why = { 0 };
		int fd = transfer_temporary();
		enum outcome outcome;

		script = cases[i].steps;
		calls = 0;
		outcome = transfer_get(NULL, HASH, 20, "x", fd, &why);
		CHECK_FOR((outcome == OUTCOME_OK) == (cases[i].word[0] == '\0'),
		    "%s: %s", cases[i].what, why.text);
		if (outcome != OUTCOME_OK)
			CHECK_FOR(reason_is(&why, cases[i].word), "%s: %s",
			    cases[i].what, why.word);
		else
			CHECK_FOR(pread(fd, got, sizeof(got), 0) == 20 &&
				memcmp(got, CONTENT, 20) == 0,
			    "%s", cases[i].what);
		CHECK_FOR(calls == cases[i].calls, "%s: %u calls",
		    cases[i].what, calls);
		CHECK_STRING(asked[calls - 1], cases[i].last_range);
		close(fd);
	}
}

int
main(void)
{
	RUN(broken_transfers_are_resumed);
	return test_done();
}
