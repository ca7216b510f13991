/* SPDX-License-Identifier: ISC
 *
 * Token types and claims. One table says which type has which claim and what
 * shape it has; parser and composer both follow it. Reads hostile bytes.
 */
#include "grip_token.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "encoding.h"
#include "grip_jwk.h"
#include "grip_name.h"
#include "json_strict.h"

#define MESSAGE_ID_MAX 998 /* a line of RFC 5322 */
#define ID_MAX 128
#define MEMBERS_MAX 24
#define NOTIFY (1u << GRIP_NOTIFY)
#define GET (1u << GRIP_GET)
#define PUT (1u << GRIP_PUT)
#define RELEASE (1u << GRIP_RELEASE)
#define ALL (NOTIFY | GET | PUT | RELEASE)

static const struct {
	const char *name;
	const char *role;
	int64_t max_lifetime;
} types[GRIP_TYPE_COUNT] = {
	[GRIP_NOTIFY] = { "grip-notify+jwt", "_cb", GRIP_LIFETIME_NOTIFY },
	[GRIP_GET] = { "grip-get+jwt", "_rra", GRIP_LIFETIME_SHORT },
	[GRIP_PUT] = { "grip-put+jwt", "_cb", GRIP_LIFETIME_SHORT },
	[GRIP_RELEASE] = { "grip-release+jwt", "_cb", GRIP_LIFETIME_SHORT },
};

static bool
is_service(const char *value)
{
	return grip_name_is_service(value, NULL);
}

static bool
is_origin(const char *value)
{
	return grip_name_is_origin(value, NULL);
}

static bool
is_id(const char *value)
{
	uint8_t bits[16];
	size_t len;

	return strlen(value) == GRIP_ID_LEN &&
	    base64url_parse(value, GRIP_ID_LEN, bits, sizeof(bits), &len) ==
	    0 &&
	    len == sizeof(bits);
}

static bool
is_digest(const char *value)
{
	return hex_is_sha256(value) == 1;
}

static bool
is_message_id(const char *value)
{
	size_t len = strlen(value);

	if (len == 0 || len > MESSAGE_ID_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)value[i] < 0x20 || value[i] == 0x7f ||
		    value[i] == '<' || value[i] == '>')
			return false;
	return true;
}

static bool
is_mailbox_id(const char *value)
{
	size_t len = strlen(value);

	return len > 0 && len <= ID_MAX &&
	    strspn(value,
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
		"-_") == len;
}

#define CLAIM(name) #name, offsetof(struct grip_claims, name)

static const struct grip_claim claims_table[] = {
	{ CLAIM(iss), ALL, is_service, "the name of a service" },
	{ CLAIM(aud), ALL, grip_name_is_host, "a host name" },
	{ CLAIM(jti), ALL, is_id, "128 bits in base64url" },
	{ CLAIM(sender), NOTIFY, grip_name_is_address, "an address" },
	{ CLAIM(recipient), NOTIFY, grip_name_is_address, "an address" },
	{ CLAIM(mailbox), NOTIFY | RELEASE, grip_name_is_address,
	    "an address" },
	{ CLAIM(user), PUT, grip_name_is_address, "an address" },
	{ CLAIM(share), NOTIFY | PUT, is_id, "128 bits in base64url" },
	{ CLAIM(message), NOTIFY | PUT, is_message_id, "a Message-ID" },
	{ CLAIM(origin), NOTIFY, is_origin, "the URL of a server" },
	{ CLAIM(agent), NOTIFY, is_service, "the name of a service" },
	{ CLAIM(digest), NOTIFY, is_digest, "a SHA-256 in hex" },
	{ CLAIM(id), RELEASE, is_mailbox_id, "a message id" },
	{ NULL, 0, 0, NULL, NULL },
};

/* ---- tables ---- */

const char *
grip_type_name(enum grip_type type)
{
	return (unsigned)type < GRIP_TYPE_COUNT ? types[type].name : NULL;
}

int
grip_type_find(const char *name, enum grip_type *type_r)
{
	for (unsigned i = 0; i < GRIP_TYPE_COUNT; i++)
		if (strcmp(name, types[i].name) == 0) {
			*type_r = (enum grip_type)i;
			return 0;
		}
	return -1;
}

const char *
grip_type_role(enum grip_type type)
{
	return (unsigned)type < GRIP_TYPE_COUNT ? types[type].role : NULL;
}

int64_t
grip_type_max_lifetime(enum grip_type type)
{
	return (unsigned)type < GRIP_TYPE_COUNT ? types[type].max_lifetime : 0;
}

const struct grip_claim *
grip_claim_table(void)
{
	return claims_table;
}

