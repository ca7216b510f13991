/* SPDX-License-Identifier: ISC
 *
 * The mailboxes of others: those that our maps name, and a peer of the command
 * line; and whether the map has anything for our own mail domains.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "check.h"
#include "check_origin.h"
#include "json_strict.h"
#include "memory.h"
#include "service_url.h"

static void
check_other(struct check *check, const struct check_origin *origin)
{
	if (origin->outcome != OUTCOME_OK) {
		check_say(check, CHECK_FAIL, origin->url,
		    "cannot be reached: %s", origin->why.text);
		check_why(check,
		    "what goes there waits, and is delivered "
		    "without notice after notify_give_up");
		check_cure(check,
		    "is the URL in %s right? Its host must "
		    "answer: curl -v %s/.well-known/cargomail",
		    origin->named_by, origin->url);
	} else if (origin->reply.status != 200 ||
	    origin->reply.agent[0] == '\0') {
		check_say(check, CHECK_FAIL, origin->url,
		    "is no Resource Mailbox (status %u, no agent)",
		    origin->reply.status);
		check_why(check, "nothing can be notified or put there");
		check_cure(check, "correct the URL in %s", origin->named_by);
	} else {
		check_say(check, CHECK_OK, origin->url, "answers; agent %s",
		    origin->reply.agent);
	}
}

/* ---- maps -------------------------------------------------------------- */

struct domain {
	const char *name;
	bool found; /* a line of the map has a mailbox for an address of it */
};

static void
compare_domain(const char *key, const char *url, void *context)
{
	const char *at = strrchr(key, '@');
	struct domain *domain = context;

	if (at != NULL && strcasecmp(at + 1, domain->name) == 0 &&
	    strcmp(url, "-") != 0)
		domain->found = true;
}

/* A mailbox of this host, if it has any. */
static char *
own_url(const struct check *check)
{
	const struct config_list *own = &check->config.mailbox.server_names;
	const struct service_ports any = { 0 };
	struct service_url url;
	char *text;
	bool good;

	if (!check->config.mailboxd || own->count == 0)
		return x_strdup("https://MAILBOX");
	text = x_asprintf("https://%s:%lld", own->items[0],
	    (long long)check->config.mailbox.public_port);
	good = service_url_parse(text, &any, &url) == 0;
	free(text);
	return x_strdup(good ? url.text : "https://MAILBOX");
}

/* The broker acts on nothing for a domain that the map does not know. */
static void
check_domain(struct check *check, const char *name)
{
	const char *map = check->config.broker_keys.destinations;
	struct domain domain = { .name = name };
	char *url;

	check_map_each(check, map, compare_domain, &domain);
	if (domain.found)
		return;
	url = own_url(check);
	check_say(check, CHECK_WARN, map, "has no mailbox for %s", name);
	check_why(check,
	    "placeholders to its users come as they are, and what they refer "
	    "to is not fetched");
	check_cure(check,
	    "echo '@%s * %s' >> %s; systemctl restart cargomail-broker", name,
	    url, map);
	free(url);
}

void
check_maps(struct check *check)
{
	const struct check_origins *origins;
	const cJSON *domain;
	cJSON *domains;

	if (!check->config.broker)
		return;
	domains = check_mail_domains(check);
	cJSON_ArrayForEach(domain, domains)
	    check_domain(check, domain->valuestring);
	cJSON_Delete(domains);
	origins = check_origins(check);
	for (size_t i = 0; i < origins->count; i++)
		check_other(check, &origins->items[i]);
	if (origins->left > 0)
		check_say(check, CHECK_OK, "", "%zu more were not asked",
		    origins->left);
}

/* ---- a peer ------------------------------------------------------------ */

/* Its agent must be known to the DNS, else origins refuse it. */
static void
check_agent(struct check *check, const char *agent)
{
	char *error = NULL;
	cJSON *answer;

	if (agent[0] == '\0')
		return;
	answer = check_lookup(check, agent, "TXT", &error);
	if (cJSON_GetArraySize(json_array(answer, "records")) > 0) {
		check_say(check, CHECK_OK, agent, "has TXT records");
	} else {
		check_say(check, CHECK_FAIL, agent, "has no TXT record%s%s",
		    error != NULL ? ": " : "", error != NULL ? error : "");
		check_why(check,
		    "our mailbox would refuse its pulls "
		    "(\"published\")");
		check_cure(check, "tell its administrator: cargomailctl dns");
	}
	cJSON_Delete(answer);
	free(error);
}

void
check_peer(struct check *check)
{
	const struct check_origin *peer;

	if (check->peer == NULL)
		return;
	if (strncmp(check->peer, "smtp://", 7) == 0 &&
	    service_host_is_valid(check->peer + 7)) {
		check_outside_mail(check, check->peer + 7);
		return;
	}
	peer = check_origin_peer(check);
	if (peer != NULL) {
		check_other(check, peer);
		check_agent(check, peer->reply.agent);
		return;
	}
	check_say(check, CHECK_FAIL, check->peer, "is no URL of a mailbox");
	check_why(check, "it is https:// and a host name, no more");
	check_cure(check, "say --peer https://mailbox.insurance.test");
}
