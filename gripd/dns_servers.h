/* SPDX-License-Identifier: ISC
 *
 * Which DNS servers to ask: those of the configuration, or those of
 * /etc/resolv.conf. Read once, before the chroot hides that file.
 */
#ifndef DNS_SERVERS_H
#define DNS_SERVERS_H

#include "config_file.h"
#include "dns_client.h"

/* "192.0.2.1", "192.0.2.1:5353", "2001:db8::1", "[2001:db8::1]:53". 0, or
 * -1. */
int dns_servers_parse(const char *text, struct dns_server *server_r);

/* Fills servers, count and trusted: what is configured is trusted. 0, or -1
 * with *error_r (free()). */
int dns_servers_configured(const struct config_list *list,
    struct dns_options *options_r, char **error_r);

/* The same from the text of a resolv.conf (resolv.conf(5)). Trusted only if
 * it says `options trust-ad` or names loopback addresses only; without any
 * server it is 127.0.0.1. */
void dns_servers_resolv_conf(const char *text, struct dns_options *options_r);

#endif
