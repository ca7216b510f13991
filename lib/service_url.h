/* SPDX-License-Identifier: ISC
 *
 * The URL of an origin or a destination: "https://" + a lower-case host name
 * of at least two A-labels + optionally ":" and a port from a short list,
 * and nothing else: no user, path, query, fragment, IP address or upper
 * case. Reads hostile text; by hand because it accepts one shape only.
 */
#ifndef SERVICE_URL_H
#define SERVICE_URL_H

#include <stdbool.h>
#include <stdint.h>

#define SERVICE_HOST_SIZE 254
#define SERVICE_URL_SIZE 272

/* An empty list allows every port. */
struct service_ports {
	unsigned count;
	uint16_t list[16];
};

struct service_url {
	char host[SERVICE_HOST_SIZE];
	uint16_t port;
	char text[SERVICE_URL_SIZE]; /* canonical: no ":443" */
};

/* 443 and 8443. */
extern const struct service_ports service_ports_default;

/* "443, 8443". 0, or -1. */
int service_ports_parse(const char *text, struct service_ports *ports_r);

/* 0, or -1. `ports` NULL: the default. */
int service_url_parse(const char *text, const struct service_ports *ports,
    struct service_url *url_r);

/* True for a host name as above. */
bool service_host_is_valid(const char *host);

/* "https://host:port/path" split at the path, which is "/" if there is
 * none: for URLs that a user gives to his client. 0, or -1. */
int service_url_split(const char *text, const struct service_ports *ports,
    struct service_url *url_r, const char **path_r);

#endif
