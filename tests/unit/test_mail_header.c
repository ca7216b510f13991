/* SPDX-License-Identifier: ISC
 *
 * Header fields and their parameters.
 */
#include "mail_header.h"
#include "mail_parameters.h"
#include "test.h"

#include <stdlib.h>

TEST(fields_are_found_and_unfolded)
{
	static const char text[] =
	    "From: a@b.test\r\nSubject: one\r\n two\r\n"
	    "\tthree \r\nX-Empty:\r\nsubject: again\r\n\r\nbody: no\r\n";
	struct mail_field field;
	size_t len = sizeof(text) - 1, at = 0, count = 0;
	bool broken;
	char *value;

	CHECK(mail_header_length(text, len, &broken) ==
	    (size_t)(strstr(text, "body:") - text));
	CHECK(!broken);
	while (mail_header_next(text, len, &at, &field))
		count++;
	CHECK(count == 4);
	CHECK(mail_header_find(text, len, "SUBJECT", &field) == 2);
	value = mail_header_unfold(&field);
	CHECK_STRING(value, "one two three");
	free(value);
	value = mail_header_get(text, len, "X-Empty");
	CHECK_STRING(value, "");
	free(value);
	CHECK(mail_header_get(text, len, "body") == NULL);
}

TEST(odd_headers_end_where_they_break)
{
	static const struct {
		const char *text;
		size_t len;
		bool broken;
	} table[] = { { "", 0, false }, { "\n", 1, false },
		{ "A: b\n", 5, false }, { "A: b", 4, false },
		{ "A: b\n\nC", 6, false }, { "rubbish\n", 0, true },
		{ " A: b\n", 0, true }, { "A : b\n", 0, true },
		{ "A: b\nx\n", 5, true }, { ": b\n", 0, true } };

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		bool broken;
		size_t len = mail_header_length(table[i].text,
		    strlen(table[i].text), &broken);

		CHECK_FOR(len == table[i].len && broken == table[i].broken,
		    "%zu: %zu", i, len);
	}
}

TEST(one_mailbox_and_no_more)
{
	static const struct {
		const char *text, *normal; /* NULL: refused */
	} table[] = {
		{ "alice@foo.test", "alice@foo.test" },
		{ "Alice <Alice@foo.test>", "alice@foo.test" },
		{ "\"Liddell, Alice\" <alice@foo.test>", "alice@foo.test" },
		{ "alice@foo.test (a, b)", "alice@foo.test" },
		{ "(x) Alice (y <z>) <alice@foo.test> (w)", "alice@foo.test" },
		{ "\"eve@evil.test\" <alice@foo.test>", "alice@foo.test" },
		{ "a@foo.test, b@foo.test", NULL },
		{ "a@foo.test <b@foo.test> <c@foo.test>", NULL },
		{ "friends: a@foo.test;", NULL },
		{ "Alice", NULL },
		{ "<a@foo.test", NULL },
		{ "\"a <b@foo.test>", NULL },
		{ "(a <b@foo.test>", NULL },
		{ "", NULL },
		{ "a b@foo.test", NULL },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char normal[MAIL_ADDRESS_SIZE];
		int result = mail_header_mailbox(table[i].text, normal);

		CHECK_FOR((result == 0) == (table[i].normal != NULL), "%s",
		    table[i].text);
		if (result == 0 && table[i].normal != NULL)
			CHECK_STRING(normal, table[i].normal);
	}
}

TEST(message_ids)
{
	static const struct {
		const char *header, *id;
	} table[] = {
		{ "Message-ID: <1@foo.test>\n", "1@foo.test" },
		{ "Message-Id:\n <1@foo.test> \n", "1@foo.test" },
		{ "Message-ID: <1@foo.test>\nMessage-ID: <2@foo.test>\n",
		    NULL },
		{ "Message-ID: 1@foo.test\n", NULL },
		{ "Message-ID: <1@foo.test> <2@foo.test>\n", NULL },
		{ "Message-ID: <a b@foo.test>\n", NULL },
		{ "Message-ID: <\xc3\xa4@foo.test>\n", "\xc3\xa4@foo.test" },
		{ "Message-ID: <\xe4@foo.test>\n", NULL },
		{ "Subject: x\n", NULL },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char *id = mail_header_message_id(table[i].header,
		    strlen(table[i].header));

		CHECK_FOR((id != NULL) == (table[i].id != NULL), "%s",
		    table[i].header);
		if (id != NULL && table[i].id != NULL)
			CHECK_STRING(id, table[i].id);
		free(id);
	}
}

