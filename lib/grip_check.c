/* SPDX-License-Identifier: ISC
 *
 * The checks of GRIP: what makes a well-formed token believed. Pure: no clock,
 * no network. Everything it reads but the input's audiences and route is
 * hostile.
 */
#include "grip_check.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <sodium.h>

#include "encoding.h"
#include "grip_jwk.h"

static enum outcome
refuse(struct reason *why, const char *check, const char *text)
{
	return reason_set(why,
	    grip_check_is_temporary(check) ? OUTCOME_TEMPFAIL :
					     OUTCOME_PERMFAIL,
	    check, "%s", text);
}

/* ---- 2 purpose ---- */

static enum outcome
check_purpose(const struct grip_token *token,
    const struct grip_check_input *input, struct reason *why)
{
	if (token->type != input->route)
		return refuse(why, "purpose",
		    "this kind of token is not for this route");
	if (!grip_name_is_service(token->claims.iss,
		grip_type_role(token->type)))
		return refuse(why, "purpose",
		    "the issuer's role does not sign such tokens");
	if (token->type != GRIP_GET)
		return OUTCOME_OK;
	if (token->inner == NULL || token->inner->type != GRIP_NOTIFY ||
	    !grip_name_is_service(token->inner->claims.iss,
		grip_type_role(GRIP_NOTIFY)))
		return refuse(why, "purpose",
		    "the nested token is not a broker's notification");
	return OUTCOME_OK;
}

/* ---- 3 time ---- */

static enum outcome
check_one_time(const struct grip_token *token, int64_t now, struct reason *why)
{
	const struct grip_claims *claims = &token->claims;

	/* How far tells whether somebody's clock is off, and whose. */
	if (claims->iat > now + GRIP_LEEWAY)
		return reason_set(why, OUTCOME_TEMPFAIL, "time",
		    "issued %lld s in the future: here it is %lld",
		    (long long)(claims->iat - now), (long long)now);
	if (claims->exp <= now - GRIP_LEEWAY)
		return reason_set(why, OUTCOME_TEMPFAIL, "time",
		    "expired %lld s ago: here it is %lld",
		    (long long)(now - claims->exp), (long long)now);
	/* Both are within 2^53: no overflow. */
	if (claims->exp < claims->iat ||
	    claims->exp - claims->iat > grip_type_max_lifetime(token->type))
		return refuse(why, "time", "lives longer than its kind may");
	return OUTCOME_OK;
}

static enum outcome
check_time(const struct grip_token *token, const struct grip_check_input *input,
    struct reason *why)
{
	enum outcome outcome = check_one_time(token, input->now, why);

	if (outcome == OUTCOME_OK && token->inner != NULL)
		outcome = check_one_time(token->inner, input->now, why);
	return outcome;
}

/* ---- 4 audience ---- */

static enum outcome
check_audience(const struct grip_token *token,
    const struct grip_check_input *input, struct reason *why)
{
	for (size_t i = 0; i < input->audience_count; i++)
		if (strcmp(token->claims.aud, input->audiences[i]) == 0)
			return OUTCOME_OK;
	return refuse(why, "audience", "meant for another server");
}

/* ---- 5 possession, 6 subject ---- */

/* The whole input must be one certificate. X509_free. */
static X509 *
parse_certificate(const struct grip_check_input *input)
{
	const unsigned char *p = input->certificate;
	X509 *certificate;

	if (p == NULL || input->certificate_len == 0 ||
	    input->certificate_len > INT32_MAX)
		return NULL;
	ERR_set_mark();
	certificate = d2i_X509(NULL, &p, (long)input->certificate_len);
	ERR_pop_to_mark();
	if (certificate != NULL &&
	    p != input->certificate + input->certificate_len) {
		X509_free(certificate);
		return NULL;
	}
	return certificate;
}

/* Compares SubjectPublicKeyInfo byte by byte, which is what is published:
 * another encoding of the same point is another key. */
