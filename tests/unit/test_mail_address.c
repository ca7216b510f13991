/* SPDX-License-Identifier: ISC
 *
 * The normal form of addresses, paths, ORCPT.
 */
#include "mail_address.h"
#include "test.h"

static const struct {
	const char *address, *normal; /* NULL: refused */
} addresses[] = {
	{ "alice@foo.test", "alice@foo.test" },
	{ "Alice+Shop@FOO.Test", "alice+shop@foo.test" },
	{ "\"alice\"@foo.test", "alice@foo.test" },
	{ "\"al\\ice\"@foo.test", "alice@foo.test" },
	{ "\"a b\"@foo.test", "\"a b\"@foo.test" },
	{ "\"a@b\"@foo.test", "\"a@b\"@foo.test" },
	{ "\"a\\\"b\"@foo.test", "\"a\\\"b\"@foo.test" },
	{ "\".a\"@foo.test", "\".a\"@foo.test" },
	{ "J\xc3\xbcrgen@foo.test", "j\xc3\xbcrgen@foo.test" },
	{ "a@b\xc3\xbc\x63her.test", "a@xn--bcher-kva.test" },
	{ "a@m\xc3\xbcnchen-ost.test", "a@xn--mnchen-ost-9db.test" },
	{ "a@\xe4\xbe\x8b\xe3\x81\x88.test", "a@xn--r8jz45g.test" },
	{ "", NULL },
	{ "alice", NULL },
	{ "@foo.test", NULL },
	{ "alice@", NULL },
	{ "a@b@foo.test", NULL },
	{ ".a@foo.test", NULL },
	{ "a..b@foo.test", NULL },
	{ "a b@foo.test", NULL },
	{ "a@foo..test", NULL },
	{ "a@foo.test.", NULL },
	{ "a@[127.0.0.1]", NULL },
	{ "a@foo test", NULL },
	{ "a\n@foo.test", NULL },
	{ "\"a\n\"@foo.test", NULL },
	{ "\"a@foo.test", NULL },
	{ "a\xff@foo.test", NULL },
	{ "a@foo\xc3.test", NULL },
	{ "<a@foo.test>", NULL },
	{ "a123456789a123456789a123456789a123456789a123456789a123456789a1234"
	  "@foo.test",
	    NULL },
	{ "a@a123456789a123456789a123456789a123456789a123456789a123456789a123"
	  "4.test",
	    NULL },
};

TEST(addresses_have_one_normal_form)
{
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		char normal[MAIL_ADDRESS_SIZE];
		int result =
		    mail_address_normalise(addresses[i].address, normal);

		CHECK_FOR((result == 0) == (addresses[i].normal != NULL), "%s",
		    addresses[i].address);
		if (result == 0 && addresses[i].normal != NULL)
			CHECK_STRING(normal, addresses[i].normal);
	}
}

TEST(the_normal_form_is_stable)
{
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		char once[MAIL_ADDRESS_SIZE], twice[MAIL_ADDRESS_SIZE];

		if (mail_address_normalise(addresses[i].address, once) < 0)
			continue;
		CHECK(mail_address_normalise(once, twice) == 0);
		CHECK_STRING(twice, once);
	}
}

TEST(extensions_are_stripped)
{
	static const struct {
		const char *address, *delimiters, *base; /* NULL: none */
	} table[] = {
		{ "bob+x@bar.test", "+", "bob@bar.test" },
		{ "bob+x+y@bar.test", "+", "bob@bar.test" },
		{ "bob-x@bar.test", "+-", "bob@bar.test" },
		{ "+x@bar.test", "+", NULL },
		{ "bob@bar+x.test", "+", NULL },
		{ "bob@bar.test", "+", NULL },
		{ "bob+x@bar.test", "", NULL },
		{ "\"a+b\"@bar.test", "+", NULL },
	};
	char base[MAIL_ADDRESS_SIZE];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int found = mail_address_strip(table[i].address,
		    table[i].delimiters, base);

		CHECK_FOR(found == (table[i].base != NULL), "%s",
		    table[i].address);
		if (found && table[i].base != NULL)
			CHECK_STRING(base, table[i].base);
	}
}

TEST(paths_are_parsed)
{
	static const struct {
		const char *text, *path; /* NULL: refused */
		const char *rest;
	} table[] = {
		{ "<>", "", "" },
		{ "<a@b.test> SIZE=1", "a@b.test", " SIZE=1" },
		{ "<@relay.test,@x.test:a@b.test>", "a@b.test", "" },
		{ "<\"a>b\"@b.test>", "\"a>b\"@b.test", "" },
		{ "<postmaster>", "postmaster", "" },
		{ "a@b.test", NULL, NULL },
		{ "<a@b.test", NULL, NULL },
		{ "<a b@c.test>", NULL, NULL },
		{ "<<a@b.test>>", NULL, NULL },
		{ "<@relay.test>", NULL, NULL },
		{ "<\"a@b.test>", NULL, NULL },
		{ "<\xff@b.test>", NULL, NULL },
	};
	char path[MAIL_ADDRESS_SIZE];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const char *end;
		int result = mail_address_parse_path(table[i].text, &end, path);

		CHECK_FOR((result == 0) == (table[i].path != NULL), "%s",
		    table[i].text);
		if (result == 0 && table[i].path != NULL) {
			CHECK_STRING(path, table[i].path);
			CHECK_STRING(end, table[i].rest);
		}
	}
}

TEST(orcpt_is_decoded)
{
	char normal[MAIL_ADDRESS_SIZE];

	CHECK(mail_address_parse_orcpt("rfc822;Bob+2Bx@bar.test", normal) == 0);
	CHECK_STRING(normal, "bob+x@bar.test");
	CHECK(mail_address_parse_orcpt("utf-8;b\\x{F3}b\\x{2b}x@bar.test",
		  normal) == 0);
	CHECK_STRING(normal, "b\303\263b+x@bar.test");
	CHECK(
	    mail_address_parse_orcpt("utf-8;b\303\263b@bar.test", normal) == 0);
	CHECK_STRING(normal, "b\303\263b@bar.test");
	CHECK(mail_address_parse_orcpt("utf-8;b\\x{110000}@bar.test", normal) <
	    0);
	CHECK(
	    mail_address_parse_orcpt("utf-8;b\\x{D800}@bar.test", normal) < 0);
	CHECK(mail_address_parse_orcpt("utf-8;b\\x{0A}@bar.test", normal) < 0);
	CHECK(mail_address_parse_orcpt("utf-8;b\\x{}@bar.test", normal) < 0);
	CHECK(mail_address_parse_orcpt("x400;bob@bar.test", normal) < 0);
	CHECK(mail_address_parse_orcpt("rfc822;bob+2", normal) < 0);
	CHECK(mail_address_parse_orcpt("rfc822;bob+0Ax@bar.test", normal) < 0);
	CHECK(mail_address_parse_orcpt("bob@bar.test", normal) < 0);
}

int
main(void)
{
	RUN(addresses_have_one_normal_form);
	RUN(the_normal_form_is_stable);
	RUN(extensions_are_stripped);
	RUN(paths_are_parsed);
	RUN(orcpt_is_decoded);
	return test_done();
}
