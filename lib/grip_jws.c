/* SPDX-License-Identifier: ISC
 *
 * Compact JWS of GRIP's kind. Reads hostile bytes: the length is bounded
 * first, each part is decoded into memory of that bound, and JSON goes through
 * the strict parser. Two spellings of one token do not exist: base64url is
 * canonical and the header has two members.
 */
#include "grip_jws.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>

#include "encoding.h"
#include "json_strict.h"

#define HALF (GRIP_JWS_SIGNATURE / 2)
#define DER_MAX 80 /* an ECDSA-Sig-Value of P-256 has at most 72 bytes */

static const struct {
	const char *name; /* "alg" (RFC 7518 3.1, RFC 8037 3.1) */
	const char *key_type; /* as OpenSSL names it */
	const char *digest;
} algorithms[] = {
	[GRIP_ES256] = { "ES256", "EC", "SHA256" },
	[GRIP_EDDSA] = { "EdDSA", "ED25519", NULL },
};

#define ALGORITHM_COUNT (sizeof(algorithms) / sizeof(algorithms[0]))

static const char *const header_members[] = { "typ", "alg", NULL };

static enum outcome
refuse(struct reason *why, const char *text)
{
	return reason_set(why, OUTCOME_PERMFAIL, "form", "token: %s", text);
}

static enum outcome
no_memory(struct reason *why)
{
	return reason_set(why, OUTCOME_TEMPFAIL, "memory", "out of memory");
}

static enum outcome
internal(struct reason *why, const char *text)
{
	return reason_set(why, OUTCOME_TEMPFAIL, "internal", "%s", text);
}

/* ---- parsing ---- */

/* Decodes one part into JSON; it must be an object. */
static enum outcome
parse_part(const char *text, size_t len, cJSON **json_r, struct reason *why)
{
	const char *error = NULL;
	enum outcome outcome = OUTCOME_OK;
	size_t size = len;
	char *data = malloc(len + 1);

	*json_r = NULL;
	if (data == NULL)
		return no_memory(why);
	if (base64url_parse(text, len, data, len, &size) != 0)
		outcome = refuse(why, "a part is not canonical base64url");
	else if ((*json_r = json_parse(data, size, &error)) == NULL)
		outcome = strcmp(error, JSON_NO_MEMORY) == 0 ?
		    no_memory(why) :
		    refuse(why, error);
	else if (!cJSON_IsObject(*json_r))
		outcome = refuse(why, "a part is not an object");
	free(data);
	if (outcome != OUTCOME_OK) {
		cJSON_Delete(*json_r);
		*json_r = NULL;
	}
	return outcome;
}

static enum outcome
parse_header(const char *text, size_t len, struct grip_jws *jws,
    struct reason *why)
{
	enum outcome outcome;
	const char *typ, *alg;
	cJSON *header;
	size_t i;

	outcome = parse_part(text, len, &header, why);
	if (outcome != OUTCOME_OK)
		return outcome;
	typ = json_string(header, "typ");
	alg = json_string(header, "alg");
	if (!json_members_exact(header, header_members) || typ == NULL ||
	    alg == NULL || strlen(typ) >= sizeof(jws->typ)) {
		outcome = refuse(why, "header is not typ and alg");
		goto out;
	}
	for (i = 0; i < ALGORITHM_COUNT; i++)
		if (strcmp(alg, algorithms[i].name) == 0)
			break;
	if (i == ALGORITHM_COUNT) {
		outcome = refuse(why, "alg is not ES256 or EdDSA");
		goto out;
	}
	jws->alg = (enum grip_alg)i;
	snprintf(jws->typ, sizeof(jws->typ), "%s", typ);
out:
	cJSON_Delete(header);
	return outcome;
}

