/* SPDX-License-Identifier: ISC
 *
 * Which domains have Cargomail. Domains come from users' mail, answers from
 * strangers' zones. Only a clear word of the DNS is an answer: a server that
 * fails or keeps silent is temporary trouble, never a no.
 */
#include "resolve_cargomail.h"

#include <stdio.h>
#include <string.h>

#include "cargo_record.h"
#include "grip_name.h"
#include "grip_protocol.h"
#include "json_strict.h"

static void
refuse(struct resolve_request *request, enum outcome outcome, const char *word,
    const char *text)
{
	const char *domain = json_string(request->json, "domain");
	struct reason why;

	reason_set(&why, outcome, word, "%s: %s", domain != NULL ? domain : "",
	    text);
	resolve_request_finish(request, outcome, &why, NULL);
}

static void
finish(struct resolve_request *request, const struct domain_entry *entry)
{
	int64_t left = entry->until - request->world->now();
	cJSON *fields = cJSON_CreateObject();

	json_add_boolean(fields, "present", entry->present);
	json_add_boolean(fields, "secure", entry->secure);
	json_add_integer(fields, "ttl", left > 0 ? left : 0);
	resolve_request_finish(request, OUTCOME_OK, NULL, fields);
}

static void
release(struct resolve_request *request)
{
	struct dns_lookup *lookup = request->state;

	dns_lookup_cancel(&lookup);
}

static bool
has_record(const struct dns_answer *answer)
{
	for (size_t i = 0; i < answer->count; i++)
		if (cargo_record_is(answer->records[i].data,
			answer->records[i].len))
			return true;
	return false;
}

static void
on_answer(void *arg, const struct dns_answer *answer)
{
	struct resolve_request *request = arg;
	struct resolve_world *world = request->world;
	struct domain_entry entry = { .secure = answer->secure };
	int64_t ttl = RESOLVE_ABSENT_SECONDS;

	request->release = NULL; /* the lookup is gone */
	if (answer->status == DNS_FAILED) {
		refuse(request, OUTCOME_TEMPFAIL, "dns", answer->detail);
		return;
	}
	/* Where answers must be validated, one that is not says nothing. */
	entry.present =
	    has_record(answer) && (answer->secure || !world->require_secure);
	if (answer->count > 0)
		ttl = answer->ttl;
	if (ttl > DOMAIN_CACHE_SECONDS)
		ttl = DOMAIN_CACHE_SECONDS;
	entry.until = world->now() + ttl;
	domain_cache_add(world->domains, json_string(request->json, "domain"),
	    &entry);
	finish(request, &entry);
}

void
resolve_cargomail_start(struct resolve_request *request)
{
	struct resolve_world *world = request->world;
	const char *domain = json_string(request->json, "domain");
	char name[sizeof(CARGO_RECORD_LABEL) + GRIP_NAME_SIZE];
	const struct domain_entry *entry;

	if (request->peer != PEER_BROKER) {
		refuse(request, OUTCOME_PERMFAIL, "form",
		    "only a broker asks this");
		return;
	}
	if (!grip_name_is_host(domain) ||
	    strlen(domain) + strlen(CARGO_RECORD_LABEL) > GRIP_NAME_MAX) {
		refuse(request, OUTCOME_PERMFAIL, "form", "is no mail domain");
		return;
	}
	entry = domain_cache_find(world->domains, domain, world->now());
	if (entry != NULL) {
		finish(request, entry);
		return;
	}
	snprintf(name, sizeof(name), CARGO_RECORD_LABEL "%s", domain);
	request->release = release;
	request->state =
	    dns_client_lookup(world->dns, name, DNS_TXT, on_answer, request);
}
