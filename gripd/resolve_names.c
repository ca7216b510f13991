/* SPDX-License-Identifier: ISC
 *
 * Addresses and keys by name. Names come from strangers' messages, answers
 * from strangers' zones. An address that the policy refuses never leaves
 * here; the connecting process looks again.
 */
#include "resolve_names.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "encoding.h"
#include "grip_name.h"
#include "grip_protocol.h"
#include "json_strict.h"
#include "memory.h"

#define FAMILIES 2

static void
refuse(struct resolve_request *request, enum outcome outcome, const char *word,
    const char *text)
{
	const char *name = json_string(request->json, "name");
	struct reason why;

	reason_set(&why, outcome, word, "%s: %s", name != NULL ? name : "",
	    text);
	resolve_request_finish(request, outcome, &why, NULL);
}

/* ---- addresses ---- */

struct addresses {
	struct resolve_request *request;
	struct family {
		struct addresses *owner;
		struct dns_lookup *lookup;
		bool answered; /* definitely, be it with nothing */
		bool secure;
		uint32_t ttl;
		cJSON *list;
	} families[FAMILIES]; /* AAAA, A */
	size_t refused; /* addresses that the policy took out */
	char failure[80];
};

static void
release_addresses(struct resolve_request *request)
{
	struct addresses *state = request->state;

	for (size_t i = 0; i < FAMILIES; i++) {
		dns_lookup_cancel(&state->families[i].lookup);
		cJSON_Delete(state->families[i].list);
	}
	free(state);
}

/* The address as text; false if the policy refuses it. */
static bool
take_address(const struct dns_record *record,
    const struct address_policy *policy, char text_r[INET6_ADDRSTRLEN])
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address = { 0 };

	if (record->len == 4) {
		address.v4.sin_family = AF_INET;
		memcpy(&address.v4.sin_addr, record->data, 4);
	} else {
		address.v6.sin6_family = AF_INET6;
		memcpy(&address.v6.sin6_addr, record->data, 16);
	}
	return address_policy_allows(&address.any, policy) &&
	    inet_ntop(address.any.sa_family, record->data, text_r,
		INET6_ADDRSTRLEN) != NULL;
}

/* Appends the first list to the second, as many as a client keeps. */
static cJSON *
join_lists(struct addresses *state)
{
	cJSON *joined = cJSON_CreateArray(), *item;

	for (size_t i = 0; i < FAMILIES; i++)
		while (
		    (item = cJSON_DetachItemFromArray(state->families[i].list,
			 0)) != NULL) {
			if (cJSON_GetArraySize(joined) <
			    GRIP_PROTOCOL_ADDRESSES_MAX)
				cJSON_AddItemToArray(joined, item);
			else
				cJSON_Delete(item);
		}
	return joined;
}

/* Both families were asked. One that failed does not hide the other. */
static void
finish_addresses(struct addresses *state)
{
	const struct family *v6 = &state->families[0];
	const struct family *v4 = &state->families[1];
	struct resolve_request *request = state->request;
	cJSON *list = join_lists(state), *fields;
	uint32_t ttl = v6->ttl < v4->ttl ? v6->ttl : v4->ttl;

	if (cJSON_GetArraySize(list) > 0) {
		fields = cJSON_CreateObject();
		json_add_item(fields, "addresses", list);
		json_add_boolean(fields, "secure", v6->secure && v4->secure);
		json_add_integer(fields, "ttl", ttl == UINT32_MAX ? 0 : ttl);
		resolve_request_finish(request, OUTCOME_OK, NULL, fields);
		return;
	}
	cJSON_Delete(list);
	if (!v6->answered || !v4->answered)
		refuse(request, OUTCOME_TEMPFAIL, "dns", state->failure);
	else if (state->refused > 0)
		refuse(request, OUTCOME_TEMPFAIL, "address-policy",
		    "has only addresses that we may not connect to");
	else
		refuse(request, OUTCOME_TEMPFAIL, "no-address",
		    "has no address");
}

