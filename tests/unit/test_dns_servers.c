/* SPDX-License-Identifier: ISC
 *
 * DNS servers: how they are written, and when their AD bit is believed.
 */
#include "dns_servers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "test.h"

static unsigned
port_of(const struct dns_server *server)
{
	if (server->address.ss_family == AF_INET6)
		return ntohs((
		    (const struct sockaddr_in6 *)(const void *)&server->address)
				 ->sin6_port);
	return ntohs(
	    ((const struct sockaddr_in *)(const void *)&server->address)
		->sin_port);
}

TEST(reads_addresses)
{
	static const struct {
		const char *text;
		unsigned port; /* 0: refused */
	} rows[] = {
		{ "192.0.2.1", 53 },
		{ "192.0.2.1:5353", 5353 },
		{ "2001:db8::1", 53 },
		{ "[2001:db8::1]:5353", 5353 },
		{ "[::1]", 53 },
		{ "localhost", 0 },
		{ "", 0 },
		{ "192.0.2", 0 },
		{ "192.0.2.1:x", 0 },
		{ "192.0.2.1:70000", 0 },
	};
	struct dns_server server;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int result = dns_servers_parse(rows[i].text, &server);

		CHECK_FOR((result == 0) == (rows[i].port != 0), "%s",
		    rows[i].text);
		if (result == 0)
			CHECK_FOR(port_of(&server) == rows[i].port, "%s",
			    rows[i].text);
	}
}

TEST(reads_the_configuration)
{
	char a[] = "127.0.0.1", b[] = "[2001:db8::1]:5353", bad[] = "x";
	char *items[] = { a, b, bad };
	struct config_list list = { items, 2 };
	struct dns_options options = { 0 };
	char *error = NULL;

	CHECK(dns_servers_configured(&list, &options, &error) == 0);
	CHECK(options.count == 2 && options.trusted);
	list.count = 3;
	CHECK(dns_servers_configured(&list, &options, &error) == -1);
	CHECK(error != NULL);
	free(error);
}

TEST(reads_resolv_conf)
{
	static const struct {
		const char *text;
		size_t count;
		bool trusted;
	} rows[] = {
		{ "", 1, true },
		{ "nameserver 192.0.2.1\n", 1, false },
		{ "nameserver 127.0.0.53\n", 1, true },
		{ "nameserver ::1\nnameserver 127.0.0.1", 2, true },
		{ "nameserver 127.0.0.1\nnameserver 192.0.2.1\n", 2, false },
		{ "# c\nsearch foo.test\noptions edns0 trust-ad\n"
		  "nameserver\t192.0.2.1\r\n",
		    1, true },
		{ "nameserver bad\nnameserver\nnameserver 192.0.2.1\n", 1,
		    false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dns_options options = { 0 };

		dns_servers_resolv_conf(rows[i].text, &options);
		CHECK_FOR(options.count == rows[i].count, "%s", rows[i].text);
		CHECK_FOR(options.trusted == rows[i].trusted, "%s",
		    rows[i].text);
	}
}

int
main(void)
{
	RUN(reads_addresses);
	RUN(reads_the_configuration);
	RUN(reads_resolv_conf);
	return test_done();
}
