/* SPDX-License-Identifier: ISC
 *
 * Which submitted messages may be converted, and which go round.
 */
#include <stdlib.h>

#include "submission.h"
#include "test.h"

#define RECEIVED(how) \
	"Received: from laptop (laptop.foo.test [192.0.2.7])\r\n" \
	"\t(using TLSv1.3 with cipher X)\r\n" \
	"\tby mx.foo.test (Postfix) with " how "\r\n" \
	"\tfor <bob@bar.test>; Sun, 29 Nov 2026 01:00:00 +0000\r\n"
#define OURS RECEIVED("ESMTPSA id 4XyZ")
#define ID "Message-ID: <1@foo.test>\r\n"
#define FROM "From: Alice <Alice@Foo.test>\r\n"
#define PASSED \
	"Received: by mx.foo.test (Cargomail outbound) with LMTP id 1;\r\n" \
	"\tSun, 29 Nov 2026 00:00:00 +0000\r\n"

static enum outcome
check(const char *header, const char *sender, struct submission *submission_r,
    struct reason *why)
{
	struct envelope envelope = { .forward_count = 0 };

	snprintf(envelope.sender, sizeof(envelope.sender), "%s", sender);
	envelope_set_forward(&envelope, "IDENT", "4XyZ");
	return submission_check(header, strlen(header), &envelope, submission_r,
	    why);
}

