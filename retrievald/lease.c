/* SPDX-License-Identifier: ISC
 *
 * Leases in, facts out; no I/O.
 */
#include "lease.h"

#include <stdlib.h>
#include <string.h>

#include "json_strict.h"
#include "memory.h"

static const char *const lease_members[] = { "lease", "agent", "origin",
	"share", "token", "until", "resources", NULL };
static const char *const resource_members[] = { "hash", "size", "have", "mode",
	NULL };

static enum outcome
refuse(struct reason *why, const char *what)
{
	return reason_set(why, OUTCOME_PERMFAIL, "lease", "%s", what);
}

/* Ids go into paths: hex and one hyphen, nothing that means something in a
 * URL. */
static bool
id_is_good(const char *id)
{
	static const char digits[] = "0123456789abcdef";
	size_t message, number;

	message = strspn(id, digits);
	if (message == 0 || id[message] != '-')
		return false;
	number = strspn(id + message + 1, digits);
	return number > 0 && id[message + 1 + number] == '\0' &&
	    message + 1 + number < LEASE_ID_SIZE;
}

static enum outcome
parse_resource(const cJSON *json, struct lease_resource *resource,
    struct reason *why)
{
	const char *hash = json_string(json, "hash");
	const char *mode = json_string(json, "mode");

	if (!json_members_exact(json, resource_members))
		return refuse(why, "members of a resource");
	if (hash == NULL || !hex_is_sha256(hash))
		return refuse(why, "hash of a resource");
	memcpy(resource->hash, hash, SHA256_HEX_SIZE);
	if (json_integer(json, "size", 0, JSON_MAX_INTEGER, &resource->size) <
		0 ||
	    json_integer(json, "have", 0, resource->size, &resource->have) < 0)
		return refuse(why, "size of a resource");
	if (mode != NULL && strcmp(mode, "get") == 0)
		resource->mode = LEASE_GET;
	else if (mode != NULL && strcmp(mode, "head") == 0)
		resource->mode = LEASE_HEAD;
	else
		return refuse(why, "mode of a resource");
	return OUTCOME_OK;
}

static enum outcome
parse_resources(const cJSON *list, struct lease *lease, struct reason *why)
{
	const cJSON *item;
	enum outcome outcome;
	int count = cJSON_GetArraySize(list);

	if (!cJSON_IsArray(list) || count > LEASE_MAX_RESOURCES)
		return refuse(why, "list of resources");
	lease->resources =
	    x_calloc((size_t)count + 1, sizeof(*lease->resources));
	cJSON_ArrayForEach(item, list)
	{
		outcome =
		    parse_resource(item, &lease->resources[lease->count], why);
		if (outcome != OUTCOME_OK)
			return outcome;
		lease->count++;
	}
	return OUTCOME_OK;
}

static enum outcome
parse_strings(const cJSON *json, struct lease *lease, struct reason *why)
{
	const struct {
		const char *name;
		char **target;
	} strings[] = {
		{ "agent", &lease->agent },
		{ "origin", &lease->origin },
		{ "share", &lease->share },
		{ "token", &lease->token },
	};
	const char *id = json_string(json, "lease"), *value;
	size_t i;

	if (id == NULL || !id_is_good(id))
		return refuse(why, "lease id");
	strcpy(lease->id, id);
	memcpy(lease->message, id, strcspn(id, "-"));
	for (i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		value = json_string(json, strings[i].name);
		if (value == NULL)
			return refuse(why, strings[i].name);
		*strings[i].target = x_strdup(value);
	}
	return OUTCOME_OK;
}

enum outcome
lease_parse(const char *body, size_t len, struct lease **lease_r,
    struct reason *why)
{
	const char *error = NULL;
	struct lease *lease = x_calloc(1, sizeof(*lease));
	cJSON *json = NULL;
	enum outcome outcome;

	*lease_r = NULL;
	json = json_parse(body, len, &error);
	if (json == NULL) {
		outcome = refuse(why, error != NULL ? error : "no JSON");
		goto out;
	}
	if (!json_members_exact(json, lease_members)) {
		outcome = refuse(why, "members");
		goto out;
	}
	outcome = parse_strings(json, lease, why);
	if (outcome == OUTCOME_OK &&
	    json_integer(json, "until", 0, JSON_MAX_INTEGER, &lease->until) < 0)
		outcome = refuse(why, "until");
	if (outcome == OUTCOME_OK)
		outcome =
		    parse_resources(json_array(json, "resources"), lease, why);
out:
	cJSON_Delete(json);
	if (outcome == OUTCOME_OK)
		*lease_r = lease;
	else
		lease_free(&lease);
	return outcome;
}

void
lease_free(struct lease **lease)
{
	if (*lease == NULL)
		return;
	free((*lease)->agent);
	free((*lease)->origin);
	free((*lease)->share);
	free((*lease)->token);
	free((*lease)->resources);
	x_free(lease);
}

void
lease_facts_set_detail(struct lease_facts *facts, const char *text)
{
	size_t i;

	for (i = 0; text[i] != '\0' && i < sizeof(facts->detail) - 1; i++)
		facts->detail[i] =
		    text[i] >= 0x20 && text[i] < 0x7f ? text[i] : '?';
	facts->detail[i] = '\0';
}

char *
lease_facts_format(const struct lease_facts *facts)
{
	cJSON *json = cJSON_CreateObject();
	char *text = NULL;

	if (json != NULL &&
	    json_add_integer(json, "status", facts->status) == 0 &&
	    json_add_string(json, "problem", facts->problem) == 0 &&
	    json_add_boolean(json, "authenticated", facts->authenticated) ==
		0 &&
	    json_add_string(json, "hash", facts->hash) == 0 &&
	    json_add_string(json, "detail", facts->detail) == 0)
		text = json_format(json);
	cJSON_Delete(json);
	return text != NULL ? text : x_strdup("{}");
}
