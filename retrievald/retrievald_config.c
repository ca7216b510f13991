/* SPDX-License-Identifier: ISC
 *
 * The table of keys and what config_file cannot check by type.
 */
#include "retrievald_config.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

#define AT(member) offsetof(struct retrievald_config, member)
const struct config_key retrievald_config_keys[] = {
	{ "base_directory", CONFIG_STRING, AT(base_directory),
	    "/var/lib/cargomail", 0, 0, NULL },
	{ "workers", CONFIG_INTEGER, AT(workers), "8", 1,
	    RETRIEVALD_MAX_WORKERS, NULL },
	{ "ca_bundle", CONFIG_STRING, AT(outward.ca_bundle),
	    "/etc/ssl/certs/ca-certificates.crt", 0, 0, NULL },
	{ "tls_trust", CONFIG_LIST, AT(outward.tls_trust), "webpki", 0, 0,
	    NULL },
	{ "ports", CONFIG_STRING, AT(outward.ports), "443, 8443", 0, 0, NULL },
	{ "allow_addresses", CONFIG_LIST, AT(outward.allow_addresses), "", 0, 0,
	    NULL },
	{ "connect_timeout", CONFIG_DURATION, AT(connect_timeout), "30s", 1,
	    600, NULL },
	{ "stall_timeout", CONFIG_DURATION, AT(stall_timeout), "60s", 1, 3600,
	    NULL },
	{ "minimum_rate", CONFIG_SIZE, AT(minimum_rate), "16K", 1, 1LL << 30,
	    NULL },
	{ "slice", CONFIG_DURATION, AT(slice), "5m", 10, 86400, NULL },
	{ "lease_wait", CONFIG_DURATION, AT(lease_wait), "60s", 1, 120, NULL },
	{ "gripd_timeout", CONFIG_DURATION, AT(gripd_timeout), "10s", 1, 60,
	    NULL },
	CONFIG_OLD("signer_timeout", "use gripd_timeout"),
	CONFIG_OLD("user",
	    "retrievald is always cargomail-retrieval; take it out"),
	{ NULL, 0, 0, NULL, 0, 0, NULL },
};
#undef AT

static int
fail(char **error_r, char *error)
{
	*error_r = error;
	return -1;
}

static int
derive(const char *path, struct retrievald_config *config, char **error_r)
{
	if (config->base_directory[0] != '/')
		return fail(error_r,
		    x_asprintf("%s: base_directory: not an "
			       "absolute path",
			path));
	return outward_derive(&config->outward, path, error_r);
}

int
retrievald_config_read(const char *path, struct retrievald_config *config_r,
    char **error_r)
{
	memset(config_r, 0, sizeof(*config_r));
	if (config_file_read(path, retrievald_config_keys, config_r, error_r) ==
		0 &&
	    derive(path, config_r, error_r) == 0)
		return 0;
	retrievald_config_free(config_r);
	return -1;
}

void
retrievald_config_free(struct retrievald_config *config)
{
	outward_close(&config->outward);
	config_file_free(retrievald_config_keys, config);
}
