/* SPDX-License-Identifier: ISC
 *
 * The keys that checks need.
 */
#include "check_config.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"

#define DIRECTORY SYSCONFDIR "/cargomail"
#define AT(member) offsetof(struct check_config, member)

static const char *const dnssec_choices[] = { "prefer", "require", NULL };

const struct config_key check_config_gripd[] = {
	{ "base_directory", CONFIG_STRING, AT(grip.base_directory),
	    "/var/lib/cargomail", 0, 0, NULL },
	{ "keys_directory", CONFIG_STRING, AT(grip.keys_directory),
	    DIRECTORY "/keys", 0, 0, NULL },
	{ "policy_file", CONFIG_STRING, AT(grip.policy_file),
	    DIRECTORY "/policy", 0, 0, NULL },
	{ "dnssec", CONFIG_CHOICE, AT(grip.require), "prefer", 0, 0,
	    dnssec_choices },
	{ NULL, 0, 0, NULL, 0, 0, NULL },
};

const struct config_key check_config_mailboxd[] = {
	{ "server_names", CONFIG_LIST, AT(mailbox.server_names), "", 0, 0,
	    NULL },
	{ "web_hosts", CONFIG_LIST, AT(mailbox.web_hosts), "", 0, 0, NULL },
	{ "agent", CONFIG_STRING, AT(mailbox.agent), "", 0, 0, NULL },
	{ "agents", CONFIG_LIST, AT(mailbox.agents), "", 0, 0, NULL },
	{ "free_space_floor", CONFIG_SIZE, AT(mailbox.free_space_floor), "1G",
	    0, 0, NULL },
	{ "public_port", CONFIG_INTEGER, AT(mailbox.public_port), "443", 1,
	    65535, NULL },
	{ "proxy_protocol", CONFIG_BOOLEAN, AT(mailbox.proxy_protocol), "no", 0,
	    0, NULL },
	{ NULL, 0, 0, NULL, 0, 0, NULL },
};

const struct config_key check_config_broker[] = {
	{ "listen", CONFIG_STRING, AT(broker_keys.listen),
	    "/var/spool/postfix/cargomail/in.sock", 0, 0, NULL },
	{ "listen_user", CONFIG_STRING, AT(broker_keys.listen_user), "postfix",
	    0, 0, NULL },
	{ "reinject", CONFIG_STRING, AT(broker_keys.reinject),
	    "unix:/run/postfix/cargomail-back", 0, 0, NULL },
	{ "out_listen", CONFIG_STRING, AT(broker_keys.out_listen), "", 0, 0,
	    NULL },
	{ "reinject_out", CONFIG_STRING, AT(broker_keys.reinject_out),
	    "unix:/run/postfix/cargomail-sign", 0, 0, NULL },
	{ "destinations", CONFIG_STRING, AT(broker_keys.destinations),
	    DIRECTORY "/destinations", 0, 0, NULL },
	{ "origins", CONFIG_STRING, AT(broker_keys.origins),
	    DIRECTORY "/origins", 0, 0, NULL },
	{ "ca_bundle", CONFIG_STRING, AT(broker_keys.ca_bundle),
	    "/etc/ssl/certs/ca-certificates.crt", 0, 0, NULL },
	{ "authserv_ids", CONFIG_LIST, AT(broker_keys.authserv_ids), "", 0, 0,
	    NULL },
	{ "local_mailboxes", CONFIG_LIST, AT(broker_keys.local_mailboxes), "",
	    0, 0, NULL },
	{ "hostname", CONFIG_STRING, AT(broker_keys.hostname), "", 0, 0, NULL },
	{ "recipient_delimiter", CONFIG_STRING,
	    AT(broker_keys.recipient_delimiter), "+", 0, 0, NULL },
	{ "legacy_limit", CONFIG_SIZE, AT(broker_keys.legacy_limit), "25M", 0,
	    INT64_C(1) << 40, NULL },
	{ NULL, 0, 0, NULL, 0, 0, NULL },
};

/* True if the file is there, right or wrong. */
static bool
read_one(const char *root, const char *name, const struct config_key *keys,
    struct check_config *config)
{
	char *path = x_asprintf("%s" DIRECTORY "/%s.conf", root, name);
	char *error = NULL;
	bool there = access(path, F_OK) == 0;

	if (keys != NULL &&
	    (!there || config_file_peek(path, keys, config, &error) != 0)) {
		free(error);
		error = NULL;
		/* Defaults alone are never wrong. */
		config_file_parse(name, "", 0, keys, config, &error);
	}
	free(error);
	free(path);
	return there;
}

void
check_config_read(const char *root, struct check_config *config_r)
{
	memset(config_r, 0, sizeof(*config_r));
	config_r->gripd = read_one(root, "gripd", check_config_gripd, config_r);
	config_r->mailboxd =
	    read_one(root, "mailboxd", check_config_mailboxd, config_r);
	config_r->broker =
	    read_one(root, "broker", check_config_broker, config_r);
	config_r->retrievald = read_one(root, "retrievald", NULL, config_r);
}

void
check_config_free(struct check_config *config)
{
	config_file_free(check_config_gripd, config);
	config_file_free(check_config_mailboxd, config);
	config_file_free(check_config_broker, config);
}
