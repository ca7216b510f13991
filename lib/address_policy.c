/* SPDX-License-Identifier: ISC
 *
 * Which addresses we connect to; see address_policy.h.
 */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "address_policy.h"
#include "memory.h"

#define EXCEPTIONS_MAX 64
#define OWN_MAX 256

struct prefix {
	int family;
	unsigned bits;
	unsigned char bytes[16];
};

struct address_policy {
	unsigned exception_count;
	unsigned own_count;
	struct prefix exception[EXCEPTIONS_MAX];
	struct prefix own[OWN_MAX];
};

/*
 * What IANA's special-purpose registries take out of IPv4 unicast, with the
 * deprecated 6to4 relay (RFC 7526), and multicast and reserved space.
 */
static const struct prefix refused4[] = {
	{ AF_INET, 8, { 0 } }, /* this network */
	{ AF_INET, 8, { 10 } }, /* private */
	{ AF_INET, 10, { 100, 64 } }, /* shared, RFC 6598 */
	{ AF_INET, 8, { 127 } }, /* loopback */
	{ AF_INET, 16, { 169, 254 } }, /* link-local */
	{ AF_INET, 12, { 172, 16 } }, /* private */
	{ AF_INET, 24, { 192, 0, 0 } }, /* IETF assignments */
	{ AF_INET, 24, { 192, 0, 2 } }, /* TEST-NET-1 */
	{ AF_INET, 24, { 192, 31, 196 } }, /* AS112 */
	{ AF_INET, 24, { 192, 52, 193 } }, /* AMT */
	{ AF_INET, 24, { 192, 88, 99 } }, /* 6to4 relay */
	{ AF_INET, 16, { 192, 168 } }, /* private */
	{ AF_INET, 24, { 192, 175, 48 } }, /* AS112 */
	{ AF_INET, 15, { 198, 18 } }, /* benchmarking */
	{ AF_INET, 24, { 198, 51, 100 } }, /* TEST-NET-2 */
	{ AF_INET, 24, { 203, 0, 113 } }, /* TEST-NET-3 */
	{ AF_INET, 4, { 224 } }, /* multicast */
	{ AF_INET, 4, { 240 } }, /* reserved, broadcast */
};

/* Global unicast is 2000::/3; what is special inside it: */
static const struct prefix refused6[] = {
	{ AF_INET6, 23, { 0x20, 0x01, 0x00 } }, /* IETF: Teredo, ORCHID … */
	{ AF_INET6, 32, { 0x20, 0x01, 0x0d, 0xb8 } }, /* documentation */
	{ AF_INET6, 16, { 0x20, 0x02 } }, /* 6to4 */
	{ AF_INET6, 48, { 0x26, 0x20, 0x00, 0x4f, 0x80, 0x00 } }, /* AS112 */
	{ AF_INET6, 20, { 0x3f, 0xff, 0x00 } }, /* documentation, RFC 9637 */
};

static const struct prefix global6 = { AF_INET6, 3, { 0x20 } };

struct address_policy *
address_policy_new(void)
{
	return x_calloc(1, sizeof(struct address_policy));
}

void
address_policy_free(struct address_policy **policy)
{
	x_free(policy);
}

static bool
prefix_covers(const struct prefix *prefix, int family,
    const unsigned char *bytes)
{
	unsigned whole = prefix->bits / 8, rest = prefix->bits % 8;
	unsigned char mask = (unsigned char)(0xff00 >> rest);

	return prefix->family == family &&
	    memcmp(prefix->bytes, bytes, whole) == 0 &&
	    (rest == 0 || ((prefix->bytes[whole] ^ bytes[whole]) & mask) == 0);
}

static bool
any_covers(const struct prefix *list, size_t count, int family,
    const unsigned char *bytes)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (prefix_covers(&list[i], family, bytes))
			return true;
	return false;
}

/* The bytes of an address, NULL for other families. */
static const unsigned char *
address_bytes(const struct sockaddr *address)
{
	const void *p = address;

	if (address->sa_family == AF_INET)
		return (const unsigned char *)&((const struct sockaddr_in *)p)
		    ->sin_addr;
	if (address->sa_family == AF_INET6)
		return (const unsigned char *)&((const struct sockaddr_in6 *)p)
		    ->sin6_addr;
	return NULL;
}

/* No bit may stand beyond the prefix: "198.51.100.7/24" is a mistake. */
static bool
host_bits_are_zero(const struct prefix *prefix)
{
	unsigned bit;
	unsigned max = prefix->family == AF_INET ? 32 : 128;

	for (bit = prefix->bits; bit < max; bit++)
		if (prefix->bytes[bit / 8] & (0x80 >> bit % 8))
			return false;
	return true;
}

int
address_policy_add(struct address_policy *policy, const char *text)
{
	struct prefix prefix = { .family = AF_INET };
	const char *slash = strchr(text, '/');
	char address[INET6_ADDRSTRLEN], *end;
	size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
	unsigned max = 32;
	unsigned long bits;

	if (policy->exception_count == EXCEPTIONS_MAX || len >= sizeof(address))
		return -1;
	memcpy(address, text, len);
	address[len] = '\0';
	if (strchr(address, ':') != NULL) {
		prefix.family = AF_INET6;
		max = 128;
	}
	if (inet_pton(prefix.family, address, prefix.bytes) != 1)
		return -1;
	prefix.bits = max;
	if (slash != NULL) {
		if (slash[1] < '0' || slash[1] > '9')
			return -1;
		bits = strtoul(slash + 1, &end, 10);
		if (*end != '\0' || bits > max)
			return -1;
		prefix.bits = (unsigned)bits;
	}
	if (!host_bits_are_zero(&prefix))
		return -1;
	policy->exception[policy->exception_count++] = prefix;
	return 0;
}

int
address_policy_read_interfaces(struct address_policy *policy)
{
	const unsigned char *bytes;
	struct ifaddrs *list, *i;
	struct prefix *own;

	if (getifaddrs(&list) != 0)
		return -1;
	policy->own_count = 0;
	for (i = list; i != NULL && policy->own_count < OWN_MAX;
	     i = i->ifa_next) {
		if (i->ifa_addr == NULL ||
		    (bytes = address_bytes(i->ifa_addr)) == NULL)
			continue;
		own = &policy->own[policy->own_count++];
		own->family = i->ifa_addr->sa_family;
		own->bits = own->family == AF_INET ? 32 : 128;
		memcpy(own->bytes, bytes, own->bits / 8);
	}
	freeifaddrs(list);
	return 0;
}

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

/* Is there an exception for just this address? */
static bool
is_named(const struct address_policy *policy, int family,
    const unsigned char *bytes)
{
	unsigned full = family == AF_INET ? 32 : 128, i;

	for (i = 0; i < policy->exception_count; i++)
		if (policy->exception[i].bits == full &&
		    any_covers(&policy->exception[i], 1, family, bytes))
			return true;
	return false;
}

bool
address_policy_allows(const struct sockaddr *address,
    const struct address_policy *policy)
{
	const unsigned char *bytes = address_bytes(address);
	int family = address->sa_family;

	if (bytes == NULL)
		return false;
	/* A network that is allowed does not open this host itself. */
	if (policy != NULL &&
	    any_covers(policy->own, policy->own_count, family, bytes))
		return is_named(policy, family, bytes);
	if (policy != NULL &&
	    any_covers(policy->exception, policy->exception_count, family,
		bytes))
		return true;
	if (family == AF_INET)
		return !any_covers(refused4, COUNT(refused4), family, bytes);
	return prefix_covers(&global6, family, bytes) &&
	    !any_covers(refused6, COUNT(refused6), family, bytes);
}
