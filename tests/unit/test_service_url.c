/* SPDX-License-Identifier: ISC
 *
 * URLs of services, and the addresses that we connect to.
 */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "address_policy.h"
#include "service_url.h"
#include "test.h"

#define L63 "a23456789012345678901234567890123456789012345678901234567890123"

TEST(takes_one_shape_of_url)
{
	static const struct {
		const char *text;
		const char *canonical; /* NULL: refused */
	} table[] = {
		{ "https://mailbox.foo.test", "https://mailbox.foo.test" },
		{ "https://mailbox.foo.test:443", "https://mailbox.foo.test" },
		{ "https://m.foo.test:8443", "https://m.foo.test:8443" },
		{ "https://foo.test", "https://foo.test" },
		{ "https://xn--bcher-kva.test", "https://xn--bcher-kva.test" },
		{ "https://1.foo.test", "https://1.foo.test" },
		{ "https://" L63 ".test", "https://" L63 ".test" },
		{ "https://" L63 "4.test", NULL },
		{ "http://mailbox.foo.test", NULL },
		{ "HTTPS://mailbox.foo.test", NULL },
		{ "https:mailbox.foo.test", NULL },
		{ "https://", NULL },
		{ "", NULL },
		{ "https://Mailbox.foo.test", NULL },
		{ "https://mailbox.foo.test/", NULL },
		{ "https://mailbox.foo.test/x", NULL },
		{ "https://mailbox.foo.test?x", NULL },
		{ "https://mailbox.foo.test#x", NULL },
		{ "https://u@mailbox.foo.test", NULL },
		{ "https://u:p@mailbox.foo.test", NULL },
		{ "https://mailbox.foo.test:", NULL },
		{ "https://mailbox.foo.test:80", NULL },
		{ "https://mailbox.foo.test:0443", NULL },
		{ "https://mailbox.foo.test:65979", NULL }, /* 443 mod 2^16 */
		{ "https://mailbox.foo.test:443 ", NULL },
		{ "https://mailbox.foo.test.", NULL },
		{ "https://.foo.test", NULL },
		{ "https://mailbox..test", NULL },
		{ "https://localhost", NULL },
		{ "https://198.51.100.1", NULL },
		{ "https://[2001:db8::1]", NULL },
		{ "https://0x7f.1", NULL },
		{ "https://-a.foo.test", NULL },
		{ "https://a-.foo.test", NULL },
		{ "https://a_b.foo.test", NULL },
		{ "https://b\xc3\xbc"
		  "cher.test",
		    NULL },
		{ "https://mail box.test", NULL },
		{ " https://mailbox.foo.test", NULL },
		{ "https://mailbox.foo.test\n", NULL },
	};
	struct service_url url;
	int result;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		result = service_url_parse(table[i].text, NULL, &url);
		CHECK_FOR((result == 0) == (table[i].canonical != NULL), "%s",
		    table[i].text);
		if (result == 0 && table[i].canonical != NULL)
			CHECK_STRING(url.text, table[i].canonical);
	}
}

TEST(bounds_the_host)
{
	char text[600] = "https://";
	struct service_url url;
	unsigned i;

	for (i = 0; i < 126; i++)
		strcat(text, "a.");
	strcat(text, "b"); /* 253 */
	CHECK(service_url_parse(text, NULL, &url) == 0);
	strcat(text, "c");
	CHECK(service_url_parse(text, NULL, &url) == -1);
	for (i = 0; i < 150; i++)
		strcat(text, "d");
	CHECK(service_url_parse(text, NULL, &url) == -1);
}

TEST(takes_a_list_of_ports)
{
	struct service_ports ports;
	struct service_url url;

	CHECK(service_ports_parse("443, 8443 ,9000", &ports) == 0);
	CHECK(ports.count == 3 && ports.list[2] == 9000);
	CHECK(service_url_parse("https://a.test:9000", &ports, &url) == 0);
	CHECK(url.port == 9000);
	CHECK(service_ports_parse("", &ports) == -1);
	CHECK(service_ports_parse("443,", &ports) == -1);
	CHECK(service_ports_parse("443 8443", &ports) == -1);
	CHECK(service_ports_parse("0", &ports) == -1);
	CHECK(service_ports_parse("65536", &ports) == -1);
	CHECK(service_ports_parse("1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17",
		  &ports) == -1);
	CHECK(service_ports_parse("8443", &ports) == 0);
	CHECK(service_url_parse("https://a.test", &ports, &url) == -1);
}

TEST(splits_a_path_off)
{
	struct service_url url;
	const char *path;

	CHECK(service_url_split("https://a.test/b?c", NULL, &url, &path) == 0);
	CHECK_STRING(path, "/b?c");
	CHECK_STRING(url.text, "https://a.test");
	CHECK(service_url_split("https://a.test", NULL, &url, &path) == 0);
	CHECK_STRING(path, "/");
	CHECK(service_url_split("https://a.test?b", NULL, &url, &path) == -1);
	CHECK(service_url_split("https://a.test#/", NULL, &url, &path) == -1);
}

