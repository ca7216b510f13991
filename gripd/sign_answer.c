/* SPDX-License-Identifier: ISC
 *
 * The verbs of the signer. A token is composed here from typed fields; a
 * handshake is signed only if it is exactly that, on the caller's side.
 *
 * Trust: packets are hostile. No answer ever holds a byte of a private key,
 * and no caller can have bytes of its own choice signed.
 */
#include "sign_answer.h"

#include <stdlib.h>
#include <string.h>

#include "grip_token.h"
#include "handshake_content.h"
#include "json_strict.h"
#include "log.h"
#include "sign_metrics.h"

#define IDENTITIES_BYTES_MAX 49152 /* leaves room for one more and the frame */

struct sign_request {
	const struct sign_caller *caller;
	const cJSON *json;
	int64_t now;
	cJSON *fields; /* of the answer */
	struct reason why;
};

static enum outcome
sign_no_memory(struct sign_request *request)
{
	return reason_set(&request->why, OUTCOME_TEMPFAIL, "memory",
	    "out of memory");
}

static const struct sign_identity *
sign_find(struct sign_request *request)
{
	const char *name = json_string(request->json, "identity");
	const struct sign_identity *identity = NULL;

	/* Another role's identity is as unknown as one that is not there. */
	if (name != NULL)
		identity = sign_ring_find(request->caller->ring, name,
		    request->caller->role);
	if (identity == NULL)
		reason_set(&request->why, OUTCOME_PERMFAIL, "unknown-identity",
		    "%s is not an identity of this caller in the policy",
		    name != NULL ? name : "?");
	return identity;
}

/* ---- token ---- */

static void
sign_log_token(const struct sign_request *request, const char *identity,
    enum grip_type type, const struct grip_claims *claims)
{
	struct log_line line;

	log_begin(&line, LOG_INFO, "-", "token");
	log_string(&line, LOG_KEY_USER, request->caller->user);
	log_string(&line, LOG_KEY_IDENTITY, identity);
	log_string(&line, LOG_KEY_TYPE, grip_type_name(type));
	log_string(&line, LOG_KEY_AUDIENCE, claims->aud);
	if (claims->share != NULL)
		log_string(&line, LOG_KEY_SHARE, claims->share);
	log_end(&line);
}

static enum outcome
sign_compose(struct sign_request *request, const struct sign_identity *identity,
    enum grip_type type, struct grip_claims *claims)
{
	char id[GRIP_ID_SIZE], *token = NULL;
	enum outcome outcome;

	outcome = sign_policy_allows(identity->policy, type, claims,
	    request->now, &request->why);
	if (outcome != OUTCOME_OK)
		return outcome;
	grip_token_new_id(id);
	claims->iat = request->now;
	claims->jti = strdup(id);
	claims->iss = strdup(identity->shown.name);
	if (claims->jti == NULL || claims->iss == NULL)
		return sign_no_memory(request);
	outcome =
	    grip_token_sign(type, claims, identity->key, &token, &request->why);
	if (outcome == OUTCOME_OK &&
	    json_add_string(request->fields, "token", token) != 0)
		outcome = sign_no_memory(request);
	free(token);
	if (outcome == OUTCOME_OK)
		sign_log_token(request, identity->shown.name, type, claims);
	return outcome;
}

static enum outcome
sign_token(struct sign_request *request)
{
	const struct sign_identity *identity = sign_find(request);
	struct grip_claims claims;
	enum grip_type type;
	enum outcome outcome;

	if (identity == NULL)
		return OUTCOME_PERMFAIL;
	outcome = grip_protocol_token_parse(request->json, &type, &claims,
	    &request->why);
	if (outcome != OUTCOME_OK)
		return outcome;
	outcome = sign_compose(request, identity, type, &claims);
	grip_claims_free(&claims);
	if (outcome == OUTCOME_OK)
		metrics_count(request->caller->metrics, SIGN_SIGNATURES,
		    "token");
	return outcome;
}

/* ---- handshake ---- */

static enum outcome
sign_bytes(struct sign_request *request, const EVP_MD_CTX *ready,
    const void *content, size_t len)
{
	unsigned char signature[256];
	size_t size = sizeof(signature);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool ok;

	ok = context != NULL && EVP_MD_CTX_copy_ex(context, ready) == 1 &&
	    EVP_DigestSign(context, signature, &size, content, len) == 1;
	EVP_MD_CTX_free(context);
	if (!ok)
		return reason_set(&request->why, OUTCOME_TEMPFAIL, "internal",
		    "signing failed");
	if (grip_protocol_add_bytes(request->fields, "signature", signature,
		size) != 0)
		return sign_no_memory(request);
	return OUTCOME_OK;
}

/* A server's or a client's content of TLS 1.3, each only by its role; that of
 * TLS 1.2 only by a name for browsers, whose key is for nothing else. */
static bool
sign_may_be_said(enum grip_role role, const void *content, size_t len)
{
	switch (role) {
	case GRIP_ROLE_BROKER:
	case GRIP_ROLE_AGENT:
		return handshake_content_side(content, len) == HANDSHAKE_CLIENT;
	case GRIP_ROLE_MAILBOX:
		return handshake_content_side(content, len) == HANDSHAKE_SERVER;
	case GRIP_ROLE_WEB:
		return handshake_content_side(content, len) ==
		    HANDSHAKE_SERVER ||
		    handshake_content_is_key_exchange(content, len);
	}
	return false;
}