char **
grip_claims_field(const struct grip_claim *claim, struct grip_claims *claims)
{
	return (char **)(void *)((char *)claims + claim->offset);
}

void
grip_claims_free(struct grip_claims *claims)
{
	for (const struct grip_claim *c = claims_table; c->name != NULL; c++)
		free(*grip_claims_field(c, claims));
	free(claims->token);
	memset(claims, 0, sizeof(*claims));
}

void
grip_token_new_id(char id_r[GRIP_ID_SIZE])
{
	uint8_t bits[16];

	randombytes_buf(bits, sizeof(bits));
	base64url_format(bits, sizeof(bits), id_r);
}

/* ---- parsing ---- */

static enum outcome
refuse(struct reason *why, const char *name, const char *text)
{
	return reason_set(why, OUTCOME_PERMFAIL, "form", "%s: %s", name, text);
}

static enum outcome
no_memory(struct reason *why)
{
	return reason_set(why, OUTCOME_TEMPFAIL, "memory", "out of memory");
}

/* Every claim of the type stands there and no other. */
static bool
has_exact_members(const cJSON *payload, enum grip_type type)
{
	const char *names[MEMBERS_MAX];
	size_t count = 0;

	for (const struct grip_claim *c = claims_table; c->name != NULL; c++)
		if ((c->types & (1u << type)) != 0)
			names[count++] = c->name;
	names[count++] = "iat";
	names[count++] = "exp";
	names[count++] = "jwk";
	if (type == GRIP_GET)
		names[count++] = "tokens";
	names[count] = NULL;
	return json_members_exact(payload, names);
}

static enum outcome
parse_text_claims(const cJSON *payload, struct grip_token *token,
    struct reason *why)
{
	const char *value;
	char **field;

	for (const struct grip_claim *c = claims_table; c->name != NULL; c++) {
		if ((c->types & (1u << token->type)) == 0)
			continue;
		value = json_string(payload, c->name);
		if (value == NULL)
			return refuse(why, c->name, "not a string");
		if (!c->is_valid(value))
			return refuse(why, c->name, "malformed");
		field = grip_claims_field(c, &token->claims);
		*field = strdup(value);
		if (*field == NULL)
			return no_memory(why);
	}
	return OUTCOME_OK;
}

static enum outcome
parse_times(const cJSON *payload, struct grip_claims *claims,
    struct reason *why)
{
	if (json_integer(payload, "iat", 0, JSON_MAX_INTEGER, &claims->iat) !=
	    0)
		return refuse(why, "iat", "not a time");
	if (json_integer(payload, "exp", 0, JSON_MAX_INTEGER, &claims->exp) !=
	    0)
		return refuse(why, "exp", "not a time");
	return OUTCOME_OK;
}

static enum outcome parse_token(const char *text, size_t len, bool nested,
    struct grip_token **token_r, struct reason *why);

/* `tokens` holds one string. It is opened one level deep only: what is inside
 * a nested token of a nesting type is nobody's business. */
static enum outcome
parse_nested(const cJSON *payload, bool nested, struct grip_token *token,
    struct reason *why)
{
	const cJSON *array = json_array(payload, "tokens");
	const char *text;

	if (!cJSON_IsArray(array) || cJSON_GetArraySize(array) != 1 ||
	    !cJSON_IsString(cJSON_GetArrayItem(array, 0)))
		return refuse(why, "tokens", "not an array of one string");
	if (nested)
		return OUTCOME_OK;
	text = cJSON_GetArrayItem(array, 0)->valuestring;
	token->claims.token = strdup(text);
	if (token->claims.token == NULL)
		return no_memory(why);
	return parse_token(text, strlen(text), true, &token->inner, why);
}

static enum outcome
parse_claims(struct grip_token *token, bool nested, struct reason *why)
{
	const cJSON *payload = token->jws->payload;
	enum outcome outcome;

	if (grip_type_find(token->jws->typ, &token->type) != 0)
		return refuse(why, "typ", "not a token of GRIP");
	if (!has_exact_members(payload, token->type))
		return refuse(why, grip_type_name(token->type),
		    "a claim is missing or superfluous");
	outcome = parse_text_claims(payload, token, why);
	if (outcome == OUTCOME_OK)
		outcome = parse_times(payload, &token->claims, why);
	if (outcome == OUTCOME_OK)
		outcome = grip_jwk_parse(json_object(payload, "jwk"),
		    &token->key, why);
	if (outcome != OUTCOME_OK)
		return outcome;
	if (grip_jwk_spki_hash(token->key, token->key_hash) != 0)
		return reason_set(why, OUTCOME_TEMPFAIL, "internal",
		    "cannot hash a key");
	if (token->type == GRIP_GET)
		return parse_nested(payload, nested, token, why);
	return OUTCOME_OK;
}

