/* SPDX-License-Identifier: ISC
 *
 * Connections by client: see client_count.h.
 */
#include "client_count.h"

#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#include <sodium.h>

#include "memory.h"

#define PLACES 65536
#define NETWORK_LEN 8 /* bytes of an IPv6 address that name its network */

struct client_count {
	unsigned most;
	unsigned char key[crypto_shorthash_KEYBYTES];
	unsigned connections[PLACES];
};

struct client_count *
client_count_new(unsigned most)
{
	struct client_count *count = x_calloc(1, sizeof(*count));

	count->most = most;
	crypto_shorthash_keygen(count->key);
	return count;
}

void
client_count_free(struct client_count **count)
{
	x_free(count);
}

/* The bytes that name the client; their number, 0 if it is not counted. */
static size_t
client_bytes(const struct sockaddr *client, const void **bytes_r)
{
	const void *p = client;
	const struct sockaddr_in *in = p;
	const struct sockaddr_in6 *in6 = p;

	switch (client->sa_family) {
	case AF_INET:
		*bytes_r = &in->sin_addr;
		return sizeof(in->sin_addr);
	case AF_INET6:
		*bytes_r = &in6->sin6_addr;
		return NETWORK_LEN;
	default:
		return 0;
	}
}

bool
client_count_enter(struct client_count *count, const struct sockaddr *client,
    int *place_r)
{
	unsigned char hash[crypto_shorthash_BYTES];
	const void *bytes = NULL;
	size_t len = client_bytes(client, &bytes);
	uint16_t place;

	*place_r = CLIENT_COUNT_NONE;
	if (count->most == 0 || len == 0)
		return true;
	crypto_shorthash(hash, bytes, len, count->key);
	memcpy(&place, hash, sizeof(place));
	if (count->connections[place] >= count->most)
		return false;
	count->connections[place]++;
	*place_r = place;
	return true;
}

void
client_count_leave(struct client_count *count, int *place)
{
	if (*place != CLIENT_COUNT_NONE)
		count->connections[*place]--;
	*place = CLIENT_COUNT_NONE;
}
