/* SPDX-License-Identifier: ISC
 *
 * When a placeholder's From is believed, and each reason why it is not.
 */
#include "auth_results.h"
#include "sender_proof.h"
#include "test.h"

#include <stdlib.h>

#define AR "Authentication-Results: mx.bar.test;\r\n"
#define PASS \
	AR "\tdkim=pass (2048-bit key; unprotected) header.d=foo.test " \
	   "header.i=@foo.test header.b=\"AbCd/+12\"\r\n"
#define SIGNATURE(tags) \
	"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/simple; d=foo.test;\r\n" \
	"\ts=sel; " tags " bh=xyz=;\r\n\tb=AbCd/+12345\r\n\t 6789==\r\n"
#define H "h=From:To:Message-ID:MIME-Version:Content-Type:From;"
#define REST \
	"From: Alice <alice@Foo.test>\r\nMessage-ID: <1@foo.test>\r\n" \
	"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=4\r\n"
#define END "\r\nbody\r\n"

static const struct {
	const char *what;
	const char *message;
	const char *word; /* "" if it is proven */
} cases[] = {
	{ "good", PASS SIGNATURE(H) REST END, "" },
	{ "subdomain in From, signed by its parent",
	    PASS SIGNATURE(H) "From: a@mail.foo.test\r\nMessage-ID: <1@foo."
			      "test>\r\nMIME-Version: 1.0\r\nContent-Type: "
			      "text/plain\r\n" END,
	    "" },
	{ "no header.b, one signature",
	    AR " dkim=pass header.d=foo.test\r\n" SIGNATURE(H) REST END, "" },
	{ "a failing result before the good one",
	    AR " dkim=fail header.d=foo.test; spf=pass; dkim=pass "
	       "header.d=foo.test header.b=AbCd\r\n" SIGNATURE(H) REST END,
	    "" },
	{ "another server's results on top",
	    "Authentication-Results: other.test; dkim=fail\r\n" PASS SIGNATURE(
		H) REST END,
	    "" },
	{ "no results", SIGNATURE(H) REST END, "result" },
	{ "not our authserv-id",
	    "Authentication-Results: evil.test; dkim=pass header.d=foo.test"
	    "\r\n" SIGNATURE(H) REST END,
	    "result" },
	{ "forged results below ours",
	    AR " dkim=none\r\n" PASS SIGNATURE(H) REST END, "result" },
	{ "fail", AR " dkim=fail header.d=foo.test\r\n" SIGNATURE(H) REST END,
	    "result" },
	{ "pass in a comment",
	    AR " dkim=fail (dkim=pass; header.d=foo.test)\r\n" SIGNATURE(H)
		REST END,
	    "result" },
	{ "open comment",
	    AR " (dkim=pass header.d=foo.test\r\n" SIGNATURE(H) REST END,
	    "result" },
	{ "another domain",
	    AR " dkim=pass header.d=evil.test header.b=AbCd\r\n" SIGNATURE(H)
		REST END,
	    "alignment" },
	{ "a domain that only ends alike",
	    AR " dkim=pass header.d=oo.test\r\n" SIGNATURE(H) REST END,
	    "alignment" },
	{ "a child of the From domain",
	    AR " dkim=pass header.d=mail.foo.test\r\n" SIGNATURE(H) REST END,
	    "alignment" },
	{ "a top-level domain",
	    AR " dkim=pass header.d=test\r\n" SIGNATURE(H) REST END,
	    "alignment" },
	{ "no signature", PASS REST END, "signature" },
	{ "another b",
	    AR " dkim=pass header.d=foo.test header.b=zzzz\r\n" SIGNATURE(H)
		REST END,
	    "signature" },
	{ "two that could be meant",
	    AR " dkim=pass header.d=foo.test\r\n" SIGNATURE(H) SIGNATURE(H)
		REST END,
	    "signature" },
	{ "l=", PASS SIGNATURE(H " l=5;") REST END, "length" },
	{ "l= in capitals is another tag", PASS SIGNATURE(H " L=5;") REST END,
	    "" },
	{ "Content-Type not covered",
	    PASS SIGNATURE("h=From:Message-ID:MIME-Version;") REST END,
	    "coverage" },
	{ "h= twice", PASS SIGNATURE(H "h=To;") REST END, "coverage" },
	{ "two From", PASS SIGNATURE(H) REST "From: eve@evil.test\r\n" END,
	    "from" },
	{ "two addresses in From",
	    PASS SIGNATURE(H) "From: a@foo.test, b@foo.test\r\nMessage-ID: "
			      "<1@foo.test>\r\n" END,
	    "from" },
	{ "no From", PASS SIGNATURE(H) "Message-ID: <1@foo.test>\r\n" END,
	    "from" },
	{ "two Content-Type",
	    PASS SIGNATURE(H) REST "Content-Type: text/html\r\n" END,
	    "duplicate" },
	{ "no Message-ID",
	    PASS SIGNATURE(
		H) "From: alice@foo.test\r\n"
		   "MIME-Version: 1.0\r\nContent-Type: text/plain\r\n" END,
	    "duplicate" },
	{ "space before the colon",
	    PASS SIGNATURE(H) REST "From : eve@evil.test\r\n" END, "header" },
};

TEST(each_doubt_has_its_word)
{
	char *ids[] = { (char *)(uintptr_t) "mx.bar.test" };
	struct config_list list = { ids, 1 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reason why = { OUTCOME_OK, "", "" };
		char sender[MAIL_ADDRESS_SIZE];
		enum outcome outcome = sender_proof_check(cases[i].message,
		    strlen(cases[i].message), &list, sender, &why);

		if (outcome == OUTCOME_OK)
			why.word[0] = '\0'; /* of an attempt before */
		CHECK_FOR(strcmp(why.word, cases[i].word) == 0, "%s: \"%s\" %s",
		    cases[i].what, why.word, why.text);
		CHECK_FOR((outcome == OUTCOME_OK) == (cases[i].word[0] == '\0'),
		    "%s", cases[i].what);
		if (i == 0)
			CHECK_STRING(sender, "alice@foo.test");
	}
}

TEST(tags_are_read)
{
	char *value = auth_results_tag("v=1; h=From : To ;b = a b c", "h");

	CHECK_STRING(value, "From:To");
	free(value);
	value = auth_results_tag("v=1; b = a b c", "b");
	CHECK_STRING(value, "abc");
	free(value);
	CHECK(auth_results_tag("v=1; bh=x", "b") == NULL);
}

int
main(void)
{
	RUN(each_doubt_has_its_word);
	RUN(tags_are_read);
	return test_done();
}
