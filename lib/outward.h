/* SPDX-License-Identifier: ISC
 *
 * Whom a daemon that goes outward believes and where it may connect: the
 * configuration that broker and retrievald share. It is embedded in their
 * own, whose tables name its keys:
 *
 *   ca_bundle, tls_trust, ports, allow_addresses
 */
#ifndef OUTWARD_H
#define OUTWARD_H

#include "address_policy.h"
#include "config_file.h"
#include "http_client.h"
#include "outcome.h"
#include "service_url.h"

struct outward {
	/* As read from the file. */
	char *ca_bundle; /* path of a PEM bundle */
	struct config_list tls_trust; /* webpki, dns */
	char *ports; /* that a URL may name */
	struct config_list allow_addresses; /* networks; for labs */
	/* Made of these. */
	struct service_ports port_list;
	struct address_policy *policy;
	struct http_client_trust *trust; /* NULL without webpki */
};

/* Makes the rest of what was read from `path`. 0, or -1 with *error_r (one
 * line, free()). */
int outward_derive(struct outward *outward, const char *path, char **error_r);

/* Reads the bundle and this host's own addresses: before the chroot. 0, or
 * -1 with *error_r. */
int outward_open(struct outward *outward, const char *path, char **error_r);

/* Frees what was made; what was read belongs to the table of keys. */
void outward_close(struct outward *outward);

/* 1 if `word` ("webpki", "dns") stands in tls_trust. */
int outward_trusts(const struct outward *outward, const char *word);

#endif