static enum outcome
check_possession(const struct grip_token *token,
    const struct grip_check_input *input, struct reason *why)
{
	X509 *certificate;
	EVP_PKEY *key;
	char hash[SHA256_HEX_SIZE];
	bool same;

	if (input->local)
		return OUTCOME_OK;
	certificate = parse_certificate(input);
	if (certificate == NULL)
		return refuse(why, "possession",
		    "no certificate came with the connection");
	ERR_set_mark();
	key = X509_get0_pubkey(certificate);
	ERR_pop_to_mark();
	same = key != NULL && grip_jwk_spki_hash(key, hash) == 0 &&
	    strcmp(hash, token->key_hash) == 0;
	X509_free(certificate);
	if (!same)
		return refuse(why, "possession",
		    "jwk is not the key of the TLS connection");
	return OUTCOME_OK;
}

/* The one CN, in lower case. 0, or -1 if there is none, more than one, or it
 * is no name. */
static int
certificate_name(X509 *certificate, char name_r[GRIP_NAME_SIZE])
{
	const X509_NAME *subject = X509_get_subject_name(certificate);
	unsigned char *text = NULL;
	int index, len, result = -1;

	index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	if (index < 0 ||
	    X509_NAME_get_index_by_NID(subject, NID_commonName, index) >= 0)
		return -1;
	len = ASN1_STRING_to_UTF8(&text,
	    X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)));
	if (len <= 0 || len > GRIP_NAME_MAX ||
	    memchr(text, '\0', (size_t)len) != NULL)
		goto out;
	for (int i = 0; i < len; i++)
		name_r[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ?
			text[i] + ('a' - 'A') :
			text[i]);
	name_r[len] = '\0';
	result = 0;
out:
	OPENSSL_free(text);
	return result;
}

/* The CN of the certificate of a connection; "" if there is none. */
static void
subject_name(const struct grip_check_input *input, char name_r[GRIP_NAME_SIZE])
{
	X509 *certificate = parse_certificate(input);

	if (certificate == NULL || certificate_name(certificate, name_r) != 0)
		name_r[0] = '\0';
	X509_free(certificate);
}

/* A CN that is another service of the same role may be the target of a CNAME
 * at `iss`: that is decided when the DNS has answered. */
static enum outcome
check_subject(const struct grip_token *token,
    const struct grip_check_input *input, struct reason *why)
{
	char name[GRIP_NAME_SIZE];

	if (input->local)
		return OUTCOME_OK;
	subject_name(input, name);
	if (strcmp(name, token->claims.iss) == 0 ||
	    grip_name_is_service(name, grip_type_role(token->type)))
		return OUTCOME_OK;
	return refuse(why, "subject",
	    "the certificate's CN is not the issuer's name");
}

/* ---- 7 signature ---- */

static enum outcome
check_signature(const struct grip_token *token,
    const struct grip_check_input *input, struct reason *why)
{
	enum outcome outcome;

	(void)input;
	outcome = grip_jws_verify(token->jws, token->key, why);
	if (outcome == OUTCOME_OK && token->inner != NULL)
		outcome =
		    grip_jws_verify(token->inner->jws, token->inner->key, why);
	return outcome;
}

/* ---- 8 chain ---- */

static enum outcome
check_chain(const struct grip_token *token,
    const struct grip_check_input *input, struct reason *why)
{
	char host[GRIP_NAME_SIZE];

	(void)input;
	if (token->inner == NULL)
		return OUTCOME_OK;
	if (strcmp(token->claims.iss, token->inner->claims.agent) != 0)
		return refuse(why, "chain",
		    "the nested token names another agent");
	if (!grip_name_is_origin(token->inner->claims.origin, host) ||
	    strcmp(token->claims.aud, host) != 0)
		return refuse(why, "chain",
		    "the nested token names another origin");
	return OUTCOME_OK;
}

/* ---- 9 user ---- */

/* True if the address is absent or of this domain. */
static bool
is_of_domain(const char *address, const char *domain)
{
	const char *own;

	if (address == NULL)
		return true;
	own = grip_name_address_domain(address);
	return own != NULL && strcmp(own, domain) == 0;
}

static enum outcome
check_user(const struct grip_token *token, const struct grip_check_input *input,
    struct reason *why)
{
	const struct grip_claims *claims = &token->claims;
	const char *domain = grip_name_domain(claims->iss);