static enum outcome
sign_handshake(struct sign_request *request)
{
	const struct sign_identity *identity = sign_find(request);
	unsigned char content[GRIP_PROTOCOL_BYTES_MAX];
	size_t len = sizeof(content);
	enum outcome outcome;

	if (identity == NULL)
		return OUTCOME_PERMFAIL;
	if (grip_protocol_bytes(request->json, "content", content, &len) != 0)
		return reason_set(&request->why, OUTCOME_PERMFAIL, "form",
		    "content is not base64url");
	if (!sign_may_be_said(identity->shown.role, content, len))
		return reason_set(&request->why, OUTCOME_PERMFAIL, "content",
		    "not what a TLS peer of role %s signs",
		    grip_role_name(identity->shown.role));
	outcome = sign_bytes(request, identity->ready, content, len);
	if (outcome == OUTCOME_OK)
		metrics_count(request->caller->metrics, SIGN_SIGNATURES,
		    "handshake");
	return outcome;
}

/* ---- identities ---- */

static size_t
sign_identity_bytes(const struct grip_identity *shown)
{
	size_t bytes = 128 + strlen(shown->name);

	for (size_t i = 0; i < shown->chain_count; i++)
		bytes += shown->chain[i].len / 3 * 4 + 8;
	return bytes;
}

/* Where to go on after the identity of this name; the policy's order. */
static enum outcome
sign_identities_start(struct sign_request *request, size_t *start_r)
{
	const struct sign_ring *ring = request->caller->ring;
	const char *after = json_string(request->json, "after");

	*start_r = 0;
	if (cJSON_GetObjectItemCaseSensitive(request->json, "after") == NULL)
		return OUTCOME_OK;
	for (size_t i = 0; after != NULL && i < ring->policy.count; i++)
		if (strcmp(ring->items[i].shown.name, after) == 0) {
			*start_r = i + 1;
			return OUTCOME_OK;
		}
	return reason_set(&request->why, OUTCOME_PERMFAIL, "unknown-identity",
	    "after: no such identity");
}

static enum outcome
sign_identities(struct sign_request *request)
{
	const struct sign_ring *ring = request->caller->ring;
	cJSON *list = cJSON_AddArrayToObject(request->fields, "identities");
	size_t i, bytes = 0, count = 0;
	bool more = false;
	cJSON *item;

	if (sign_identities_start(request, &i) != OUTCOME_OK)
		return OUTCOME_PERMFAIL;
	for (; list != NULL && i < ring->policy.count; i++) {
		const struct grip_identity *shown = &ring->items[i].shown;

		if (!sign_ring_may(request->caller->role, shown->role) ||
		    shown->chain_count == 0)
			continue;
		bytes += sign_identity_bytes(shown);
		if (count++ > 0 && bytes > IDENTITIES_BYTES_MAX) {
			more = true;
			break;
		}
		item = grip_protocol_identity_format(shown);
		if (item == NULL || !cJSON_AddItemToArray(list, item))
			return sign_no_memory(request);
	}
	if (list == NULL ||
	    (more && json_add_boolean(request->fields, "more", true) != 0))
		return sign_no_memory(request);
	return OUTCOME_OK;
}

/* ---- dispatch ---- */

static const struct sign_verb {
	const char *name;
	enum outcome (*run)(struct sign_request *request);
} sign_verbs[] = {
	{ "handshake", sign_handshake },
	{ "token", sign_token },
	{ "identities", sign_identities },
	{ NULL, NULL },
};

static enum outcome
sign_run(const struct grip_verb *verb, struct sign_request *request)
{
	for (const struct sign_verb *v = sign_verbs; v->name != NULL; v++)
		if (strcmp(v->name, verb->name) == 0)
			return v->run(request);
	return reason_set(&request->why, OUTCOME_PERMFAIL, "form",
	    "unknown verb");
}

static void
sign_log_refusal(const struct sign_caller *caller,
    const struct grip_protocol_request *packet,
    const struct sign_request *request)
{
	const char *identity = json_string(packet->json, "identity");
	struct log_line line;

	log_begin(&line, LOG_WARNING, "-", "refuse");
	log_string(&line, LOG_KEY_USER, caller->user);
	if (packet->verb != NULL)
		log_string(&line, LOG_KEY_VERB, packet->verb->name);
	if (identity != NULL)
		log_string(&line, LOG_KEY_IDENTITY, identity);
	log_reason(&line, &request->why);
	log_end(&line);
}

char *
sign_answer(const struct sign_caller *caller, const void *packet, size_t len,
    int64_t now)
{
	struct sign_request request = { .caller = caller, .now = now };
	struct grip_protocol_request parsed;
	enum outcome outcome;
	char *answer = NULL;

	outcome = grip_protocol_request_parse(GRIP_PROTOCOL_SIGN, packet, len,
	    &parsed, &request.why);
	if (outcome == OUTCOME_OK) {
		request.json = parsed.json;
		request.fields = cJSON_CreateObject();
		outcome = request.fields == NULL ?
		    sign_no_memory(&request) :
		    sign_run(parsed.verb, &request);
	}
	if (outcome != OUTCOME_OK) {
		metrics_count(caller->metrics, SIGN_REFUSALS, NULL);
		sign_log_refusal(caller, &parsed, &request);
	}
	if (parsed.id >= 0)
		answer = grip_protocol_answer_format(parsed.id, outcome,
		    &request.why, request.fields);
	else
		cJSON_Delete(request.fields);
	grip_protocol_request_free(&parsed);
	return answer;
}
