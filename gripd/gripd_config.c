/* SPDX-License-Identifier: ISC
 *
 * The keys of gripd.conf. Reads what root wrote, before privileges are
 * dropped.
 */
#include "gripd_config.h"

#define AT(member) offsetof(struct gripd_config, member)

static const char *const dnssec_choices[] = {
	[GRIPD_DNSSEC_PREFER] = "prefer",
	[GRIPD_DNSSEC_REQUIRE] = "require",
	NULL,
};

const struct config_key gripd_config_keys[] = {
	{ "base_directory", CONFIG_STRING, AT(base_directory),
	    "/var/lib/cargomail", 0, 0, NULL },
	{ "requests_max", CONFIG_INTEGER, AT(requests_max), "1000", 1, 10000,
	    NULL },
	{ "keys_directory", CONFIG_STRING, AT(keys_directory),
	    SYSCONFDIR "/cargomail/keys", 0, 0, NULL },
	{ "policy_file", CONFIG_STRING, AT(policy_file),
	    SYSCONFDIR "/cargomail/policy", 0, 0, NULL },
	{ "resolvers", CONFIG_LIST, AT(resolvers), "", 0, 0, NULL },
	{ "dnssec", CONFIG_CHOICE, AT(dnssec), "prefer", 0, 0, dnssec_choices },
	{ "dns_timeout", CONFIG_DURATION, AT(dns_timeout), "5s", 1, 60, NULL },
	{ "dns_queries_max", CONFIG_INTEGER, AT(dns_queries_max), "2000", 1,
	    10000, NULL },
	{ "allow_addresses", CONFIG_LIST, AT(allow_addresses), "", 0, 0, NULL },
	{ "verdicts_max", CONFIG_INTEGER, AT(verdicts_max), "1024", 0, 1000000,
	    NULL },
	{ "verdict_lifetime", CONFIG_DURATION, AT(verdict_lifetime), "10m", 0,
	    600, NULL },
	{ NULL, 0, 0, NULL, 0, 0, NULL },
};

int
gripd_config_read(const char *path, struct gripd_config *config_r,
    char **error_r)
{
	*config_r = (struct gripd_config){ 0 };
	return config_file_read(path, gripd_config_keys, config_r, error_r);
}

void
gripd_config_free(struct gripd_config *config)
{
	config_file_free(gripd_config_keys, config);
}
