/* SPDX-License-Identifier: ISC
 *
 * The verbs of gripd's local protocols: requests composed and read, answers
 * read. Declared in grip_protocol.h.
 *
 * Trust: both requests and answers are read as hostile; they have passed
 * json_strict and the table of members. Sizes are bounded here.
 */
#include <stdlib.h>
#include <string.h>

#include "encoding.h"
#include "grip_protocol.h"
#include "json_strict.h"

static enum outcome
grip_answer_bad(struct reason *why, const char *verb)
{
	return reason_set(why, OUTCOME_TEMPFAIL, "protocol",
	    "the answer to %s is not what it promises", verb);
}

/* The request, or NULL after freeing it if something could not be added. */
static cJSON *
grip_request_done(cJSON *request, int rc)
{
	if (rc == 0)
		return request;
	cJSON_Delete(request);
	return NULL;
}

/* ---- bytes ---- */

int
grip_protocol_bytes(const cJSON *object, const char *name, void *data_r,
    size_t *len_r)
{
	const char *text = json_string(object, name);

	if (text == NULL)
		return -1;
	return base64url_parse(text, strlen(text), data_r, *len_r, len_r);
}

int
grip_protocol_add_bytes(cJSON *object, const char *name, const void *data,
    size_t len)
{
	char *text;
	int rc;

	if (len > GRIP_PROTOCOL_BYTES_MAX)
		return -1;
	text = malloc(base64url_length(len) + 1);
	if (text == NULL)
		return -1;
	base64url_format(data, len, text);
	rc = json_add_string(object, name, text);
	free(text);
	return rc;
}

static int
grip_add_base64(cJSON *object, const char *name, const void *data, size_t len)
{
	char *text = base64_format(data, len);
	int rc = text != NULL ? json_add_string(object, name, text) : -1;

	free(text);
	return rc;
}

/* ---- token ---- */

/* gripd fills these in itself. */
static bool
grip_claim_is_gripds(const struct grip_claim *claim)
{
	return strcmp(claim->name, "iss") == 0 ||
	    strcmp(claim->name, "jti") == 0;
}

static int
grip_add_claims(cJSON *json, enum grip_type type,
    const struct grip_claims *claims)
{
	struct grip_claims fields = *claims;
	const char *value, *tokens[1] = { claims->token };

	for (const struct grip_claim *c = grip_claim_table(); c->name; c++) {
		value = *grip_claims_field(c, &fields);
		if ((c->types & 1u << type) == 0 || value == NULL ||
		    grip_claim_is_gripds(c))
			continue;
		if (json_add_string(json, c->name, value) != 0)
			return -1;
	}
	if (claims->exp != 0 && json_add_integer(json, "exp", claims->exp) != 0)
		return -1;
	if (type != GRIP_GET || claims->token == NULL)
		return 0;
	return json_add_item(json, "tokens",
	    cJSON_CreateStringArray(tokens, 1));
}

cJSON *
grip_protocol_token(const char *identity, enum grip_type type,
    const struct grip_claims *claims)
{
	cJSON *request = grip_protocol_request_new("token"), *json;
	int rc;

	if (request == NULL || type >= GRIP_TYPE_COUNT)
		return grip_request_done(request, -1);
	rc = json_add_string(request, "identity", identity);
	rc |= json_add_string(request, "type", grip_type_name(type));
	json = cJSON_AddObjectToObject(request, "claims");
	if (json == NULL || grip_add_claims(json, type, claims) != 0)
		rc = -1;
	return grip_request_done(request, rc);
}

static bool
grip_claim_wanted(const struct grip_claim *claim, enum grip_type type)
{
	return (claim->types & 1u << type) != 0 && !grip_claim_is_gripds(claim);
}

/* Every member is a claim of the type and not one of gripd's. */
static enum outcome
grip_check_members(const cJSON *json, enum grip_type type, struct reason *why)
{
	const struct grip_claim *claim;
	const cJSON *item;

	cJSON_ArrayForEach(item, json)
	{
		if (strcmp(item->string, "exp") == 0 ||
		    (type == GRIP_GET && strcmp(item->string, "tokens") == 0))
			continue;
		claim = grip_claim_table();
		while (claim->name != NULL &&
		    strcmp(claim->name, item->string) != 0)
			claim++;
		if (claim->name == NULL || !grip_claim_wanted(claim, type))
			return reason_set(why, OUTCOME_PERMFAIL, "form",
			    "%s is not to be asked for in a %s token",
			    item->string, grip_route_name(type));
	}
	return OUTCOME_OK;
}

