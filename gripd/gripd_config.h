/* SPDX-License-Identifier: ISC
 *
 * gripd.conf: one table for both roles. Each role uses its part.
 */
#ifndef GRIPD_CONFIG_H
#define GRIPD_CONFIG_H

#include <stdint.h>

#include "config_file.h"

enum gripd_dnssec { GRIPD_DNSSEC_PREFER, GRIPD_DNSSEC_REQUIRE };

struct gripd_config {
	/* both */
	char *base_directory; /* holds the rooms of all daemons */
	int64_t requests_max; /* in flight on one connection */

	/* sign */
	char *keys_directory; /* <identity>.key and .crt */
	char *policy_file;

	/* resolve */
	struct config_list resolvers; /* address[:port]; empty: resolv.conf */
	int dnssec; /* enum gripd_dnssec */
	int64_t dns_timeout; /* seconds for one name in all */
	int64_t dns_queries_max; /* names asked at once */
	struct config_list allow_addresses; /* networks; for labs */
	int64_t verdicts_max; /* entries of the cache of verdicts */
	int64_t verdict_lifetime; /* seconds, at most */
};

/* The table; ends with a NULL name. For the test of the manual too. */
extern const struct config_key gripd_config_keys[];

/* Reads the file into *config_r. 0, or -1 with *error_r (free()). */
int gripd_config_read(const char *path, struct gripd_config *config_r,
    char **error_r);
void gripd_config_free(struct gripd_config *config);

#endif
