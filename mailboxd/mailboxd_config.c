/* SPDX-License-Identifier: ISC
 *
 * The keys of mailboxd.conf and what must hold between them.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "grip_name.h"
#include "mailboxd_config.h"
#include "memory.h"

#define AT(member) offsetof(struct mailboxd_config, member)

static const char *const release_choices[] = { "never", "broker", NULL };

/* name, type, where, default, least, most, choices */
static const struct config_key keys[] = {
	{ "base_directory", CONFIG_STRING, AT(base_directory),
	    "/var/lib/cargomail", 0, 0, NULL },
	{ "listen", CONFIG_LIST, AT(listen), "0.0.0.0:443", 0, 0, NULL },
	{ "server_names", CONFIG_LIST, AT(server_names), NULL, 0, 0, NULL },
	{ "web_hosts", CONFIG_LIST, AT(web_hosts), "", 0, 0, NULL },
	{ "proxy_protocol", CONFIG_BOOLEAN, AT(proxy_protocol), "no", 0, 0,
	    NULL },
	{ "public_port", CONFIG_INTEGER, AT(public_port), "443", 1, 65535,
	    NULL },
	{ "ports", CONFIG_STRING, AT(ports), "443, 8443", 0, 0, NULL },
	{ "agent", CONFIG_STRING, AT(agent), NULL, 0, 0, NULL },
	{ "agents", CONFIG_LIST, AT(agents), "", 0, 0, NULL },
	{ "enrolled", CONFIG_LIST, AT(enrolled), "", 0, 0, NULL },
	{ "create_accounts", CONFIG_LIST, AT(create_accounts), "", 0, 0, NULL },
	{ "create_accounts_per_hour", CONFIG_INTEGER,
	    AT(create_accounts_per_hour), "100", 1, 1000000, NULL },
	{ "release", CONFIG_CHOICE, AT(release), "never", 0, 0,
	    release_choices },
	{ "quota", CONFIG_SIZE, AT(quota), "10G", 0, 0, NULL },
	{ "sent_keep", CONFIG_DURATION, AT(sent_keep), "0", 0,
	    10 * 365 * 86400LL, NULL },
	{ "resource_max", CONFIG_SIZE, AT(resource_max), "16G", 1, 1LL << 50,
	    NULL },
	{ "free_space_floor", CONFIG_SIZE, AT(free_space_floor), "1G", 0, 0,
	    NULL },
	{ "session_lifetime", CONFIG_DURATION, AT(session_lifetime), "90d", 60,
	    10 * 365 * 86400LL, NULL },
	{ "connections", CONFIG_INTEGER, AT(connections), "2000", 8, 1000000,
	    NULL },
	{ "connections_per_client", CONFIG_INTEGER, AT(connections_per_client),
	    "200", 0, 1000000, NULL },
	{ "disk_threads", CONFIG_INTEGER, AT(disk_threads), "4", 1, 64, NULL },
	{ "lease_time", CONFIG_DURATION, AT(lease_time), "2m", 10, 86400,
	    NULL },
	{ "leases_per_origin", CONFIG_INTEGER, AT(leases_per_origin), "4", 1,
	    1000, NULL },
	{ "retry_first", CONFIG_DURATION, AT(retry_first), "1m", 1, 86400,
	    NULL },
	{ "retry_most", CONFIG_DURATION, AT(retry_most), "4h", 1, 7 * 86400,
	    NULL },
	{ "gripd_timeout", CONFIG_DURATION, AT(gripd_timeout), "10s", 1, 300,
	    NULL },
	{ NULL, CONFIG_STRING, 0, NULL, 0, 0, NULL },
};

const struct config_key *
mailboxd_config_keys(void)
{
	return keys;
}

/* "left:right": 1 if left is exactly `left` and right `right`. A NULL
 * matches anything. */
static bool
pair_matches(const char *pair, const char *left, const char *right)
{
	const char *colon = strchr(pair, ':');
	size_t len;

	if (colon == NULL)
		return false;
	len = (size_t)(colon - pair);
	if (left != NULL &&
	    (strlen(left) != len || strncmp(pair, left, len) != 0))
		return false;
	return right == NULL || strcmp(colon + 1, right) == 0;
}

/* Splits a pair; both halves are the caller's. 0, or -1. */
static int
pair_split(const char *pair, char **left_r, char **right_r)
{
	const char *colon = strchr(pair, ':');

	if (colon == NULL)
		return -1;
	*left_r = x_strndup(pair, (size_t)(colon - pair));
	*right_r = x_strdup(colon + 1);
	return 0;
}

static int
check_agents(const struct mailboxd_config *config, char **error_r)
{
	char *host, *agent;
	size_t i;
	int good;

	for (i = 0; i < config->agents.count; i++) {
		if (pair_split(config->agents.items[i], &host, &agent) == -1) {
			*error_r =
			    x_asprintf("agents: %s is not host:_rra.domain",
				config->agents.items[i]);
			return -1;
		}
		good = config_list_has(&config->server_names, host) &&
		    grip_name_is_service(agent, "_rra");
		free(host);
		free(agent);
		if (!good) {
			*error_r = x_asprintf("agents: %s does not name one "
					      "of server_names and an agent",
			    config->agents.items[i]);
			return -1;
		}
	}
	return 0;
}

static int
check_enrolled(const struct mailboxd_config *config, char **error_r)
{
	char *broker, *domain;
	size_t i;
	int good;

	for (i = 0; i < config->enrolled.count; i++) {
		good = 0;
		if (pair_split(config->enrolled.items[i], &broker, &domain) ==
		    0) {
			good = grip_name_is_service(broker, "_cb") &&
			    grip_name_is_host(domain);
			free(broker);
			free(domain);
		}
		if (!good) {
			*error_r =
			    x_asprintf("enrolled: %s is not _cb.domain:domain",
				config->enrolled.items[i]);
			return -1;
		}
	}
	return 0;
}

