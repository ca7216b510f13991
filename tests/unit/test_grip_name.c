/* SPDX-License-Identifier: ISC
 *
 * Names, addresses and origins have one spelling each.
 */
#include "grip_name.h"
#include "test.h"

#define L63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

struct row {
	const char *text;
	bool good;
};

TEST(hosts)
{
	static const struct row rows[] = {
		{ "mailbox.hospital.test", true },
		{ "a.b", true },
		{ "xn--bcher-kva.test", true },
		{ "1.test", true },
		{ L63 ".test", true },
		{ "a" L63 ".test", false },
		{ L63 "." L63 "." L63 "." L63, false },
		{ "", false },
		{ "localhost", false },
		{ "Mailbox.test", false },
		{ "mailbox.test.", false },
		{ ".mailbox.test", false },
		{ "mailbox..test", false },
		{ "-a.test", false },
		{ "a-.test", false },
		{ "_cb.bar.test", false },
		{ "192.0.2.1", false },
		{ "a.1", false },
		{ "a.test:443", false },
		{ "a test.test", false },
		{ "b\xc3\xbc.test", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_FOR(grip_name_is_host(rows[i].text) == rows[i].good, "%s",
		    rows[i].text);
	CHECK(!grip_name_is_host(NULL));
}

TEST(services)
{
	static const struct row rows[] = {
		{ "_cb.bar.test", true },
		{ "_cbx.bar.test", false },
		{ "_rra.bar.test", false },
		{ "_cb.test", false },
		{ "cb.bar.test", false },
		{ "_cb.bar.test.", false },
		{ "_.bar.test", false },
		{ "__cb.bar.test", false },
		{ "_CB.bar.test", false },
		{ "_cb._cb.bar.test", false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_FOR(grip_name_is_service(rows[i].text, "_cb") ==
			rows[i].good,
		    "%s", rows[i].text);
	CHECK(grip_name_is_service("_rra.bar.test", NULL));
	CHECK(!grip_name_is_service(NULL, NULL));
	CHECK_STRING(grip_name_domain("_cb.bar.test"), "bar.test");
	CHECK(grip_name_domain("bar.test") == NULL);
}

TEST(addresses)
{
	static const struct row rows[] = {
		{ "alice@foo.test", true },
		{ "Alice+tag@foo.test", true },
		{ "\"a@b\"@foo.test", true },
		{ "b\xc3\xbc@foo.test", true },
		{ "@foo.test", false },
		{ "alice", false },
		{ "alice@", false },
		{ "alice@FOO.test", false },
		{ "alice@localhost", false },
		{ "al\nice@foo.test", false },
		{ "al\x7fice@foo.test", false },
	};
	char big[GRIP_ADDRESS_MAX + 2];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_FOR(grip_name_is_address(rows[i].text) == rows[i].good,
		    "%s", rows[i].text);
	memset(big, 'a', sizeof(big));
	memcpy(big + sizeof(big) - 10, "@foo.test", 10);
	CHECK(!grip_name_is_address(big));
	CHECK(grip_name_is_address(big + 1));
	CHECK_STRING(grip_name_address_domain("\"a@b\"@foo.test"), "foo.test");
}

TEST(origins)
{
	static const struct row rows[] = {
		{ "https://mailbox.hospital.test", true },
		{ "https://mailbox.hospital.test:8443", true },
		{ "https://mailbox.hospital.test:65535", true },
		{ "https://mailbox.hospital.test:65536", false },
		{ "https://mailbox.hospital.test:0", false },
		{ "https://mailbox.hospital.test:0443", false },
		{ "https://mailbox.hospital.test:", false },
		{ "https://mailbox.hospital.test:44x", false },
		{ "https://mailbox.hospital.test/", false },
		{ "https://mailbox.hospital.test?", false },
		{ "https://user@mailbox.hospital.test", false },
		{ "http://mailbox.hospital.test", false },
		{ "HTTPS://mailbox.hospital.test", false },
		{ "https://192.0.2.1", false },
		{ "https://", false },
	};
	char host[GRIP_NAME_SIZE];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_FOR(grip_name_is_origin(rows[i].text, NULL) ==
			rows[i].good,
		    "%s", rows[i].text);
	CHECK(grip_name_is_origin("https://a.test:8443", host));
	CHECK_STRING(host, "a.test");
}

int
main(void)
{
	RUN(hosts);
	RUN(services);
	RUN(addresses);
	RUN(origins);
	return test_done();
}
