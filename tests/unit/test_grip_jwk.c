/* SPDX-License-Identifier: ISC
 *
 * JWK: exactly the public members, points on the curve.
 */
#include "grip_jwk.h"

#include "grip_fixture.h"
#include "json_strict.h"
#include "test.h"

static enum outcome
parse(const char *text, EVP_PKEY **key_r, struct reason *why)
{
	cJSON *jwk = json_parse(text, strlen(text), NULL);
	enum outcome outcome = grip_jwk_parse(jwk, key_r, why);

	cJSON_Delete(jwk);
	return outcome;
}

/* RFC 7515 A.3.1 and RFC 8037 A.1; the hashes are over the DER that RFC 5480
 * and RFC 8410 prescribe, put together by hand. */
TEST(reads_published_keys)
{
	static const char *const texts[] = { FIXTURE_P256_JWK,
		FIXTURE_ED25519_JWK };
	static const char *const hashes[] = {
		"2bd1bb0c44a897c30a7aa0991cde38d8"
		"062fe441de50da0f46825344f602e827",
		"06e3fd8fda29bb60ab59557de61edb0a"
		"ecdb231134be30e75b455f8e1b792fa9"
	};
	EVP_PKEY *keys[2] = { fixture_p256(), fixture_ed25519() };

	for (size_t i = 0; i < 2; i++) {
		char hex[65] = "";
		EVP_PKEY *key = NULL;
		cJSON *jwk;
		char *text;

		CHECK(parse(texts[i], &key, NULL) == OUTCOME_OK);
		CHECK(EVP_PKEY_eq(key, keys[i]) == 1);
		CHECK(grip_jwk_spki_hash(key, hex) == 0);
		CHECK_STRING(hex, hashes[i]);
		CHECK(grip_jwk_spki_hash(keys[i], hex) == 0);
		CHECK_STRING(hex, hashes[i]);
		/* The private member never comes out. */
		jwk = grip_jwk_format(keys[i]);
		text = json_format(jwk);
		CHECK_STRING(text, texts[i]);
		free(text);
		cJSON_Delete(jwk);
		EVP_PKEY_free(key);
		EVP_PKEY_free(keys[i]);
	}
}

#define X FIXTURE_P256_X
#define Y FIXTURE_P256_Y
#define EDX FIXTURE_ED25519_X
#define ZERO43 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

TEST(refuses_everything_else)
{
	static const char *const bad[] = {
		"{}",
		"[]",
		"\"EC\"",
		"{\"kty\":\"RSA\",\"n\":\"AQ\",\"e\":\"AQAB\"}",
		"{\"kty\":\"oct\",\"k\":\"AAAA\"}",
		/* a member too few, too many, private, of another type */
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" Y
		"\",\"kid\":\"1\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" X "\",\"y\":\"" Y
		"\",\"d\":\"" FIXTURE_P256_D "\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":1,\"y\":\"" Y "\"}",
		"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" EDX
		"\",\"y\":\"" Y "\"}",
		"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" EDX
		"\",\"d\":\"" FIXTURE_ED25519_D "\"}",
		/* other curves */
		"{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" X "\",\"y\":\"" Y
		"\"}",
		"{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" EDX "\"}",
		/* not on the curve; the neutral point; of small order */
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" Y "\",\"y\":\"" X
		"\"}",
		"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" ZERO43
		"\",\"y\":\"" ZERO43 "\"}",
		"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ZERO43 "\"}",
		"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"
		"\"AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
		/* 31 bytes, padding, spare bits, classic alphabet */
		"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"
		"\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHUQ\"}",
		"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" EDX "=\"}",
		"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"
		"\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURp\"}",
		"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":"
		"\"11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct reason why = { 0 };
		EVP_PKEY *key = NULL;

		CHECK_FOR(parse(bad[i], &key, &why) == OUTCOME_PERMFAIL &&
			reason_is(&why, "form") && key == NULL,
		    "%s", bad[i]);
		EVP_PKEY_free(key);
	}
	CHECK(grip_jwk_parse(NULL, &(EVP_PKEY *){ NULL }, NULL) ==
	    OUTCOME_PERMFAIL);
}

TEST(formats_no_other_kind)
{
	EVP_PKEY *key = EVP_EC_gen("P-384");

	CHECK(grip_jwk_format(key) == NULL);
	EVP_PKEY_free(key);
}

int
main(void)
{
	RUN(reads_published_keys);
	RUN(refuses_everything_else);
	RUN(formats_no_other_kind);
	return test_done();
}