static int
check_created(const struct mailboxd_config *config, char **error_r)
{
	size_t i;

	for (i = 0; i < config->create_accounts.count; i++)
		if (!grip_name_is_host(config->create_accounts.items[i])) {
			*error_r = x_asprintf("create_accounts: %s is no mail "
					      "domain in lower case",
			    config->create_accounts.items[i]);
			return -1;
		}
	return 0;
}

static int
check_hosts(const struct mailboxd_config *config, char **error_r)
{
	size_t i;

	for (i = 0; i < config->server_names.count; i++)
		if (!grip_name_is_host(config->server_names.items[i])) {
			*error_r = x_asprintf("server_names: %s is no host "
					      "name in lower case",
			    config->server_names.items[i]);
			return -1;
		}
	return 0;
}

/* A host of two uses would serve people what is for daemons, or the other
 * way round. */
static int
check_web_hosts(const struct mailboxd_config *config, char **error_r)
{
	const char *item, *host;
	char *name, *web;
	size_t i;
	bool known;

	for (i = 0; i < config->web_hosts.count; i++) {
		item = config->web_hosts.items[i];
		host = mailboxd_config_web_host(item);
		known = host == item;
		if (!known && pair_split(item, &name, &web) == 0) {
			known = config_list_has(&config->server_names, name);
			free(name);
			free(web);
		}
		if (known && grip_name_is_host(host) &&
		    !config_list_has(&config->server_names, host))
			continue;
		if (config_list_has(&config->server_names, host))
			*error_r = x_asprintf("web_hosts: %s is one of "
					      "server_names, which serves "
					      "programs only; give browsers "
					      "a name of their own",
			    host);
		else
			*error_r = x_asprintf("web_hosts: %s is not a host "
					      "name of its own, or one of "
					      "server_names, ':' and such a "
					      "name",
			    item);
		return -1;
	}
	return 0;
}

static int
check_names(struct mailboxd_config *config, char **error_r)
{
	if (config->server_names.count == 0) {
		*error_r = x_strdup("server_names: none given");
		return -1;
	}
	if (check_hosts(config, error_r) == -1 ||
	    check_web_hosts(config, error_r) == -1)
		return -1;
	if (!grip_name_is_service(config->agent, "_rra")) {
		*error_r =
		    x_asprintf("agent: %s is not _rra.domain", config->agent);
		return -1;
	}
	if (config->base_directory[0] != '/') {
		*error_r = x_strdup("base_directory: not an absolute path");
		return -1;
	}
	if (service_ports_parse(config->ports, &config->origin_ports) == -1) {
		*error_r =
		    x_asprintf("ports: %s is no list of ports", config->ports);
		return -1;
	}
	if (config->retry_first > config->retry_most) {
		*error_r = x_strdup("retry_first: longer than retry_most");
		return -1;
	}
	return 0;
}

int
mailboxd_config_read(const char *path, struct mailboxd_config *config,
    char **error_r)
{
	char *error = NULL;

	if (config_file_read(path, keys, config, error_r) == -1)
		return -1;
	if (check_names(config, &error) == -1 ||
	    check_agents(config, &error) == -1 ||
	    check_enrolled(config, &error) == -1 ||
	    check_created(config, &error) == -1) {
		*error_r = x_asprintf("%s: %s", path, error);
		free(error);
		mailboxd_config_free(config);
		return -1;
	}
	return 0;
}

void
mailboxd_config_free(struct mailboxd_config *config)
{
	config_file_free(keys, config);
}

const char *
mailboxd_config_agent(const struct mailboxd_config *config,
    const char *server_name)
{
	size_t i;

	for (i = 0; i < config->agents.count; i++)
		if (pair_matches(config->agents.items[i], server_name, NULL))
			return strchr(config->agents.items[i], ':') + 1;
	return config->agent;
}

const char *
mailboxd_config_web_host(const char *item)
{
	const char *colon = strchr(item, ':');

	return colon != NULL ? colon + 1 : item;
}

const char *
mailboxd_config_web(const struct mailboxd_config *config,
    const char *server_name)
{
	const struct config_list *list = &config->web_hosts;
	size_t i;

	for (i = 0; i < list->count; i++)
		if (pair_matches(list->items[i], server_name, NULL))
			return mailboxd_config_web_host(list->items[i]);
	for (i = 0; i < list->count; i++)
		if (strchr(list->items[i], ':') == NULL)
			return list->items[i];
	return NULL;
}

bool
mailboxd_config_is_web(const struct mailboxd_config *config, const char *host)
{
	size_t i;

	for (i = 0; i < config->web_hosts.count; i++)
		if (strcmp(mailboxd_config_web_host(config->web_hosts.items[i]),
			host) == 0)
			return true;
	return false;
}

bool
mailboxd_config_enrolled(const struct mailboxd_config *config,
    const char *broker, const char *domain)
{
	size_t i;

	for (i = 0; i < config->enrolled.count; i++)
		if (pair_matches(config->enrolled.items[i], broker, domain))
			return true;
	return false;
}

char *
mailboxd_config_url(const struct mailboxd_config *config,
    const char *server_name)
{
	if (config->public_port == 443)
		return x_asprintf("https://%s", server_name);
	return x_asprintf("https://%s:%lld", server_name,
	    (long long)config->public_port);
}