static enum outcome
parse_parts(struct grip_jws *jws, size_t len, struct reason *why)
{
	const char *dot1 = strchr(jws->text, '.');
	const char *dot2 = dot1 != NULL ? strchr(dot1 + 1, '.') : NULL;
	enum outcome outcome;
	size_t size;

	if (dot2 == NULL || strchr(dot2 + 1, '.') != NULL)
		return refuse(why, "not three parts");
	jws->signed_len = (size_t)(dot2 - jws->text);
	outcome = parse_header(jws->text, (size_t)(dot1 - jws->text), jws, why);
	if (outcome != OUTCOME_OK)
		return outcome;
	if (base64url_parse(dot2 + 1, len - jws->signed_len - 1, jws->signature,
		sizeof(jws->signature), &size) != 0 ||
	    size != sizeof(jws->signature))
		return refuse(why, "signature is not 64 bytes");
	return parse_part(dot1 + 1, (size_t)(dot2 - dot1 - 1), &jws->payload,
	    why);
}

enum outcome
grip_jws_parse(const char *text, size_t len, struct grip_jws **jws_r,
    struct reason *why)
{
	struct grip_jws *jws;
	enum outcome outcome;

	*jws_r = NULL;
	if (len == 0 || len > GRIP_JWS_MAX)
		return refuse(why, "empty or more than 8192 bytes");
	if (memchr(text, '\0', len) != NULL)
		return refuse(why, "a NUL byte");
	jws = calloc(1, sizeof(*jws));
	if (jws == NULL || (jws->text = strndup(text, len)) == NULL) {
		free(jws);
		return no_memory(why);
	}
	outcome = parse_parts(jws, len, why);
	if (outcome != OUTCOME_OK)
		grip_jws_free(&jws);
	*jws_r = jws;
	return outcome;
}

void
grip_jws_free(struct grip_jws **jws)
{
	if (*jws == NULL)
		return;
	cJSON_Delete((*jws)->payload);
	free((*jws)->text);
	free(*jws);
	*jws = NULL;
}

/* ---- signatures ---- */

/* r || s (RFC 7518 3.4) to DER. The length, or -1. */
static int
raw_to_der(const uint8_t raw[GRIP_JWS_SIGNATURE], uint8_t der_r[DER_MAX])
{
	ECDSA_SIG *sig = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(raw, HALF, NULL);
	BIGNUM *s = BN_bin2bn(raw + HALF, HALF, NULL);
	unsigned char *end = der_r;
	int len = -1;

	if (sig == NULL || r == NULL || s == NULL ||
	    ECDSA_SIG_set0(sig, r, s) != 1)
		goto out;
	r = s = NULL; /* now of sig */
	if (i2d_ECDSA_SIG(sig, NULL) <= DER_MAX)
		len = i2d_ECDSA_SIG(sig, &end);
out:
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(sig);
	return len;
}

static int
der_to_raw(const uint8_t *der, size_t len, uint8_t raw_r[GRIP_JWS_SIGNATURE])
{
	const unsigned char *p = der;
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)len);
	int result = -1;

	if (sig != NULL &&
	    BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw_r, HALF) == HALF &&
	    BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw_r + HALF, HALF) == HALF)
		result = 0;
	ECDSA_SIG_free(sig);
	return result;
}

/* 0 if the key is of the kind that `alg` takes. */
static int
check_key(enum grip_alg alg, EVP_PKEY *key)
{
	char group[32];
	size_t len;

	if (!EVP_PKEY_is_a(key, algorithms[alg].key_type))
		return -1;
	if (alg != GRIP_ES256)
		return 0;
	if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME,
		group, sizeof(group), &len) != 1)
		return -1;
	return strcmp(group, "prime256v1") == 0 ? 0 : -1;
}

