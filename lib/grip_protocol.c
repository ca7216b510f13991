/* SPDX-License-Identifier: ISC
 *
 * Packets of the local protocols: the table of verbs, hello, the frame of
 * requests and answers. What is inside verbs is in grip_protocol_verbs.c.
 *
 * Trust: packets are hostile. They are at most GRIP_PROTOCOL_PACKET_MAX
 * bytes, pass json_strict first and may hold no member that the table does
 * not name.
 */
#include "grip_protocol.h"

#include <stdlib.h>
#include <string.h>

#include "json_strict.h"

static const struct grip_verb grip_verbs[] = {
	{ GRIP_PROTOCOL_SIGN, "identities", { NULL }, { "after" } },
	{ GRIP_PROTOCOL_SIGN, "token", { "identity", "type", "claims" },
	    { NULL } },
	{ GRIP_PROTOCOL_SIGN, "handshake", { "identity", "content" },
	    { NULL } },
	{ GRIP_PROTOCOL_RESOLVE, "verify", { "route", "token", "audiences" },
	    { "certificate", "local" } },
	{ GRIP_PROTOCOL_RESOLVE, "addresses", { "name" }, { NULL } },
	{ GRIP_PROTOCOL_RESOLVE, "keys", { "name" }, { NULL } },
	{ GRIP_PROTOCOL_RESOLVE, "cargomail", { "domain" }, { NULL } },
	{ NULL, NULL, { NULL }, { NULL } },
};

const struct grip_verb *
grip_protocol_verbs(void)
{
	return grip_verbs;
}

static const char *const grip_role_names[] = { "broker", "agent", "mailbox",
	"web" };

const char *
grip_role_name(enum grip_role role)
{
	return role <= GRIP_ROLE_WEB ? grip_role_names[role] : "";
}

int
grip_role_parse(const char *name, enum grip_role *role_r)
{
	for (unsigned i = 0; i <= GRIP_ROLE_WEB; i++)
		if (name != NULL && strcmp(name, grip_role_names[i]) == 0) {
			*role_r = (enum grip_role)i;
			return 0;
		}
	return -1;
}

static const char *const grip_route_names[GRIP_TYPE_COUNT] = {
	[GRIP_NOTIFY] = "notify",
	[GRIP_GET] = "get",
	[GRIP_PUT] = "put",
	[GRIP_RELEASE] = "release",
};

const char *
grip_route_name(enum grip_type type)
{
	return type < GRIP_TYPE_COUNT ? grip_route_names[type] : "";
}

int
grip_route_parse(const char *name, enum grip_type *type_r)
{
	for (unsigned i = 0; i < GRIP_TYPE_COUNT; i++)
		if (name != NULL && strcmp(name, grip_route_names[i]) == 0) {
			*type_r = (enum grip_type)i;
			return 0;
		}
	return -1;
}

/* ---- hello ---- */

char *
grip_protocol_hello_format(const char *protocol)
{
	cJSON *json = cJSON_CreateObject();
	char *text = NULL;

	if (json != NULL && json_add_string(json, "protocol", protocol) == 0 &&
	    json_add_integer(json, "version", GRIP_PROTOCOL_VERSION) == 0)
		text = json_format(json);
	cJSON_Delete(json);
	return text;
}

char *
grip_protocol_error_format(const char *text)
{
	cJSON *json = cJSON_CreateObject();
	char *packet = NULL;

	if (json != NULL && json_add_string(json, "error", text) == 0)
		packet = json_format(json);
	cJSON_Delete(json);
	return packet;
}

enum outcome
grip_protocol_hello_parse(const char *protocol, const void *data, size_t len,
    struct reason *why)
{
	static const char *const members[] = { "protocol", "version", NULL };
	cJSON *json = json_parse(data, len, NULL);
	const char *text = json_string(json, "protocol");
	const char *error = json_string(json, "error");
	enum outcome outcome = OUTCOME_OK;
	int64_t version;

	if (error != NULL)
		outcome = reason_set(why, OUTCOME_TEMPFAIL, "protocol",
		    "the other side says: %s", error);
	else if (!json_members_exact(json, members) || text == NULL ||
	    json_integer(json, "version", 0, JSON_MAX_INTEGER, &version) != 0)
		outcome = reason_set(why, OUTCOME_TEMPFAIL, "protocol",
		    "the first packet is no hello");
	else if (strcmp(text, protocol) != 0)
		outcome = reason_set(why, OUTCOME_TEMPFAIL, "protocol",
		    "the other side speaks %s, not %s", text, protocol);
	else if (version != GRIP_PROTOCOL_VERSION)
		outcome = reason_set(why, OUTCOME_TEMPFAIL, "protocol",
		    "version %lld, not %d: old and new programs mixed?",
		    (long long)version, GRIP_PROTOCOL_VERSION);
	cJSON_Delete(json);
	return outcome;
}

/* ---- requests ---- */

static const struct grip_verb *
grip_verb_find(const char *protocol, const char *name)
{
	for (const struct grip_verb *v = grip_verbs; v->name != NULL; v++)
		if (name != NULL && strcmp(v->protocol, protocol) == 0 &&
		    strcmp(v->name, name) == 0)
			return v;
	return NULL;
}

