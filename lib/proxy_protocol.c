/* SPDX-License-Identifier: ISC
 *
 * The PROXY protocol; see proxy_protocol.h.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "proxy_protocol.h"

#define V1_MAX 107 /* with CRLF, by the specification */
#define V2_FIXED 16

static const char v2_signature[12] = "\r\n\r\n\0\r\nQUIT\n";

static void
set_source(struct sockaddr_storage *source_r, int family, const void *bytes,
    const void *port)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	memset(source_r, 0, sizeof(*source_r));
	if (family == AF_INET) {
		memcpy(&in.sin_addr, bytes, 4);
		memcpy(&in.sin_port, port, 2);
		memcpy(source_r, &in, sizeof(in));
	} else {
		memcpy(&in6.sin6_addr, bytes, 16);
		memcpy(&in6.sin6_port, port, 2);
		memcpy(source_r, &in6, sizeof(in6));
	}
}

static long
parse_v2(const char *data, size_t len, struct sockaddr_storage *source_r)
{
	unsigned char fixed[V2_FIXED];
	size_t total;

	if (len < V2_FIXED)
		return 0;
	memcpy(fixed, data, sizeof(fixed));
	total = V2_FIXED + ((size_t)fixed[14] << 8 | fixed[15]);
	if ((fixed[12] != 0x20 && fixed[12] != 0x21) ||
	    total > PROXY_PROTOCOL_MAX)
		return -1;
	if (len < total)
		return 0;
	if (fixed[12] == 0x20) /* LOCAL: the balancer itself */
		return (long)total;
	data += V2_FIXED;
	if (fixed[13] == 0x11 && total >= V2_FIXED + 12)
		set_source(source_r, AF_INET, data, data + 8);
	else if (fixed[13] == 0x21 && total >= V2_FIXED + 36)
		set_source(source_r, AF_INET6, data, data + 32);
	else if (fixed[13] != 0x00)
		return -1;
	return (long)total;
}

/* "PROXY TCP4 source destination sport dport", already cut from its CRLF. */
static int
parse_v1_line(char *line, struct sockaddr_storage *source_r)
{
	char *word[6], *save = NULL, *end;
	unsigned char bytes[16];
	unsigned long number;
	unsigned count = 0;
	uint16_t port;
	int family;

	for (word[0] = strtok_r(line, " ", &save); word[count] != NULL;) {
		if (++count == 6)
			break;
		word[count] = strtok_r(NULL, " ", &save);
	}
	if (count >= 2 && strcmp(word[1], "UNKNOWN") == 0)
		return 0;
	if (count != 6 ||
	    (strcmp(word[1], "TCP4") != 0 && strcmp(word[1], "TCP6") != 0))
		return -1;
	family = word[1][3] == '4' ? AF_INET : AF_INET6;
	if (inet_pton(family, word[2], bytes) != 1 || word[4][0] < '0' ||
	    word[4][0] > '9')
		return -1;
	number = strtoul(word[4], &end, 10);
	if (*end != '\0' || number > 65535)
		return -1;
	port = htons((uint16_t)number);
	set_source(source_r, family, bytes, &port);
	return 0;
}

static long
parse_v1(const char *data, size_t len, struct sockaddr_storage *source_r)
{
	size_t limit = len < V1_MAX ? len : V1_MAX;
	const char *lf = memchr(data, '\n', limit);
	char line[V1_MAX];

	if (lf == NULL)
		return len < V1_MAX ? 0 : -1;
	if (lf == data || lf[-1] != '\r')
		return -1;
	memcpy(line, data, (size_t)(lf - data));
	line[lf - 1 - data] = '\0';
	if (parse_v1_line(line, source_r) != 0)
		return -1;
	return lf + 1 - data;
}

long
proxy_protocol_parse(const char *data, size_t len,
    struct sockaddr_storage *source_r)
{
	size_t n = len < sizeof(v2_signature) ? len : sizeof(v2_signature);

	if (len == 0)
		return 0;
	if (memcmp(data, v2_signature, n) == 0)
		return parse_v2(data, len, source_r);
	n = len < 6 ? len : 6;
	if (memcmp(data, "PROXY ", n) == 0)
		return parse_v1(data, len, source_r);
	return -1;
}