static const struct {
	const char *text;
	const char *value; /* NULL: refused */
	const char *name, *parameter;
} parameters[] = {
	{ "Text/Plain", "text/plain", NULL, NULL },
	{ "a/b; Name=x", "a/b", "name", "x" },
	{ "a/b ; name = x ; ", "a/b", "name", "x" },
	{ "a/b; name=\"x; \\\"y\\\"\"", "a/b", "name", "x; \"y\"" },
	{ "a/b (c) ; (d) name=x (e)", "a/b", "name", "x" },
	{ "a/b; name*=utf-8''b%C3%BC%20x", "a/b", "name", "b\xc3\xbc x" },
	{ "a/b; name*=iso-8859-1'de'b%FC", "a/b", "name", "b\xc3\xbc" },
	{ "a/b; name*=utf-8''%FFx", "a/b", "name", "\xef\xbf\xbdx" },
	{ "a/b; name=old; name*=utf-8''new", "a/b", "name", "new" },
	{ "a/b; name*=utf-8''new; name=old", "a/b", "name", "new" },
	{ "a/b; name*1=two; name*0=one", "a/b", "name", "onetwo" },
	{ "a/b; name*0*=utf-8''%C3; name*1*=%BC; name*2=%41", "a/b", "name",
	    "\xc3\xbc%41" },
	{ "a/b; name*0=one; name*2=three", "a/b", "name", "one" },
	{ "a/b; name=%41", "a/b", "name", "%41" },
	{ "a/b; name=\"\"", "a/b", "name", "" },
	{ "a/b; name=x; name=y", NULL, NULL, NULL },
	{ "a/b; name*0=x; name*0=y", NULL, NULL, NULL },
	{ "a/b; name=\"x", NULL, NULL, NULL },
	{ "a/b; name", NULL, NULL, NULL },
	{ "a/b; =x", NULL, NULL, NULL },
	{ "a/b; name=x y", NULL, NULL, NULL },
	{ "a/b; name*999=x", NULL, NULL, NULL },
	{ "a/b name=x", NULL, NULL, NULL },
};

TEST(parameters_are_read)
{
	for (size_t i = 0; i < sizeof(parameters) / sizeof(parameters[0]);
	     i++) {
		struct mail_parameters list;
		int result = mail_parameters_parse(parameters[i].text, &list);

		CHECK_FOR((result == 0) == (parameters[i].value != NULL), "%s",
		    parameters[i].text);
		if (result < 0)
			continue;
		CHECK_STRING(list.value, parameters[i].value);
		if (parameters[i].name != NULL)
			CHECK_STRING(mail_parameters_get(&list,
					 parameters[i].name),
			    parameters[i].parameter);
		mail_parameters_free(&list);
	}
}

TEST(too_many_parameters_are_refused)
{
	char text[4096] = "a/b";
	struct mail_parameters list;

	for (int i = 0; i <= MAIL_PARAMETERS_MAX; i++) {
		sprintf(text + strlen(text), "; p%d=x", i);
		CHECK((mail_parameters_parse(text, &list) == 0) ==
		    (i < MAIL_PARAMETERS_MAX));
		mail_parameters_free(&list);
	}
}

TEST(text_is_cleaned)
{
	char *text = mail_text_clean("a\033[1m\n\xc2\x9b\x80z", 10, 100);

	CHECK_STRING(text, "a[1m\xef\xbf\xbdz");
	free(text);
	text = mail_text_clean("\xc3\xbc\xc3\xbc", 4, 3);
	CHECK_STRING(text, "\xc3\xbc");
	free(text);
}

int
main(void)
{
	RUN(fields_are_found_and_unfolded);
	RUN(odd_headers_end_where_they_break);
	RUN(one_mailbox_and_no_more);
	RUN(message_ids);
	RUN(parameters_are_read);
	RUN(too_many_parameters_are_refused);
	RUN(text_is_cleaned);
	return test_done();
}