static bool
grip_verb_lists(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count && names[i] != NULL; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static bool
grip_verb_knows(const struct grip_verb *verb, const char *name)
{
	return strcmp(name, "id") == 0 || strcmp(name, "verb") == 0 ||
	    grip_verb_lists(verb->required, 4, name) ||
	    grip_verb_lists(verb->optional, 4, name);
}

static enum outcome
grip_request_check(const struct grip_protocol_request *request,
    struct reason *why)
{
	const struct grip_verb *verb = request->verb;
	const cJSON *item;

	if (verb == NULL)
		return reason_set(why, OUTCOME_PERMFAIL, "form",
		    "unknown verb");
	cJSON_ArrayForEach(item,
	    request->json) if (!grip_verb_knows(verb,
				   item->string)) return reason_set(why,
	    OUTCOME_PERMFAIL, "form", "unknown member %s of %s", item->string,
	    verb->name);
	for (size_t i = 0; i < 4 && verb->required[i] != NULL; i++)
		if (cJSON_GetObjectItemCaseSensitive(request->json,
			verb->required[i]) == NULL)
			return reason_set(why, OUTCOME_PERMFAIL, "form",
			    "%s without %s", verb->name, verb->required[i]);
	return OUTCOME_OK;
}

enum outcome
grip_protocol_request_parse(const char *protocol, const void *data, size_t len,
    struct grip_protocol_request *request_r, struct reason *why)
{
	const char *error = "too large";
	enum outcome outcome;

	request_r->id = -1;
	request_r->verb = NULL;
	request_r->json = NULL;
	if (len <= GRIP_PROTOCOL_PACKET_MAX)
		request_r->json = json_parse(data, len, &error);
	if (request_r->json == NULL && strcmp(error, JSON_NO_MEMORY) == 0)
		return reason_set(why, OUTCOME_TEMPFAIL, "memory", "%s", error);
	if (request_r->json == NULL)
		return reason_set(why, OUTCOME_PERMFAIL, "form",
		    "a packet that is no JSON of ours: %s", error);
	if (json_integer(request_r->json, "id", 0, JSON_MAX_INTEGER,
		&request_r->id) != 0) {
		request_r->id = -1;
		outcome = reason_set(why, OUTCOME_PERMFAIL, "form",
		    "a request without an id");
	} else {
		request_r->verb = grip_verb_find(protocol,
		    json_string(request_r->json, "verb"));
		outcome = grip_request_check(request_r, why);
	}
	if (outcome != OUTCOME_OK) {
		cJSON_Delete(request_r->json);
		request_r->json = NULL;
	}
	return outcome;
}

void
grip_protocol_request_free(struct grip_protocol_request *request)
{
	cJSON_Delete(request->json);
	request->json = NULL;
	request->verb = NULL;
	request->id = -1;
}

cJSON *
grip_protocol_request_new(const char *verb)
{
	cJSON *json = cJSON_CreateObject();

	if (json != NULL && json_add_string(json, "verb", verb) != 0) {
		cJSON_Delete(json);
		return NULL;
	}
	return json;
}

/* ---- answers ---- */

/* Reasons quote hostile bytes and may end within a UTF-8 character; what the
 * peer's strict parser would refuse becomes a question mark. */
static int
grip_answer_add_reason(cJSON *json, const struct reason *why)
{
	char text[sizeof(why->text)];
	size_t i;

	if (json_add_string(json, "reason",
		why != NULL ? why->word : "internal") != 0)
		return -1;
	for (i = 0; why != NULL && why->text[i] != '\0'; i++)
		text[i] = why->text[i] >= ' ' && why->text[i] < 0x7f ?
		    why->text[i] :
		    '?';
	text[i] = '\0';
	return json_add_string(json, "detail", text);
}

char *
grip_protocol_answer_format(int64_t id, enum outcome outcome,
    const struct reason *why, cJSON *fields)
{
	cJSON *json = fields;
	char *text = NULL;
	int rc;

	if (outcome != OUTCOME_OK || json == NULL) {
		cJSON_Delete(json);
		json = cJSON_CreateObject();
	}
	if (json == NULL)
		return NULL;
	rc = json_add_integer(json, "id", id);
	rc |= json_add_string(json, "outcome", outcome_name(outcome));
	if (outcome != OUTCOME_OK)
		rc |= grip_answer_add_reason(json, why);
	if (rc == 0)
		text = json_format(json);
	cJSON_Delete(json);
	if (text != NULL && strlen(text) > GRIP_PROTOCOL_PACKET_MAX) {
		free(text);
		return NULL;
	}
	return text;
}

int
grip_protocol_answer_parse(const void *data, size_t len, int64_t *id_r,
    cJSON **answer_r, struct reason *why_r)
{
	cJSON *json = json_parse(data, len, NULL);
	const char *word = json_string(json, "reason");
	const char *text = json_string(json, "detail");
	enum outcome outcome;

	if (json == NULL ||
	    json_integer(json, "id", 0, JSON_MAX_INTEGER, id_r) != 0 ||
	    outcome_parse(json_string(json, "outcome"), &outcome) != 0 ||
	    (outcome != OUTCOME_OK && word == NULL)) {
		cJSON_Delete(json);
		reason_set(why_r, OUTCOME_TEMPFAIL, "protocol",
		    "a packet that is no answer");
		return -1;
	}
	reason_set(why_r, outcome, word != NULL ? word : "", "%s",
	    text != NULL ? text : "");
	*answer_r = json;
	return 0;
}