/* One text claim of the type: there, and of its shape. */
static enum outcome
grip_read_claim(const cJSON *json, const struct grip_claim *claim,
    struct grip_claims *claims, struct reason *why)
{
	const char *value = json_string(json, claim->name);
	char **field = grip_claims_field(claim, claims);

	if (value == NULL || !claim->is_valid(value))
		return reason_set(why, OUTCOME_PERMFAIL, "form", "%s is not %s",
		    claim->name, claim->shape);
	*field = strdup(value);
	if (*field == NULL)
		return reason_set(why, OUTCOME_TEMPFAIL, "memory",
		    "out of memory");
	return OUTCOME_OK;
}

static enum outcome
grip_read_nested(const cJSON *json, struct grip_claims *claims,
    struct reason *why)
{
	const cJSON *tokens = json_array(json, "tokens");
	const cJSON *token = tokens != NULL ? tokens->child : NULL;

	if (!cJSON_IsString(token) || token->next != NULL)
		return reason_set(why, OUTCOME_PERMFAIL, "form",
		    "tokens does not hold one token");
	claims->token = strdup(token->valuestring);
	if (claims->token == NULL)
		return reason_set(why, OUTCOME_TEMPFAIL, "memory",
		    "out of memory");
	return OUTCOME_OK;
}

static enum outcome
grip_read_claims(const cJSON *json, enum grip_type type,
    struct grip_claims *claims, struct reason *why)
{
	enum outcome outcome = grip_check_members(json, type, why);

	if (outcome == OUTCOME_OK &&
	    cJSON_GetObjectItemCaseSensitive(json, "exp") != NULL &&
	    json_integer(json, "exp", 1, JSON_MAX_INTEGER, &claims->exp) != 0)
		outcome = reason_set(why, OUTCOME_PERMFAIL, "form",
		    "exp is not a time");
	for (const struct grip_claim *c = grip_claim_table();
	     c->name != NULL && outcome == OUTCOME_OK; c++)
		if (grip_claim_wanted(c, type))
			outcome = grip_read_claim(json, c, claims, why);
	if (outcome == OUTCOME_OK && type == GRIP_GET)
		outcome = grip_read_nested(json, claims, why);
	return outcome;
}

enum outcome
grip_protocol_token_parse(const cJSON *request, enum grip_type *type_r,
    struct grip_claims *claims_r, struct reason *why)
{
	const cJSON *json = json_object(request, "claims");
	const char *name = json_string(request, "type");
	enum outcome outcome;

	memset(claims_r, 0, sizeof(*claims_r));
	if (name == NULL || grip_type_find(name, type_r) != 0 || json == NULL)
		return reason_set(why, OUTCOME_PERMFAIL, "form",
		    "unknown type of token, or no claims");
	outcome = grip_read_claims(json, *type_r, claims_r, why);
	if (outcome != OUTCOME_OK)
		grip_claims_free(claims_r);
	return outcome;
}

/* ---- handshake ---- */

cJSON *
grip_protocol_handshake(const char *identity, const void *content, size_t len)
{
	cJSON *request = grip_protocol_request_new("handshake");
	int rc;

	if (request == NULL)
		return NULL;
	rc = json_add_string(request, "identity", identity);
	rc |= grip_protocol_add_bytes(request, "content", content, len);
	return grip_request_done(request, rc);
}

/* ---- identities ---- */

cJSON *
grip_protocol_identities(const char *after)
{
	cJSON *request = grip_protocol_request_new("identities");
	int rc = 0;

	if (request != NULL && after != NULL)
		rc = json_add_string(request, "after", after);
	return grip_request_done(request, rc);
}

cJSON *
grip_protocol_identity_format(const struct grip_identity *identity)
{
	cJSON *json = cJSON_CreateObject(), *chain = NULL;
	char *text;
	int rc;

	if (json == NULL)
		return NULL;
	rc = json_add_string(json, "name", identity->name);
	rc |= json_add_string(json, "role", grip_role_name(identity->role));
	chain = cJSON_AddArrayToObject(json, "chain");
	if (chain == NULL)
		rc = -1;
	for (size_t i = 0; rc == 0 && i < identity->chain_count; i++) {
		text = base64_format(identity->chain[i].der,
		    identity->chain[i].len);
		if (text == NULL ||
		    !cJSON_AddItemToArray(chain, cJSON_CreateString(text)))
			rc = -1;
		free(text);
	}
	return grip_request_done(json, rc);
}

