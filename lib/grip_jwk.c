/* SPDX-License-Identifier: ISC
 *
 * JWK in and out. Reads hostile JSON. A key gets in only with exactly its
 * public members and a point that lies on its curve, so a private key or a
 * second key source can never slip into a token.
 */
#include "grip_jwk.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <sodium.h>

#include "encoding.h"
#include "json_strict.h"

#define COORDINATE_LEN 32
#define COORDINATE_TEXT_SIZE 44 /* 43 characters of base64url and NUL */

static const char *const ec_members[] = { "kty", "crv", "x", "y", NULL };
static const char *const okp_members[] = { "kty", "crv", "x", NULL };

static enum outcome
refuse(struct reason *why, const char *text)
{
	return reason_set(why, OUTCOME_PERMFAIL, "form", "jwk: %s", text);
}

static int
parse_coordinate(const cJSON *jwk, const char *name, uint8_t *data_r)
{
	const char *text = json_string(jwk, name);
	size_t len;

	if (text == NULL ||
	    base64url_parse(text, strlen(text), data_r, COORDINATE_LEN, &len) !=
		0)
		return -1;
	return len == COORDINATE_LEN ? 0 : -1;
}

/* `point` is uncompressed (SEC 1, 2.3.3). NULL if it is not on the curve. */
static EVP_PKEY *
p256_key(uint8_t *point, size_t len)
{
	char group[] = "prime256v1";
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group,
		    sizeof(group) - 1),
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, len),
		OSSL_PARAM_END,
	};
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY_CTX *check = NULL;
	EVP_PKEY *key = NULL;

	/* What a stranger's key leaves in the error queue must not be found by
	 * the next SSL_get_error of this thread. */
	ERR_set_mark();
	if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		goto out;
	check = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	if (check == NULL || EVP_PKEY_public_check(check) != 1) {
		EVP_PKEY_free(key);
		key = NULL;
	}
out:
	EVP_PKEY_CTX_free(check);
	EVP_PKEY_CTX_free(ctx);
	ERR_pop_to_mark();
	return key;
}

static enum outcome
parse_ec(const cJSON *jwk, EVP_PKEY **key_r, struct reason *why)
{
	uint8_t point[1 + 2 * COORDINATE_LEN] = { 0x04 };
	const char *crv = json_string(jwk, "crv");

	if (!json_members_exact(jwk, ec_members))
		return refuse(why, "members are not kty, crv, x, y");
	if (crv == NULL || strcmp(crv, "P-256") != 0)
		return refuse(why, "unknown curve");
	if (parse_coordinate(jwk, "x", point + 1) != 0 ||
	    parse_coordinate(jwk, "y", point + 1 + COORDINATE_LEN) != 0)
		return refuse(why, "x or y is not 32 bytes of base64url");
	*key_r = p256_key(point, sizeof(point));
	if (*key_r == NULL)
		return refuse(why, "the point is not on the curve");
	return OUTCOME_OK;
}

static enum outcome
parse_okp(const cJSON *jwk, EVP_PKEY **key_r, struct reason *why)
{
	uint8_t point[COORDINATE_LEN];
	const char *crv = json_string(jwk, "crv");

	if (!json_members_exact(jwk, okp_members))
		return refuse(why, "members are not kty, crv, x");
	if (crv == NULL || strcmp(crv, "Ed25519") != 0)
		return refuse(why, "unknown curve");
	if (parse_coordinate(jwk, "x", point) != 0)
		return refuse(why, "x is not 32 bytes of base64url");
	/* OpenSSL takes any 32 bytes: small orders, points off the curve. */
	if (!crypto_core_ed25519_is_valid_point(point))
		return refuse(why, "the point is not on the curve");
	*key_r = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, point,
	    sizeof(point));
	if (*key_r == NULL)
		return reason_set(why, OUTCOME_TEMPFAIL, "internal",
		    "cannot load a key");
	return OUTCOME_OK;
}

enum outcome
grip_jwk_parse(const cJSON *jwk, EVP_PKEY **key_r, struct reason *why)
{
	const char *kty = json_string(jwk, "kty");

	*key_r = NULL;
	if (kty != NULL && strcmp(kty, "EC") == 0)
		return parse_ec(jwk, key_r, why);
	if (kty != NULL && strcmp(kty, "OKP") == 0)
		return parse_okp(jwk, key_r, why);
	return refuse(why, "no object of kty EC or OKP");
}

static int
add_coordinate(cJSON *jwk, const char *name, const uint8_t *data)
{
	char text[COORDINATE_TEXT_SIZE];

	base64url_format(data, COORDINATE_LEN, text);
	return json_add_string(jwk, name, text);
}

static int
format_ec(EVP_PKEY *key, cJSON *jwk)
{
	uint8_t point[1 + 2 * COORDINATE_LEN];
	char group[32];
	size_t len;

	if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME,
		group, sizeof(group), &len) != 1 ||
	    strcmp(group, "prime256v1") != 0)
		return -1;
	if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point,
		sizeof(point), &len) != 1 ||
	    len != sizeof(point) || point[0] != 0x04)
		return -1;
	if (json_add_string(jwk, "kty", "EC") != 0 ||
	    json_add_string(jwk, "crv", "P-256") != 0 ||
	    add_coordinate(jwk, "x", point + 1) != 0)
		return -1;
	return add_coordinate(jwk, "y", point + 1 + COORDINATE_LEN);
}

static int
format_okp(EVP_PKEY *key, cJSON *jwk)
{
	uint8_t point[COORDINATE_LEN];
	size_t len = sizeof(point);

	if (EVP_PKEY_get_raw_public_key(key, point, &len) != 1 ||
	    len != sizeof(point))
		return -1;
	if (json_add_string(jwk, "kty", "OKP") != 0 ||
	    json_add_string(jwk, "crv", "Ed25519") != 0)
		return -1;
	return add_coordinate(jwk, "x", point);
}

cJSON *
grip_jwk_format(EVP_PKEY *key)
{
	cJSON *jwk = cJSON_CreateObject();
	int result = -1;

	if (jwk == NULL)
		return NULL;
	if (EVP_PKEY_is_a(key, "EC"))
		result = format_ec(key, jwk);
	else if (EVP_PKEY_is_a(key, "ED25519"))
		result = format_okp(key, jwk);
	if (result != 0) {
		cJSON_Delete(jwk);
		return NULL;
	}
	return jwk;
}

int
grip_jwk_spki_sha256(EVP_PKEY *key, uint8_t hash_r[32])
{
	uint8_t *der = NULL;
	int len = i2d_PUBKEY(key, &der);

	if (len <= 0)
		return -1;
	SHA256(der, (size_t)len, hash_r);
	OPENSSL_free(der);
	return 0;
}

int
grip_jwk_spki_hash(EVP_PKEY *key, char hex_r[65])
{
	uint8_t hash[SHA256_LEN];

	if (grip_jwk_spki_sha256(key, hash) != 0)
		return -1;
	hex_format(hash, sizeof(hash), hex_r);
	return 0;
}
