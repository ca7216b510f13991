/* SPDX-License-Identifier: ISC
 *
 * What the world sees: our own mailboxes at the addresses that the DNS gives
 * them. From within, so a router that does not lead back to itself shows up,
 * too.
 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "json_strict.h"
#include "memory.h"

static const char *
loaded_key(struct check *check, const char *host)
{
	const cJSON *identity;

	cJSON_ArrayForEach(identity, check_identities(check))
	{
		const char *name = json_string(identity, "name");

		if (name != NULL && strcmp(name, host) == 0)
			return json_string(identity, "key");
	}
	return NULL;
}

/* How the two ways to believe it went. */
struct seen {
	const char *host, *key;
	enum outcome by_ca, by_key;
	struct reason why_ca, why_key;
	struct check_reply reply;
};

static void
look(struct check *check, const char *url, struct seen *seen)
{
	struct check_fetch fetch = { .url = url,
		.ca_bundle = check->config.broker_keys.ca_bundle };
	struct check_reply by_key;

	seen->by_ca = check->world->fetch(check->world->arg, &fetch,
	    &seen->reply, &seen->why_ca);
	fetch.ca_bundle = NULL;
	fetch.key = seen->key;
	seen->by_key = check->world->fetch(check->world->arg, &fetch, &by_key,
	    &seen->why_key);
	if (seen->by_ca != OUTCOME_OK)
		seen->reply = by_key;
}

static bool
is_distrust(enum outcome outcome, const struct reason *why)
{
	return outcome != OUTCOME_OK &&
	    (strcmp(why->word, "certificate") == 0 ||
		strcmp(why->word, "tls") == 0);
}

/* The agent that mailboxd.conf has for a host name. */
static const char *
agent_of(const struct check *check, const char *host)
{
	const struct config_list *list = &check->config.mailbox.agents;
	const size_t len = strlen(host);

	for (size_t i = 0; i < list->count; i++)
		if (strncmp(list->items[i], host, len) == 0 &&
		    list->items[i][len] == ':')
			return list->items[i] + len + 1;
	return check->config.mailbox.agent;
}

static void
judge(struct check *check, const struct seen *seen, bool web)
{
	const char *agent = agent_of(check, seen->host);

	if (seen->by_key == OUTCOME_OK && seen->by_ca == OUTCOME_OK) {
		if (!web && strcmp(seen->reply.agent, agent) != 0) {
			check_say(check, CHECK_FAIL, seen->host,
			    "says that its agent is \"%s\", not %s",
			    seen->reply.agent, agent);
			check_why(check,
			    "brokers name that agent in their "
			    "tokens, and pulls fail");
			check_cure(check,
			    "restart cargomail-mailboxd; is "
			    "\"agents\" of mailboxd.conf right?");
			return;
		}
		check_say(check, CHECK_OK, seen->host,
		    "answers with our key and a certificate that is believed");
	} else if (seen->by_key == OUTCOME_OK) {
		check_say(check, CHECK_WARN, seen->host,
		    "its certificate is not believed: %s", seen->why_ca.text);
		check_why(check,
		    "only those who trust by DNS (tls_trust = "
		    "dns) speak to it; browsers and users' "
		    "clients do not");
		check_cure(check,
		    "get one of a public CA; is the chain whole "
		    "(leaf first, then intermediates)?");
	} else if (seen->by_ca == OUTCOME_OK ||
	    is_distrust(seen->by_key, &seen->why_key)) {
		check_say(check, CHECK_FAIL, seen->host,
		    "another key than ours answers there");
		check_why(check,
		    "TLS must end in mailboxd, which asks brokers and agents "
		    "for their certificates: a proxy that ends it (nginx, a "
		    "CDN), or another server's address, stands in between");
		check_cure(check,
		    "pass the port on at layer 4 (nginx stream, haproxy mode "
		    "tcp), or correct the address in the DNS");
	} else {
		check_say(check, CHECK_FAIL, seen->host,
		    "cannot be reached at its public address: %s",
		    seen->why_key.text);
		check_why(check,
		    "others cannot, either, unless only this "
		    "host is led astray");
		check_cure(check,
		    "is cargomail-mailboxd up, \"listen\" right, port %lld "
		    "open in the firewall? Look from outside, too: curl -v "
		    "https://%s/.well-known/cargomail",
		    (long long)check->config.mailbox.public_port, seen->host);
	}
}

static void
check_host(struct check *check, const char *host, bool web)
{
	struct seen seen = { .host = host, .key = loaded_key(check, host) };
	char *url;

	if (seen.key == NULL) {
		check_say(check, CHECK_FAIL, host,
		    "the signer has no key of this name");
		check_why(check, "mailboxd cannot serve it");
		check_cure(check,
		    "add \"%s role=%s\" to the policy, gripd "
		    "keygen %s %s, restart cargomail-gripd-sign",
		    host, web ? "web" : "mailbox", web ? "-w" : "-s", host);
		return;
	}
	url = x_asprintf("https://%s:%lld/.well-known/cargomail", host,
	    (long long)check->config.mailbox.public_port);
	look(check, url, &seen);
	judge(check, &seen, web);
	free(url);
}

/* web_hosts are "web:mailbox" pairs or names. */
static void
check_web(struct check *check, const char *item)
{
	char *name = x_strndup(item, strcspn(item, ":"));

	check_host(check, name, true);
	free(name);
}

void
check_public(struct check *check)
{
	const struct check_config *config = &check->config;
	char *error = NULL;
	cJSON *status;

	if (!config->mailboxd)
		return;
	status = check_ask(check, "gripd-sign", "status", &error);
	free(error);
	if (status == NULL)
		return; /* `daemons` says so */
	cJSON_Delete(status);
	for (size_t i = 0; i < config->mailbox.server_names.count; i++)
		check_host(check, config->mailbox.server_names.items[i], false);
	for (size_t i = 0; i < config->mailbox.web_hosts.count; i++)
		check_web(check, config->mailbox.web_hosts.items[i]);
}