static void
grip_identity_free(struct grip_identity *identity)
{
	free(identity->name);
	for (size_t i = 0; i < identity->chain_count; i++)
		free(identity->chain[i].der);
}

/* 0, or -1: not an identity, or no memory; what was read is in *identity_r
 * all the same and is freed with the list. */
static int
grip_identity_read(const cJSON *json, struct grip_identity *identity_r)
{
	static const char *const members[] = { "name", "role", "chain", NULL };
	const char *name = json_string(json, "name");
	const cJSON *chain = json_array(json, "chain"), *item;
	struct grip_certificate *certificate;

	if (!json_members_exact(json, members) || name == NULL ||
	    chain == NULL ||
	    grip_role_parse(json_string(json, "role"), &identity_r->role) != 0)
		return -1;
	identity_r->name = strdup(name);
	if (identity_r->name == NULL)
		return -1;
	cJSON_ArrayForEach(item, chain)
	{
		if (!cJSON_IsString(item) ||
		    identity_r->chain_count == GRIP_PROTOCOL_CHAIN_MAX)
			return -1;
		certificate = &identity_r->chain[identity_r->chain_count];
		certificate->der = base64_parse(item->valuestring,
		    strlen(item->valuestring), &certificate->len);
		if (certificate->der == NULL)
			return -1;
		identity_r->chain_count++;
	}
	return identity_r->chain_count > 0 ? 0 : -1;
}

enum outcome
grip_protocol_identities_parse(const cJSON *answer,
    struct grip_identities *identities, bool *more_r, struct reason *why)
{
	const cJSON *list = json_array(answer, "identities"), *item;
	struct grip_identity *grown;

	*more_r = json_boolean(answer, "more") == 1;
	if (list == NULL)
		return grip_answer_bad(why, "identities");
	cJSON_ArrayForEach(item, list)
	{
		grown = reallocarray(identities->items, identities->count + 1,
		    sizeof(*grown));
		if (grown == NULL)
			return reason_set(why, OUTCOME_TEMPFAIL, "memory",
			    "out of memory");
		identities->items = grown;
		grown += identities->count++;
		memset(grown, 0, sizeof(*grown));
		if (grip_identity_read(item, grown) != 0)
			return grip_answer_bad(why, "identities");
	}
	return OUTCOME_OK;
}

void
grip_identities_free(struct grip_identities **identities)
{
	if (*identities == NULL)
		return;
	for (size_t i = 0; i < (*identities)->count; i++)
		grip_identity_free(&(*identities)->items[i]);
	free((*identities)->items);
	free(*identities);
	*identities = NULL;
}

const struct grip_identity *
grip_identities_find_role(const struct grip_identities *identities,
    enum grip_role role)
{
	for (size_t i = 0; i < identities->count; i++)
		if (identities->items[i].role == role)
			return &identities->items[i];
	return NULL;
}

const struct grip_identity *
grip_identities_find(const struct grip_identities *identities, const char *name)
{
	for (size_t i = 0; i < identities->count; i++)
		if (strcmp(identities->items[i].name, name) == 0)
			return &identities->items[i];
	return NULL;
}

/* ---- verify ---- */

cJSON *
grip_protocol_verify(const struct grip_verify *verify)
{
	cJSON *request = grip_protocol_request_new("verify");
	int rc;

	if (request == NULL)
		return NULL;
	rc = json_add_string(request, "route", grip_route_name(verify->route));
	rc |= json_add_string(request, "token", verify->token);
	rc |= json_add_item(request, "audiences",
	    cJSON_CreateStringArray(verify->audiences,
		(int)verify->audience_count));
	/* No certificate alone must never mean that none is needed. */
	if (verify->certificate != NULL)
		rc |= grip_add_base64(request, "certificate",
		    verify->certificate, verify->certificate_len);
	if (verify->local)
		rc |= json_add_boolean(request, "local", true);
	return grip_request_done(request, rc);
}

enum outcome
grip_protocol_verdict_parse(const cJSON *answer, struct grip_verdict *verdict_r,
    struct reason *why)
{
	const cJSON *claims = json_object(answer, "claims");
	const cJSON *inner = json_object(answer, "inner");
	int secure = json_boolean(answer, "secure");