enum outcome
grip_jws_verify(const struct grip_jws *jws, EVP_PKEY *key, struct reason *why)
{
	uint8_t der[DER_MAX];
	const uint8_t *signature = jws->signature;
	EVP_MD_CTX *ctx;
	int len = GRIP_JWS_SIGNATURE, result;

	if (check_key(jws->alg, key) != 0)
		return reason_set(why, OUTCOME_PERMFAIL, "signature",
		    "the key is not of the kind that alg names");
	if (jws->alg == GRIP_ES256) {
		len = raw_to_der(jws->signature, der);
		signature = der;
	}
	ctx = EVP_MD_CTX_new();
	if (ctx == NULL || len < 0 ||
	    EVP_DigestVerifyInit_ex(ctx, NULL, algorithms[jws->alg].digest,
		NULL, NULL, key, NULL) != 1) {
		EVP_MD_CTX_free(ctx);
		return internal(why, "cannot verify a signature");
	}
	ERR_set_mark();
	result = EVP_DigestVerify(ctx, signature, (size_t)len,
	    (const uint8_t *)jws->text, jws->signed_len);
	ERR_pop_to_mark();
	EVP_MD_CTX_free(ctx);
	if (result != 1)
		return reason_set(why, OUTCOME_PERMFAIL, "signature",
		    "the signature does not verify");
	return OUTCOME_OK;
}

static int
sign_bytes(enum grip_alg alg, EVP_PKEY *key, const char *text,
    uint8_t raw_r[GRIP_JWS_SIGNATURE])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t signature[DER_MAX];
	size_t len = sizeof(signature);
	int result = -1;

	if (ctx == NULL ||
	    EVP_DigestSignInit_ex(ctx, NULL, algorithms[alg].digest, NULL, NULL,
		key, NULL) != 1 ||
	    EVP_DigestSign(ctx, signature, &len, (const uint8_t *)text,
		strlen(text)) != 1)
		goto out;
	if (alg == GRIP_ES256) {
		result = der_to_raw(signature, len, raw_r);
	} else if (len == GRIP_JWS_SIGNATURE) {
		memcpy(raw_r, signature, len);
		result = 0;
	}
out:
	EVP_MD_CTX_free(ctx);
	return result;
}

/* Header, dot, payload, and room for the signature; free(). */
static char *
signing_input(const char *typ, enum grip_alg alg, const char *payload)
{
	char header[128], *text = NULL;
	size_t header_len, payload_len = strlen(payload);
	int len;

	len = snprintf(header, sizeof(header),
	    "{\"typ\":\"%s\",\"alg\":\"%s\"}", typ, algorithms[alg].name);
	if (len < 0 || (size_t)len >= sizeof(header))
		return NULL;
	header_len = base64url_length((size_t)len);
	text = malloc(header_len + 1 + base64url_length(payload_len) + 1 +
	    base64url_length(GRIP_JWS_SIGNATURE) + 1);
	if (text == NULL)
		return NULL;
	base64url_format(header, (size_t)len, text);
	text[header_len] = '.';
	base64url_format(payload, payload_len, text + header_len + 1);
	return text;
}

enum outcome
grip_jws_sign(const char *typ, const char *payload, EVP_PKEY *key,
    char **token_r, struct reason *why)
{
	uint8_t signature[GRIP_JWS_SIGNATURE];
	enum grip_alg alg;
	size_t len;
	char *text;

	*token_r = NULL;
	alg = EVP_PKEY_is_a(key, "ED25519") ? GRIP_EDDSA : GRIP_ES256;
	if (check_key(alg, key) != 0)
		return internal(why, "the key is neither P-256 nor Ed25519");
	if (strlen(payload) > GRIP_JWS_MAX)
		return refuse(why, "more than 8192 bytes");
	text = signing_input(typ, alg, payload);
	if (text == NULL)
		return no_memory(why);
	if (sign_bytes(alg, key, text, signature) != 0) {
		free(text);
		return internal(why, "cannot sign");
	}
	len = strlen(text);
	text[len++] = '.';
	base64url_format(signature, sizeof(signature), text + len);
	if (strlen(text) > GRIP_JWS_MAX) {
		free(text);
		return refuse(why, "more than 8192 bytes");
	}
	*token_r = text;
	return OUTCOME_OK;
}