static enum outcome
parse_token(const char *text, size_t len, bool nested,
    struct grip_token **token_r, struct reason *why)
{
	struct grip_token *token = calloc(1, sizeof(*token));
	enum outcome outcome;

	*token_r = NULL;
	if (token == NULL)
		return no_memory(why);
	outcome = grip_jws_parse(text, len, &token->jws, why);
	if (outcome == OUTCOME_OK)
		outcome = parse_claims(token, nested, why);
	if (outcome != OUTCOME_OK)
		grip_token_free(&token);
	*token_r = token;
	return outcome;
}

enum outcome
grip_token_parse(const char *text, size_t len, struct grip_token **token_r,
    struct reason *why)
{
	return parse_token(text, len, false, token_r, why);
}

void
grip_token_free(struct grip_token **token)
{
	struct grip_token *t = *token;

	if (t == NULL)
		return;
	if (t->inner != NULL)
		grip_token_free(&t->inner);
	grip_claims_free(&t->claims);
	EVP_PKEY_free(t->key);
	grip_jws_free(&t->jws);
	free(t);
	*token = NULL;
}

/* ---- composing ---- */

static enum outcome
check_claims(enum grip_type type, const struct grip_claims *claims,
    struct reason *why)
{
	/* Only read through it. */
	struct grip_claims copy = *claims;
	const char *value;
	bool wanted;

	for (const struct grip_claim *c = claims_table; c->name != NULL; c++) {
		value = *grip_claims_field(c, &copy);
		wanted = (c->types & (1u << type)) != 0;
		if (wanted != (value != NULL))
			return refuse(why, c->name,
			    wanted ? "missing" : "superfluous");
		if (wanted && !c->is_valid(value))
			return refuse(why, c->name, "malformed");
	}
	if ((type == GRIP_GET) != (claims->token != NULL))
		return refuse(why, "tokens", "missing or superfluous");
	return OUTCOME_OK;
}

static int
add_nested(cJSON *payload, const char *token)
{
	cJSON *array = cJSON_CreateArray();
	cJSON *item = cJSON_CreateString(token);

	if (array == NULL || item == NULL ||
	    !cJSON_AddItemToArray(array, item)) {
		cJSON_Delete(item);
		cJSON_Delete(array);
		return -1;
	}
	return json_add_item(payload, "tokens", array);
}

/* The payload as text; free(). NULL for want of memory or a bad key. */
static char *
format_payload(enum grip_type type, const struct grip_claims *claims,
    EVP_PKEY *key)
{
	struct grip_claims copy = *claims;
	cJSON *payload = cJSON_CreateObject();
	cJSON *jwk = grip_jwk_format(key);
	const char *value;
	char *text = NULL;
	int bad = 0;

	if (payload == NULL || jwk == NULL) {
		cJSON_Delete(jwk);
		goto out;
	}
	for (const struct grip_claim *c = claims_table; c->name != NULL; c++) {
		value = *grip_claims_field(c, &copy);
		if (value != NULL)
			bad |= json_add_string(payload, c->name, value);
	}
	bad |= json_add_integer(payload, "iat", claims->iat);
	bad |= json_add_integer(payload, "exp", claims->exp);
	bad |= json_add_item(payload, "jwk", jwk);
	if (type == GRIP_GET)
		bad |= add_nested(payload, claims->token);
	if (bad == 0)
		text = json_format(payload);
out:
	cJSON_Delete(payload);
	return text;
}

enum outcome
grip_token_sign(enum grip_type type, const struct grip_claims *claims,
    EVP_PKEY *key, char **token_r, struct reason *why)
{
	struct grip_token *token;
	enum outcome outcome;
	char *payload;

	*token_r = NULL;
	outcome = check_claims(type, claims, why);
	if (outcome != OUTCOME_OK)
		return outcome;
	payload = format_payload(type, claims, key);
	if (payload == NULL)
		return reason_set(why, OUTCOME_TEMPFAIL, "internal",
		    "cannot compose a token");
	outcome =
	    grip_jws_sign(grip_type_name(type), payload, key, token_r, why);
	free(payload);
	if (outcome != OUTCOME_OK)
		return outcome;
	/* What no verifier would read never leaves: a nested token that is
	 * malformed, text that is not UTF-8, a time out of range. */
	outcome = grip_token_parse(*token_r, strlen(*token_r), &token, why);
	grip_token_free(&token);
	if (outcome != OUTCOME_OK) {
		free(*token_r);
		*token_r = NULL;
	}
	return outcome;
}