static void
on_addresses(void *arg, const struct dns_answer *answer)
{
	struct family *family = arg;
	struct addresses *state = family->owner;
	char text[INET6_ADDRSTRLEN];

	family->lookup = NULL;
	family->answered = answer->status != DNS_FAILED;
	family->secure = answer->secure;
	if (answer->status == DNS_FAILED)
		memcpy(state->failure, answer->detail, sizeof(state->failure));
	if (answer->count > 0)
		family->ttl = answer->ttl;
	for (size_t i = 0; i < answer->count; i++) {
		if (take_address(&answer->records[i],
			state->request->world->policy, text))
			cJSON_AddItemToArray(family->list,
			    cJSON_CreateString(text));
		else
			state->refused++;
	}
	for (size_t i = 0; i < FAMILIES; i++)
		if (state->families[i].lookup != NULL)
			return;
	finish_addresses(state);
}

void
resolve_addresses_start(struct resolve_request *request)
{
	const enum dns_type types[FAMILIES] = { DNS_AAAA, DNS_A };
	const char *name = json_string(request->json, "name");
	struct addresses *state;
	struct family *family;

	if (!grip_name_is_host(name)) {
		refuse(request, OUTCOME_PERMFAIL, "form", "is no host name");
		return;
	}
	state = x_calloc(1, sizeof(*state));
	state->request = request;
	request->state = state;
	request->release = release_addresses;
	for (size_t i = 0; i < FAMILIES; i++) {
		family = &state->families[i];
		family->owner = state;
		family->ttl = UINT32_MAX;
		family->list = cJSON_CreateArray();
		family->lookup = dns_client_lookup(request->world->dns, name,
		    types[i], on_addresses, family);
	}
}

/* ---- keys ---- */

size_t
resolve_records(const struct dns_answer *answer, struct grip_record *records_r,
    size_t max)
{
	size_t count = 0;

	for (size_t i = 0; i < answer->count && count < max; i++)
		if (grip_record_parse(answer->records[i].data,
			answer->records[i].len, &records_r[count]) == 0)
			count++;
	return count;
}

static void
release_keys(struct resolve_request *request)
{
	struct dns_lookup *lookup = request->state;

	dns_lookup_cancel(&lookup);
}

/* Without DNSSEC there are no pins: the list is empty. */
static void
on_keys(void *arg, const struct dns_answer *answer)
{
	struct resolve_request *request = arg;
	struct grip_record records[GRIP_PROTOCOL_KEYS_MAX];
	char hex[SHA256_HEX_SIZE];
	cJSON *fields, *list;
	size_t count = 0;

	request->release = NULL; /* the lookup is gone */
	if (answer->status == DNS_FAILED) {
		refuse(request, OUTCOME_TEMPFAIL, "dns", answer->detail);
		return;
	}
	if (answer->secure)
		count =
		    resolve_records(answer, records, GRIP_PROTOCOL_KEYS_MAX);
	list = cJSON_CreateArray();
	for (size_t i = 0; i < count; i++) {
		hex_format(records[i].spki_sha256, SHA256_LEN, hex);
		cJSON_AddItemToArray(list, cJSON_CreateString(hex));
	}
	fields = cJSON_CreateObject();
	json_add_item(fields, "hashes", list);
	json_add_boolean(fields, "secure", answer->secure);
	json_add_integer(fields, "ttl", answer->ttl);
	resolve_request_finish(request, OUTCOME_OK, NULL, fields);
}

void
resolve_keys_start(struct resolve_request *request)
{
	const char *name = json_string(request->json, "name");

	if (!grip_name_is_service(name, NULL)) {
		refuse(request, OUTCOME_PERMFAIL, "form",
		    "is no name of a service");
		return;
	}
	request->release = release_keys;
	request->state = dns_client_lookup(request->world->dns, name, DNS_TXT,
	    on_keys, request);
}
