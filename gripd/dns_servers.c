/* SPDX-License-Identifier: ISC
 *
 * DNS servers from configuration or resolv.conf. Both are root's. The AD bit
 * is worth as much as the path to who sets it: a server found in a
 * resolv.conf, which DHCP may have written, is not believed unless that file
 * says so, as in the C library.
 */
#include "dns_servers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <event2/util.h>

#include "memory.h"

#define DNS_PORT 53

int
dns_servers_parse(const char *text, struct dns_server *server_r)
{
	struct sockaddr *address = (struct sockaddr *)&server_r->address;
	int len = sizeof(server_r->address);
	in_port_t *port;

	memset(server_r, 0, sizeof(*server_r));
	if (evutil_parse_sockaddr_port(text, address, &len) != 0)
		return -1;
	server_r->len = (socklen_t)len;
	port = address->sa_family == AF_INET6 ?
	    &((struct sockaddr_in6 *)&server_r->address)->sin6_port :
	    &((struct sockaddr_in *)&server_r->address)->sin_port;
	if (*port == 0)
		*port = htons(DNS_PORT);
	return 0;
}

static bool
is_loopback(const struct dns_server *server)
{
	const struct sockaddr_in *v4 = (const void *)&server->address;
	const struct sockaddr_in6 *v6 = (const void *)&server->address;

	if (server->address.ss_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
	return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
}

int
dns_servers_configured(const struct config_list *list,
    struct dns_options *options_r, char **error_r)
{
	options_r->count = 0;
	options_r->trusted = true;
	if (list->count > DNS_SERVERS_MAX) {
		*error_r =
		    x_asprintf("resolvers: more than %d", DNS_SERVERS_MAX);
		return -1;
	}
	for (size_t i = 0; i < list->count; i++) {
		if (dns_servers_parse(list->items[i], &options_r->servers[i]) !=
		    0) {
			*error_r = x_asprintf("resolvers: \"%s\" is not an "
					      "address with or without a port",
			    list->items[i]);
			return -1;
		}
		options_r->count++;
	}
	return 0;
}

static void
read_line(char *line, struct dns_options *options, bool *trust_ad)
{
	char *rest = NULL, *word = strtok_r(line, " \t\r", &rest);

	if (word == NULL)
		return;
	if (strcmp(word, "nameserver") == 0) {
		word = strtok_r(NULL, " \t\r", &rest);
		if (word != NULL && options->count < DNS_SERVERS_MAX &&
		    dns_servers_parse(word,
			&options->servers[options->count]) == 0)
			options->count++;
	} else if (strcmp(word, "options") == 0) {
		while ((word = strtok_r(NULL, " \t\r", &rest)) != NULL)
			if (strcmp(word, "trust-ad") == 0)
				*trust_ad = true;
	}
}

void
dns_servers_resolv_conf(const char *text, struct dns_options *options_r)
{
	char *copy = x_strdup(text), *rest = NULL, *line;
	bool trust_ad = false, all_loopback = true;

	options_r->count = 0;
	for (line = strtok_r(copy, "\n", &rest); line != NULL;
	     line = strtok_r(NULL, "\n", &rest))
		read_line(line, options_r, &trust_ad);
	free(copy);
	if (options_r->count == 0 &&
	    dns_servers_parse("127.0.0.1", &options_r->servers[0]) == 0)
		options_r->count = 1;
	for (size_t i = 0; i < options_r->count; i++)
		if (!is_loopback(&options_r->servers[i]))
			all_loopback = false;
	options_r->trusted = trust_ad || all_loopback;
}