	if (domain == NULL || !is_of_domain(claims->recipient, domain) ||
	    !is_of_domain(claims->mailbox, domain) ||
	    !is_of_domain(claims->user, domain))
		return refuse(why, "user",
		    "the issuer does not speak for that address");
	if (token->inner != NULL)
		return check_user(token->inner, input, why);
	return OUTCOME_OK;
}

/* ---- in order ---- */

static const struct check {
	const char *name;
	enum outcome (*run)(const struct grip_token *,
	    const struct grip_check_input *, struct reason *);
	bool temporary;
} checks[] = {
	{ "form", NULL, false }, /* grip_token_parse */
	{ "purpose", check_purpose, false }, { "time", check_time, true },
	{ "audience", check_audience, false },
	{ "possession", check_possession, false },
	{ "subject", check_subject, false },
	{ "signature", check_signature, false },
	{ "chain", check_chain, false }, { "user", check_user, false },
	{ "published", NULL, true }, /* grip_check_published */
	{ "digest", NULL, false }, /* who reads the body */
};

#define CHECK_COUNT (sizeof(checks) / sizeof(checks[0]))

const char *
grip_check_name(size_t number)
{
	return number < CHECK_COUNT ? checks[number].name : NULL;
}

bool
grip_check_is_temporary(const char *word)
{
	for (size_t i = 0; i < CHECK_COUNT; i++)
		if (strcmp(checks[i].name, word) == 0)
			return checks[i].temporary;
	return false;
}

enum outcome
grip_check_local(const struct grip_token *token,
    const struct grip_check_input *input, struct reason *why)
{
	enum outcome outcome = OUTCOME_OK;

	for (size_t i = 0; i < CHECK_COUNT && outcome == OUTCOME_OK; i++)
		if (checks[i].run != NULL)
			outcome = checks[i].run(token, input, why);
	return outcome;
}

enum outcome
grip_check_again(const struct grip_token *token,
    const struct grip_check_input *input, struct reason *why)
{
	enum outcome outcome = check_purpose(token, input, why);

	if (outcome == OUTCOME_OK)
		outcome = check_time(token, input, why);
	return outcome;
}

/* ---- 10 published ---- */

/* The hoster's certificate under the customer's name (see check_subject). */
static enum outcome
check_hosted_subject(const struct grip_token *token,
    const struct grip_check_input *input,
    const struct grip_publication *publication, struct reason *why)
{
	char name[GRIP_NAME_SIZE];

	if (input == NULL || input->local)
		return OUTCOME_OK;
	subject_name(input, name);
	if (strcmp(name, token->claims.iss) == 0 ||
	    (name[0] != '\0' && strcmp(name, publication->target) == 0))
		return OUTCOME_OK;
	return refuse(why, "subject",
	    "the certificate's CN is neither the issuer nor its CNAME");
}

static bool
is_listed(const struct grip_token *token,
    const struct grip_publication *publication)
{
	uint8_t hash[SHA256_LEN];

	if (hex_parse(token->key_hash, hash, sizeof(hash)) != 0)
		return false;
	for (size_t i = 0; i < publication->count; i++)
		if (sodium_memcmp(publication->records[i].spki_sha256, hash,
			sizeof(hash)) == 0)
			return true;
	return false;
}

enum outcome
grip_check_published(const struct grip_token *token,
    const struct grip_check_input *input,
    const struct grip_publication *publication, bool require_secure,
    struct reason *why)
{
	const char *iss = token->claims.iss;
	enum outcome outcome;

	if (publication->outcome != OUTCOME_OK)
		return reason_set(why, OUTCOME_TEMPFAIL, "published",
		    "%s: no answer from the DNS: %s", iss,
		    publication->detail != NULL ? publication->detail : "");
	if (require_secure && !publication->secure)
		return reason_set(why, OUTCOME_TEMPFAIL, "published",
		    "%s: the answer is not validated by DNSSEC", iss);
	if (!publication->present)
		return reason_set(why, OUTCOME_TEMPFAIL, "published",
		    "%s: publishes no key", iss);
	outcome = check_hosted_subject(token, input, publication, why);
	if (outcome != OUTCOME_OK)
		return outcome;
	if (!is_listed(token, publication))
		return reason_set(why, OUTCOME_TEMPFAIL, "published",
		    "%s: the key is not among the %zu published", iss,
		    publication->count);
	return OUTCOME_OK;
}