TEST(what_may_be_converted)
{
	static const struct {
		const char *header, *sender, *word; /* "": it may */
	} table[] = {
		{ OURS FROM ID, "alice@foo.test", "" },
		{ RECEIVED("ESMTPA id 4XyZ") FROM ID, "alice@foo.test", "" },
		{ RECEIVED("UTF8SMTPSA id 4XyZ") FROM ID, "alice@foo.test",
		    "" },
		{ "Received: from x\r\n\tby mx.foo.test (Postfix) with ESMTPSA "
		  "id 4XyZ; Sun, 29 Nov 2026 01:00:00 +0000\r\n" FROM ID,
		    "alice@foo.test", "" },
		{ OURS FROM ID "Precedence: first-class\r\n", "alice@foo.test",
		    "" },
		{ OURS FROM ID "Auto-Submitted: no\r\n", "alice@foo.test", "" },
		{ OURS FROM ID, "", "bounce" },
		/* Who gave it to our Postfix? */
		{ RECEIVED("ESMTPS id 4XyZ") FROM ID, "alice@foo.test",
		    "unauthenticated" },
		{ RECEIVED("ESMTPSA id 4XyZZ") FROM ID, "alice@foo.test",
		    "unauthenticated" },
		{ RECEIVED("ESMTPSAX id 4XyZ") FROM ID, "alice@foo.test",
		    "unauthenticated" },
		{ FROM OURS ID, "alice@foo.test", "unauthenticated" },
		{ RECEIVED("ESMTP id 4XyZ") OURS FROM ID, "alice@foo.test",
		    "unauthenticated" },
		{ "Received: by mx.foo.test (Postfix) with ESMTPSA id 4XyZ\r\n"
		  "\tby mx.foo.test (Postfix) with ESMTP id 4XyZ; x\r\n" FROM
			ID,
		    "alice@foo.test", "unauthenticated" },
		{ "Received: from by mx (P) with ESMTPSA id 4XyZ (x [1])\r\n"
		  "\tby mx.foo.test (Postfix) with ESMTP id 4XyZ; x\r\n" FROM
			ID,
		    "alice@foo.test", "unauthenticated" },
		{ FROM ID, "alice@foo.test", "unauthenticated" },
		/* As whom? */
		{ OURS FROM ID, "carol@foo.test", "from" },
		{ OURS FROM FROM ID, "alice@foo.test", "from" },
		{ OURS "From: alice@foo.test, carol@foo.test\r\n" ID,
		    "alice@foo.test", "from" },
		{ OURS ID, "alice@foo.test", "from" },
		/* What is not a person's own mail. */
		{ OURS "Resent-From: alice@foo.test\r\n" FROM ID,
		    "alice@foo.test", "resent" },
		{ OURS FROM ID "List-Id: <x.foo.test>\r\n", "alice@foo.test",
		    "list" },
		{ OURS FROM ID "precedence: Bulk\r\n", "alice@foo.test",
		    "list" },
		{ OURS FROM ID "Auto-Submitted: auto-replied; x\r\n",
		    "alice@foo.test", "automatic" },
		{ OURS FROM ID "Content-Type: Multipart/Report; x=y\r\n",
		    "alice@foo.test", "automatic" },
		{ OURS FROM, "alice@foo.test", "message-id" },
		{ OURS FROM ID ID, "alice@foo.test", "message-id" },
		{ OURS FROM ID "X-Correspondence-Category: Not OK\r\n",
		    "alice@foo.test", "category" },
		{ OURS FROM ID "X-Correspondence-Category: a\r\n"
			       "X-Correspondence-Category: a\r\n",
		    "alice@foo.test", "category" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct submission submission;
		struct reason why = { OUTCOME_OK, "", "" };
		enum outcome outcome =
		    check(table[i].header, table[i].sender, &submission, &why);

		CHECK_FOR(strcmp(why.word, table[i].word) == 0, "row %zu: %s",
		    i, why.word);
		CHECK_FOR(outcome ==
			(table[i].word[0] != '\0' ? OUTCOME_PERMFAIL :
						    OUTCOME_OK),
		    "row %zu", i);
		submission_free(&submission);
	}
}

TEST(what_is_read)
{
	struct submission submission;
	struct reason why = { OUTCOME_OK, "", "" };

	CHECK(check(OURS FROM ID "X-Correspondence-Category: healthcare\r\n"
				 "X-Origin-Resource-Mailbox-URL: x\r\n",
		  "alice@foo.test", &submission, &why) == OUTCOME_OK);
	CHECK_STRING(submission.sender, "alice@foo.test");
	CHECK_STRING(submission.message_id, "1@foo.test");
	CHECK_STRING(submission.category, "healthcare");
	CHECK(submission.placeholder);
	submission_free(&submission);
	CHECK(check(OURS FROM ID, "alice@foo.test", &submission, &why) ==
	    OUTCOME_OK);
	CHECK_STRING(submission.category, "");
	CHECK(!submission.placeholder);
	submission_free(&submission);
}

TEST(a_second_pass_is_a_loop)
{
	static const struct {
		const char *header;
		int passes;
		bool is_loop;
	} table[] = {
		{ OURS FROM, 0, false },
		{ OURS FROM, 1, true },
		/* Sent on by a user who got it. */
		{ OURS "Resent-From: alice@foo.test\r\n", 1, false },
		{ OURS "Resent-From: alice@foo.test\r\n", 5, false },
		{ OURS "Resent-From: alice@foo.test\r\n", 6, true },
		/* Or by a list that kept what it came with. */
		{ OURS "List-Id: <x.foo.test>\r\n", 1, false },
		{ OURS "List-Id: <x.foo.test>\r\n", 6, true },
		/* The inbound pass is another. */
		{ OURS "Received: by mx.foo.test (Cargomail) with LMTP id 1; "
		       "x\r\n",
		    0, false },
	};
	char header[8192];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		snprintf(header, sizeof(header), "%s", table[i].header);
		for (int j = 0; j < table[i].passes; j++)
			strcat(header, PASSED);
		CHECK_FOR(submission_is_loop(header, strlen(header),
			      "mx.foo.test") == table[i].is_loop,
		    "row %zu", i);
		CHECK_FOR(!submission_is_loop(header, strlen(header),
			      "mx.bar.test") ||
			table[i].passes > 50,
		    "row %zu, of another", i);
	}
}

TEST(our_trace_is_known_again)
{
	char *trace = submission_trace("mx.foo.test", "4XyZ", 1795914000);

	CHECK(strstr(trace, "id 4XyZ;\r\n\tSun, 29 Nov 2026 01:00:00") != NULL);
	CHECK(submission_is_loop(trace, strlen(trace), "mx.foo.test"));
	free(trace);
}

int
main(void)
{
	RUN(what_may_be_converted);
	RUN(what_is_read);
	RUN(a_second_pass_is_a_loop);
	RUN(our_trace_is_known_again);
	return test_done();
}
