/* SPDX-License-Identifier: ISC
 *
 * Tokens and certificates for tests. The keys are those that RFC 7515 (A.3.1,
 * P-256) and RFC 8037 (A.1, Ed25519) publish as examples.
 */
#ifndef GRIP_FIXTURE_H
#define GRIP_FIXTURE_H

#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include "encoding.h"
#include "grip_check.h"
#include "grip_jwk.h"
#include "grip_token.h"

#define FIXTURE_NOW 1800000000 /* 2027-01-15 */

#define FIXTURE_P256_X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define FIXTURE_P256_Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define FIXTURE_P256_D "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"
#define FIXTURE_ED25519_X "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define FIXTURE_ED25519_D "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
#define FIXTURE_P256_JWK \
	"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" FIXTURE_P256_X \
	"\",\"y\":\"" FIXTURE_P256_Y "\"}"
#define FIXTURE_ED25519_JWK \
	"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" FIXTURE_ED25519_X "\"" \
	"}"

static inline EVP_PKEY *
fixture_p256(void)
{
	uint8_t point[65] = { 0x04 }, d[32];
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *key = NULL;
	OSSL_PARAM *params;
	BIGNUM *secret;
	size_t len;

	base64url_parse(FIXTURE_P256_X, 43, point + 1, 32, &len);
	base64url_parse(FIXTURE_P256_Y, 43, point + 33, 32, &len);
	base64url_parse(FIXTURE_P256_D, 43, d, 32, &len);
	secret = BN_bin2bn(d, 32, NULL);
	OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME,
	    "prime256v1", 0);
	OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point,
	    sizeof(point));
	OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, secret);
	params = OSSL_PARAM_BLD_to_param(build);
	EVP_PKEY_fromdata_init(ctx);
	EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	BN_free(secret);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static inline EVP_PKEY *
fixture_ed25519(void)
{
	uint8_t d[32];
	size_t len;

	base64url_parse(FIXTURE_ED25519_D, 43, d, 32, &len);
	return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, d, 32);
}

/* A key that nobody else has. */
static inline EVP_PKEY *
fixture_fresh(void)
{
	return EVP_EC_gen("P-256");
}

/* Self-signed; `name2` (may be NULL) becomes a second CN. */
static inline uint8_t *
fixture_certificate(EVP_PKEY *key, const char *name, const char *name2,
    size_t *len_r)
{
	X509 *certificate = X509_new();
	X509_NAME *subject = X509_get_subject_name(certificate);
	uint8_t *der = NULL;

	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_set_pubkey(certificate, key);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
	    (const uint8_t *)name, -1, -1, 0);
	if (name2 != NULL)
		X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
		    (const uint8_t *)name2, -1, -1, 0);
	X509_set_issuer_name(certificate, subject);
	X509_sign(certificate, key,
	    EVP_PKEY_is_a(key, "EC") ? EVP_sha256() : NULL);
	*len_r = (size_t)i2d_X509(certificate, &der);
	X509_free(certificate);
	return der;
}

/* Good claims of a type; grip_claims_free. `token` is for GRIP_GET. */
static inline struct grip_claims
fixture_claims(enum grip_type type, const char *token)
{
	struct grip_claims c = { .iat = FIXTURE_NOW, .exp = FIXTURE_NOW + 300 };

	c.jti = strdup("AAAAAAAAAAAAAAAAAAAAAA");
	c.iss = strdup(type == GRIP_GET ? "_rra.insurance.test" :
		type == GRIP_PUT	? "_cb.foo.test" :
					  "_cb.bar.test");
	c.aud = strdup(type == GRIP_GET || type == GRIP_PUT ?
		"mailbox.hospital.test" :
		"mailbox.insurance.test");
	if (type == GRIP_NOTIFY) {
		c.exp = FIXTURE_NOW + 86400;
		c.sender = strdup("alice@foo.test");
		c.recipient = strdup("bob@bar.test");
		c.origin = strdup("https://mailbox.hospital.test");
		c.agent = strdup("_rra.insurance.test");
		c.digest = strdup("e3b0c44298fc1c149afbf4c8996fb92427ae41e4"
				  "649b934ca495991b7852b855");
	}
	if (type == GRIP_NOTIFY || type == GRIP_RELEASE)
		c.mailbox = strdup("bob@bar.test");
	if (type == GRIP_PUT)
		c.user = strdup("alice@foo.test");
	if (type == GRIP_NOTIFY || type == GRIP_PUT) {
		c.share = strdup("6vFAAAAAAAAAAAAAAAAAAQ");
		c.message = strdup("20270115.1@foo.test");
	}
	if (type == GRIP_RELEASE)
		c.id = strdup("0123456789abcdef");
	if (type == GRIP_GET)
		c.token = strdup(token);
	return c;
}

/* Replaces a text claim. */
static inline void
fixture_set(char **claim, const char *value)
{
	free(*claim);
	*claim = strdup(value);
}

/* A good token of a type; free(). NULL if it cannot be composed. */
static inline char *
fixture_token(enum grip_type type, const char *inner, EVP_PKEY *key)
{
	struct grip_claims claims = fixture_claims(type, inner);
	char *token = NULL;

	grip_token_sign(type, &claims, key, &token, NULL);
	grip_claims_free(&claims);
	return token;
}

#endif
