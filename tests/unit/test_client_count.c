/* SPDX-License-Identifier: ISC */
#include "client_count.h"

#include <arpa/inet.h>
#include <string.h>

#include <sodium.h>

#include "test.h"

static bool
enter(struct client_count *count, const char *address, int *place_r)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	if (inet_pton(AF_INET, address, &in.sin_addr) == 1)
		return client_count_enter(count, (const void *)&in, place_r);
	CHECK(inet_pton(AF_INET6, address, &in6.sin6_addr) == 1);
	return client_count_enter(count, (const void *)&in6, place_r);
}

TEST(a_client_has_so_many)
{
	struct client_count *count = client_count_new(2);
	int a, b, c;

	CHECK(enter(count, "192.0.2.1", &a));
	CHECK(enter(count, "192.0.2.1", &b));
	CHECK(!enter(count, "192.0.2.1", &c));
	CHECK(c == CLIENT_COUNT_NONE);
	CHECK(enter(count, "192.0.2.2", &c));
	client_count_leave(count, &a);
	CHECK(a == CLIENT_COUNT_NONE);
	client_count_leave(count, &a); /* once is enough */
	CHECK(enter(count, "192.0.2.1", &a));
	CHECK(!enter(count, "192.0.2.1", &c));
	client_count_free(&count);
}

TEST(a_network_is_one_client)
{
	struct client_count *count = client_count_new(1);
	int place;

	CHECK(enter(count, "2001:db8::1", &place));
	CHECK(!enter(count, "2001:db8::ffff:2", &place));
	CHECK(enter(count, "2001:db8:0:1::1", &place));
	client_count_free(&count);
}

TEST(others_are_not_counted)
{
	struct sockaddr local = { .sa_family = AF_UNIX };
	struct client_count *count = client_count_new(1);
	int place;

	CHECK(client_count_enter(count, &local, &place));
	CHECK(client_count_enter(count, &local, &place));
	CHECK(place == CLIENT_COUNT_NONE);
	client_count_free(&count);
	count = client_count_new(0);
	for (int i = 0; i < 1000; i++)
		CHECK(enter(count, "192.0.2.1", &place));
	client_count_free(&count);
}

int
main(void)
{
	CHECK(sodium_init() >= 0);
	RUN(a_client_has_so_many);
	RUN(a_network_is_one_client);
	RUN(others_are_not_counted);
	return test_done();
}