static bool
allows(const char *text, const struct address_policy *policy)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in in = { .sin_family = AF_INET };

	if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
		return address_policy_allows((struct sockaddr *)&in, policy);
	CHECK_FOR(inet_pton(AF_INET6, text, &in6.sin6_addr) == 1, "%s", text);
	return address_policy_allows((struct sockaddr *)&in6, policy);
}

TEST(allows_global_unicast_alone)
{
	static const char *const good[] = { "1.1.1.1", "9.255.255.255",
		"11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
		"128.0.0.0", "169.253.255.255", "172.15.255.255", "172.32.0.0",
		"192.0.1.0", "192.167.255.255", "192.169.0.0", "198.17.255.255",
		"198.20.0.0", "223.255.255.255", "2000::1", "2001:200::1",
		"2a00:1450::1", "2400::1", "3ffe::1", NULL };
	static const char *const bad[] = { "0.0.0.0", "0.1.2.3", "10.0.0.1",
		"10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1",
		"127.1.2.3", "169.254.169.254", "172.16.0.1", "172.31.255.255",
		"192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1",
		"198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1",
		"224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::ffff:1.1.1.1", "::1.1.1.1", "64:ff9b::101:101",
		"64:ff9b:1::1", "100::1", "1fff::1", "2001::1", "2001:2::1",
		"2001:10::1", "2001:1ff::1", "2001:db8::1", "2002:101:101::1",
		"3fff:fff::1", "4000::1", "5f00::1", "fc00::1", "fd00::1",
		"fe80::1", "fec0::1", "ff02::1", NULL };
	struct address_policy *policy = address_policy_new();
	struct sockaddr other = { .sa_family = AF_UNIX };
	unsigned i;

	for (i = 0; good[i] != NULL; i++)
		CHECK_FOR(allows(good[i], policy), "%s", good[i]);
	for (i = 0; bad[i] != NULL; i++) {
		CHECK_FOR(!allows(bad[i], policy), "%s", bad[i]);
		CHECK_FOR(!allows(bad[i], NULL), "%s", bad[i]);
	}
	CHECK(!address_policy_allows(&other, policy));
	address_policy_free(&policy);
}

TEST(takes_exceptions)
{
	static const char *const bad[] = { "", "198.51.100.7/24",
		"198.51.100.0/33", "198.51.100.0/", "198.51.100.0/-1",
		"198.51.100.0/24 ", "198.51.100/24", "2001:db8::1/32",
		"2001:db8::/129", "foo.test", "/8", "198.51.100.0/ 24", NULL };
	struct address_policy *policy = address_policy_new();
	unsigned i;

	for (i = 0; bad[i] != NULL; i++)
		CHECK_FOR(address_policy_add(policy, bad[i]) == -1, "%s",
		    bad[i]);
	CHECK(!allows("198.51.100.9", policy));
	CHECK(address_policy_add(policy, "198.51.100.0/24") == 0);
	CHECK(address_policy_add(policy, "2001:db8:1::/48") == 0);
	CHECK(address_policy_add(policy, "127.0.0.1") == 0);
	CHECK(address_policy_add(policy, "100.64.0.0/11") == 0);
	CHECK(allows("198.51.100.9", policy));
	CHECK(allows("198.51.101.9", policy));
	CHECK(allows("2001:db8:1:2::3", policy));
	CHECK(!allows("2001:db8:2::3", policy));
	CHECK(allows("127.0.0.1", policy));
	CHECK(!allows("127.0.0.2", policy));
	CHECK(allows("100.95.255.255", policy));
	CHECK(!allows("100.96.0.0", policy));
	/* An exception for IPv4 is none for the same bits in IPv6. */
	CHECK(!allows("::ffff:127.0.0.1", policy));
	for (i = 4; i < 64; i++)
		CHECK(address_policy_add(policy, "192.0.2.1") == 0);
	CHECK(address_policy_add(policy, "192.0.2.1") == -1);
	address_policy_free(&policy);
}

TEST(refuses_own_addresses)
{
	struct address_policy *policy = address_policy_new();

	/* Loopback is refused anyhow: an exception shows the order. */
	CHECK(address_policy_read_interfaces(policy) == 0);
	CHECK(!allows("127.0.0.1", policy));
	/* A network that is allowed does not open this host itself. */
	CHECK(address_policy_add(policy, "127.0.0.0/8") == 0);
	CHECK(allows("127.0.0.2", policy));
	CHECK(!allows("127.0.0.1", policy));
	CHECK(address_policy_add(policy, "127.0.0.1") == 0);
	CHECK(allows("127.0.0.1", policy));
	address_policy_free(&policy);
}

int
main(void)
{
	RUN(takes_one_shape_of_url);
	RUN(bounds_the_host);
	RUN(takes_a_list_of_ports);
	RUN(splits_a_path_off);
	RUN(allows_global_unicast_alone);
	RUN(takes_exceptions);
	RUN(refuses_own_addresses);
	return test_done();
}
