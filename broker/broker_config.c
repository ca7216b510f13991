/* SPDX-License-Identifier: ISC
 *
 * The table of keys and what config_file cannot check by type.
 */
#include "broker_config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"

static const char *const unauthenticated_choices[] = { "deliver", "reject",
	NULL };

/* In the order of enum cargo_convert_mode. */
static const char *const convert_choices[] = { "none", "large", "attachments",
	"all", NULL };

static const char *const legacy_choices[] = { "page", "bounce", NULL };

#define AT(member) offsetof(struct broker_config, member)
const struct config_key broker_config_keys[] = {
	{ "base_directory", CONFIG_STRING, AT(base_directory),
	    "/var/lib/cargomail", 0, 0, NULL },
	{ "group", CONFIG_STRING, AT(group), "postdrop", 0, 0, NULL },
	{ "hostname", CONFIG_STRING, AT(hostname), "", 0, 0, NULL },
	{ "listen", CONFIG_STRING, AT(listen),
	    "/var/spool/postfix/cargomail/in.sock", 0, 0, NULL },
	{ "listen_user", CONFIG_STRING, AT(listen_user), "postfix", 0, 0,
	    NULL },
	{ "reinject", CONFIG_STRING, AT(reinject),
	    "unix:/run/postfix/cargomail-back", 0, 0, NULL },
	{ "authserv_ids", CONFIG_LIST, AT(authserv_ids), "", 0, 0, NULL },
	{ "unauthenticated", CONFIG_CHOICE, AT(unauthenticated), "deliver", 0,
	    0, unauthenticated_choices },
	{ "destinations", CONFIG_STRING, AT(destinations),
	    SYSCONFDIR "/cargomail/destinations", 0, 0, NULL },
	{ "recipient_delimiter", CONFIG_STRING, AT(recipient_delimiter), "+", 0,
	    0, NULL },
	{ "local_mailboxes", CONFIG_LIST, AT(local_mailboxes), "", 0, 0, NULL },
	{ "ca_bundle", CONFIG_STRING, AT(outward.ca_bundle),
	    "/etc/ssl/certs/ca-certificates.crt", 0, 0, NULL },
	{ "tls_trust", CONFIG_LIST, AT(outward.tls_trust), "webpki", 0, 0,
	    NULL },
	{ "ports", CONFIG_STRING, AT(outward.ports), "443, 8443", 0, 0, NULL },
	{ "allow_addresses", CONFIG_LIST, AT(outward.allow_addresses), "", 0, 0,
	    NULL },
	{ "connect_timeout", CONFIG_DURATION, AT(connect_timeout), "15s", 1,
	    600, NULL },
	{ "notify_timeout", CONFIG_DURATION, AT(notify_timeout), "60s", 1, 600,
	    NULL },
	{ "notify_give_up", CONFIG_DURATION, AT(notify_give_up), "1h", 0,
	    14 * 86400, NULL },
	{ "breaker_failures", CONFIG_INTEGER, AT(breaker_failures), "3", 1,
	    1000, NULL },
	{ "breaker_pause", CONFIG_DURATION, AT(breaker_pause), "60s", 0, 86400,
	    NULL },
	{ "gripd_timeout", CONFIG_DURATION, AT(gripd_timeout), "10s", 1, 60,
	    NULL },
	{ "smtp_timeout", CONFIG_DURATION, AT(smtp_timeout), "300s", 1, 3600,
	    NULL },
	{ "max_connections", CONFIG_INTEGER, AT(max_connections), "50", 1, 1000,
	    NULL },
	{ "max_message_size", CONFIG_SIZE, AT(max_message_size), "3G", 1 << 20,
	    INT64_C(1) << 40, NULL },
	{ "out_listen", CONFIG_STRING, AT(out_listen), "", 0, 0, NULL },
	{ "reinject_out", CONFIG_STRING, AT(reinject_out),
	    "unix:/run/postfix/cargomail-sign", 0, 0, NULL },
	{ "origins", CONFIG_STRING, AT(origins),
	    SYSCONFDIR "/cargomail/origins", 0, 0, NULL },
	{ "convert", CONFIG_CHOICE, AT(convert), "large", 0, 0,
	    convert_choices },
	{ "convert_threshold", CONFIG_SIZE, AT(convert_threshold), "5M", 0,
	    INT64_C(1) << 40, NULL },
	{ "legacy_limit", CONFIG_SIZE, AT(legacy_limit), "25M", 0,
	    INT64_C(1) << 40, NULL },
	{ "legacy", CONFIG_CHOICE, AT(legacy), "page", 0, 0, legacy_choices },
	{ "share_lifetime", CONFIG_DURATION, AT(share_lifetime), "14d", 3600,
	    14 * 86400, NULL },
	{ "deliver_original_up_to", CONFIG_SIZE, AT(deliver_original_up_to),
	    "25M", 0, INT64_C(1) << 40, NULL },
	{ "release_wait", CONFIG_DURATION, AT(release_wait), "60s", 0, 240,
	    NULL },
	{ "release_give_up", CONFIG_DURATION, AT(release_give_up), "10m", 0,
	    5 * 86400, NULL },
	CONFIG_OLD("user",
	    "the broker is always cargomail-broker; take it out"),
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
check_lists(const char *path, const struct broker_config *config,
    char **error_r)
{
	struct service_url url;

	if (config->authserv_ids.count == 0)
		return fail(error_r,
		    x_asprintf("%s: authserv_ids: name the "
			       "authserv-id of your DKIM verifier, else no "
			       "placeholder "
			       "is believed",
			path));
	for (size_t i = 0; i < config->local_mailboxes.count; i++)
		if (service_url_parse(config->local_mailboxes.items[i],
			&config->outward.port_list, &url) < 0)
			return fail(error_r,
			    x_asprintf("%s: "
				       "local_mailboxes: %s is no URL of a "
				       "mailbox",
				path, config->local_mailboxes.items[i]));
	return 0;
}

static int
check_ways(const char *path, const struct broker_config *config, char **error_r)
{
	const struct {
		const char *key, *value;
	} ways[] = { { "reinject", config->reinject },
		{ "reinject_out", config->reinject_out } };

	if (config->base_directory[0] != '/' || config->listen[0] != '/' ||
	    (config->out_listen[0] != '\0' && config->out_listen[0] != '/'))
		return fail(error_r,
		    x_asprintf("%s: base_directory, listen and out_listen: "
			       "absolute paths, please",
			path));
	if (strcmp(config->listen, config->out_listen) == 0)
		return fail(error_r,
		    x_asprintf("%s: out_listen: that is the socket for mail "
			       "from outside",
			path));
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (strncmp(ways[i].value, "unix:/", 6) != 0 &&
		    strncmp(ways[i].value, "inet:", 5) != 0)
			return fail(error_r,
			    x_asprintf("%s: %s: neither unix:PATH nor "
				       "inet:HOST:PORT",
				path, ways[i].key));
	return 0;
}

static int
derive(const char *path, struct broker_config *config, char **error_r)
{
	char name[256] = "";

	if (check_ways(path, config, error_r) < 0)
		return -1;
	if (config->hostname[0] == '\0') {
		if (gethostname(name, sizeof(name) - 1) < 0)
			return fail(error_r,
			    x_asprintf("%s: hostname: cannot "
				       "be found out",
				path));
		free(config->hostname);
		config->hostname = x_strdup(name);
	}
	if (outward_derive(&config->outward, path, error_r) < 0)
		return -1;
	return check_lists(path, config, error_r);
}

int
broker_config_read(const char *path, struct broker_config *config_r,
    char **error_r)
{
	memset(config_r, 0, sizeof(*config_r));
	if (config_file_read(path, broker_config_keys, config_r, error_r) ==
		0 &&
	    derive(path, config_r, error_r) == 0)
		return 0;
	broker_config_free(config_r);
	return -1;
}

void
broker_config_free(struct broker_config *config)
{
	outward_close(&config->outward);
	config_file_free(broker_config_keys, config);
}
