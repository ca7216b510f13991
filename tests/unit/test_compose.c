/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "compose.h"
#include "test.h"

static char bob[] = "bob@bar.test", carol[] = "carol@bar.test";
static char evil[] = "x@bar.test\r\nBcc: y@evil.test";
static char *good_recipients[] = { bob, carol };
static char *evil_recipients[] = { evil };

static struct compose
example(void)
{
	struct compose compose = {
		.address = "alice@foo.test",
		.name = "",
		.recipients = good_recipients,
		.recipient_count = 2,
		.subject = "Your scan",
		.message_id = "abc@foo.test",
		.now = 1796393101,
	};

	return compose;
}

TEST(fields_are_written)
{
	struct compose compose = example();
	char *header = compose_header(&compose);

	CHECK_STRING(header,
	    "From: alice@foo.test\r\n"
	    "To: bob@bar.test,\r\n carol@bar.test\r\n"
	    "Subject: Your scan\r\n"
	    "Date: Fri, 4 Dec 2026 14:05:01 +0000\r\n"
	    "Message-ID: <abc@foo.test>\r\n");
	free(header);
}

TEST(text_beyond_ascii_is_encoded)
{
	struct compose compose = example();
	char *header;

	compose.name = "Alice \"A\"";
	compose.subject = "Grüße und ein sehr langer Betreff, der nicht in "
			  "ein Wort passt";
	header = compose_header(&compose);
	CHECK(strstr(header,
		  "From: \"Alice \\\"A\\\"\" <alice@foo.test>\r\n") != NULL);
	CHECK(strstr(header,
		  "Subject: =?utf-8?B?R3LDvMOfZSB1bmQgZWluIHNlaHIg"
		  "bGFuZ2VyIEJldHJlZmYsIGRlciBuaWNo?=\r\n =?utf-8?B?") != NULL);
	free(header);
	compose.subject = "=?utf-8?B?eA==?=";
	header = compose_header(&compose);
	CHECK(strstr(header, "Subject: =?utf-8?B?PT91dGYtOD9CP2VBPT0/PQ==?=") !=
	    NULL);
	free(header);
}

TEST(no_argument_becomes_a_second_field)
{
	struct compose compose = example();

	compose.subject = "x\r\nBcc: y@evil.test";
	CHECK(compose_header(&compose) == NULL);
	compose = example();
	compose.name = "x\n";
	CHECK(compose_header(&compose) == NULL);
	compose = example();
	compose.recipients = evil_recipients;
	compose.recipient_count = 1;
	CHECK(compose_header(&compose) == NULL);
	compose = example();
	compose.subject = "\xff";
	CHECK(compose_header(&compose) == NULL);
}

int
main(void)
{
	RUN(fields_are_written);
	RUN(text_beyond_ascii_is_encoded);
	RUN(no_argument_becomes_a_second_field);
	return test_done();
}