	memset(verdict_r, 0, sizeof(*verdict_r));
	if (claims == NULL || secure == -1 ||
	    json_integer(answer, "until", 0, JSON_MAX_INTEGER,
		&verdict_r->until) != 0)
		return grip_answer_bad(why, "verify");
	verdict_r->secure = secure == 1;
	verdict_r->claims = cJSON_Duplicate(claims, true);
	if (inner != NULL)
		verdict_r->inner = cJSON_Duplicate(inner, true);
	if (verdict_r->claims == NULL ||
	    (inner != NULL && verdict_r->inner == NULL)) {
		grip_verdict_free(verdict_r);
		return reason_set(why, OUTCOME_TEMPFAIL, "memory",
		    "out of memory");
	}
	return OUTCOME_OK;
}

void
grip_verdict_free(struct grip_verdict *verdict)
{
	cJSON_Delete(verdict->claims);
	cJSON_Delete(verdict->inner);
	memset(verdict, 0, sizeof(*verdict));
}

/* ---- addresses, keys ---- */

static cJSON *
grip_request_name(const char *verb, const char *name)
{
	cJSON *request = grip_protocol_request_new(verb);

	if (request == NULL)
		return NULL;
	return grip_request_done(request,
	    json_add_string(request, "name", name));
}

/* What both answers have in common; the list of texts is copied to an array
 * of `max` fields of `size` bytes. Those beyond `max` are left out: whoever
 * publishes more can be reached or known by the first ones too. */
static int
grip_read_texts(const cJSON *list, char *texts_r, size_t max, size_t size)
{
	const cJSON *item;
	size_t count = 0;

	if (list == NULL)
		return -1;
	cJSON_ArrayForEach(item, list)
	{
		if (!cJSON_IsString(item) || strlen(item->valuestring) >= size)
			return -1;
		if (count < max)
			strcpy(texts_r + size * count++, item->valuestring);
	}
	return (int)count;
}

cJSON *
grip_protocol_addresses(const char *host)
{
	return grip_request_name("addresses", host);
}

enum outcome
grip_protocol_addresses_parse(const cJSON *answer,
    struct grip_addresses *addresses_r, struct reason *why)
{
	int secure = json_boolean(answer, "secure"), count;

	memset(addresses_r, 0, sizeof(*addresses_r));
	count = grip_read_texts(json_array(answer, "addresses"),
	    addresses_r->text[0], GRIP_PROTOCOL_ADDRESSES_MAX,
	    GRIP_PROTOCOL_ADDRESS_SIZE);
	if (count < 0 || secure == -1 ||
	    json_integer(answer, "ttl", 0, JSON_MAX_INTEGER,
		&addresses_r->ttl) != 0)
		return grip_answer_bad(why, "addresses");
	addresses_r->count = (size_t)count;
	addresses_r->secure = secure == 1;
	return OUTCOME_OK;
}

cJSON *
grip_protocol_keys(const char *name)
{
	return grip_request_name("keys", name);
}

enum outcome
grip_protocol_keys_parse(const cJSON *answer, struct grip_keys *keys_r,
    struct reason *why)
{
	int secure = json_boolean(answer, "secure"), count;

	memset(keys_r, 0, sizeof(*keys_r));
	count = grip_read_texts(json_array(answer, "hashes"), keys_r->hashes[0],
	    GRIP_PROTOCOL_KEYS_MAX, sizeof(keys_r->hashes[0]));
	if (count < 0 || secure == -1 ||
	    json_integer(answer, "ttl", 0, JSON_MAX_INTEGER, &keys_r->ttl) != 0)
		return grip_answer_bad(why, "keys");
	for (int i = 0; i < count; i++)
		if (!hex_is_sha256(keys_r->hashes[i]))
			return grip_answer_bad(why, "keys");
	keys_r->count = (size_t)count;
	keys_r->secure = secure == 1;
	return OUTCOME_OK;
}

/* ---- cargomail ---- */

cJSON *
grip_protocol_cargomail(const char *domain)
{
	cJSON *request = grip_protocol_request_new("cargomail");

	if (request == NULL)
		return NULL;
	return grip_request_done(request,
	    json_add_string(request, "domain", domain));
}

enum outcome
grip_protocol_cargomail_parse(const cJSON *answer,
    struct grip_capability *capability_r, struct reason *why)
{
	int present = json_boolean(answer, "present");
	int secure = json_boolean(answer, "secure");

	memset(capability_r, 0, sizeof(*capability_r));
	if (present == -1 || secure == -1 ||
	    json_integer(answer, "ttl", 0, JSON_MAX_INTEGER,
		&capability_r->ttl) != 0)
		return grip_answer_bad(why, "cargomail");
	capability_r->present = present == 1;
	capability_r->secure = secure == 1;
	return OUTCOME_OK;
}
