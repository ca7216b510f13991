/* SPDX-License-Identifier: ISC
 *
 * The test vectors of grip(7): tests/vectors/tokens.json, for whoever writes
 * another implementation. The keys are those of RFC 7515 and RFC 8037.
 *
 *   test_grip_vectors               verifies the file
 *   test_grip_vectors write FILE    makes it anew
 */
#include "grip_fixture.h"
#include "grip_protocol.h"
#include "json_strict.h"
#include "test.h"

#define FILE_NAME "tests/vectors/tokens.json"
#define FILE_MAX (1 << 20)

/* ---- verifying ---- */

static cJSON *
read_file(void)
{
	FILE *file = fopen(FILE_NAME, "r");
	char *text = malloc(FILE_MAX);
	const char *error = NULL;
	cJSON *json = NULL;

	if (file != NULL) {
		json = json_parse(text, fread(text, 1, FILE_MAX, file), &error);
		fclose(file);
	}
	if (error != NULL)
		printf("# %s\n", error);
	free(text);
	return json;
}

/* What the file's zone says at this name. */
static void
publish(const cJSON *zone, const char *name,
    struct grip_publication *publication, struct grip_record *records)
{
	const cJSON *row, *text;

	*publication =
	    (struct grip_publication){ .secure = true, .records = records };
	cJSON_ArrayForEach(row, zone)
	{
		if (strcmp(json_string(row, "name"), name) != 0)
			continue;
		publication->present = true;
		cJSON_ArrayForEach(text,
		    json_array(row,
			"txt")) if (grip_record_parse(text->valuestring,
					strlen(text->valuestring),
					&records[publication->count]) == 0)
		    publication->count++;
	}
}

static const char *
judge(const cJSON *zone, const struct grip_token *token,
    const struct grip_check_input *input, struct reason *why)
{
	struct grip_publication publication;
	struct grip_record records[8];

	if (grip_check_local(token, input, why) != OUTCOME_OK)
		return why->word;
	publish(zone, token->claims.iss, &publication, records);
	if (grip_check_published(token, input, &publication, true, why) !=
	    OUTCOME_OK)
		return why->word;
	if (token->inner == NULL)
		return "ok";
	publish(zone, token->inner->claims.iss, &publication, records);
	if (grip_check_published(token->inner, NULL, &publication, true, why) !=
	    OUTCOME_OK)
		return why->word;
	return "ok";
}

static void
check_vector(const cJSON *file, const cJSON *vector)
{
	const char *text = json_string(vector, "token");
	const char *audience = json_string(vector, "audience");
	const char *certificate = json_string(vector, "certificate");
	struct grip_check_input input = { .audiences = &audience,
		.audience_count = 1,
		.local = certificate == NULL };
	struct grip_token *token = NULL;
	struct reason why = { 0 };
	uint8_t *der = NULL;
	const char *result;

	json_integer(file, "now", 0, JSON_MAX_INTEGER, &input.now);
	CHECK(
	    grip_route_parse(json_string(vector, "route"), &input.route) == 0);
	if (certificate != NULL)
		input.certificate = der = base64_parse(certificate,
		    strlen(certificate), &input.certificate_len);
	if (grip_token_parse(text, strlen(text), &token, &why) != OUTCOME_OK)
		result = why.word;
	else
		result = judge(json_array(file, "zone"), token, &input, &why);
	CHECK_FOR(strcmp(result, json_string(vector, "result")) == 0,
	    "%s: %s %s", json_string(vector, "name"), result, why.text);
	grip_token_free(&token);
	free(der);
}

TEST(vectors_are_as_they_say)
{
	cJSON *file = read_file(), *vector;
	const cJSON *list = json_array(file, "vectors");
	size_t count = 0;

	CHECK(file != NULL);
	cJSON_ArrayForEach(vector, list)
	{
		check_vector(file, vector);
		count++;
	}
	CHECK(count >= 20);
	cJSON_Delete(file);
}

/* ---- writing ---- */

struct writer {
	cJSON *vectors;
	EVP_PKEY *ed25519, *p256;
};

/* Adds one vector; token is taken over. */
static cJSON *
add(struct writer *w, const char *name, const char *result,
    enum grip_type route, char *token)
{
	cJSON *vector = cJSON_CreateObject();

	json_add_string(vector, "name", name);
	json_add_string(vector, "result", result);
	json_add_string(vector, "route", grip_route_name(route));
	json_add_string(vector, "audience",
	    route == GRIP_GET || route == GRIP_PUT ? "mailbox.hospital.test" :
						     "mailbox.insurance.test");
	json_add_string(vector, "token", token);
	cJSON_AddItemToArray(w->vectors, vector);
	free(token);
	return vector;
}

static void
add_certificate(cJSON *vector, EVP_PKEY *key, const char *name)
{
	size_t len;
	uint8_t *der = fixture_certificate(key, name, NULL, &len);
	char *text = base64_format(der, len);

	json_add_string(vector, "certificate", text);
	free(text);
	OPENSSL_free(der);
}

/* A token with one text claim replaced. */
static char *
changed(enum grip_type type, const char *inner, EVP_PKEY *key,
    const char *claim, const char *value)
{
	struct grip_claims claims = fixture_claims(type, inner);
	char *token = NULL;

	for (const struct grip_claim *c = grip_claim_table(); c->name != NULL;
	     c++)
		if (strcmp(c->name, claim) == 0)
			fixture_set(grip_claims_field(c, &claims), value);
	grip_token_sign(type, &claims, key, &token, NULL);
	grip_claims_free(&claims);
	return token;
}

static char *
timed(enum grip_type type, EVP_PKEY *key, int64_t iat, int64_t exp)
{
	struct grip_claims claims = fixture_claims(type, NULL);
	char *token = NULL;

	claims.iat = iat;
	claims.exp = exp;
	grip_token_sign(type, &claims, key, &token, NULL);
	grip_claims_free(&claims);
	return token;
}

/* Header, payload and a signature over them, whatever they are. */
static char *
raw(const char *typ, const char *payload, EVP_PKEY *key)
{
	char *token = NULL;

	grip_jws_sign(typ, payload, key, &token, NULL);
	return token;
}

static void
write_good(struct writer *w, const char *b)
{
	EVP_PKEY *keys[2] = { w->ed25519, w->p256 };
	const char *const algorithms[2] = { "EdDSA", "ES256" };
	char name[64];

	for (int type = 0; type < GRIP_TYPE_COUNT; type++)
		for (int i = 0; i < 2; i++) {
			snprintf(name, sizeof(name), "%s, %s",
			    grip_type_name((enum grip_type)type),
			    algorithms[i]);
			add(w, name, "ok", (enum grip_type)type,
			    fixture_token((enum grip_type)type, b, keys[i]));
		}
	add_certificate(add(w, "with the certificate of the connection", "ok",
			    GRIP_GET, fixture_token(GRIP_GET, b, w->p256)),
	    w->p256, "_rra.insurance.test");
}

static void
write_form(struct writer *w, char *b)
{
	char *cut = strdup(b);

	cut[strlen(cut) - 1] = '\0';
	add(w, "signature cut by one character", "form", GRIP_NOTIFY, cut);
	add(w, "unknown typ", "form", GRIP_NOTIFY, raw("JWT", "{}", w->p256));
	add(w, "no claims", "form", GRIP_PUT,
	    raw("grip-put+jwt", "{}", w->p256));
	add(w, "nothing nested", "form", GRIP_GET,
	    raw("grip-get+jwt",
		"{\"iss\":\"_rra.insurance.test\",\"aud\":\"mailbox.hospital."
		"test"
		"\",\"jti\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"iat\":1800000000,"
		"\"exp\":"
		"1800000300,\"jwk\":" FIXTURE_P256_JWK ",\"tokens\":[]}",
		w->p256));
	add(w, "private member in jwk", "form", GRIP_PUT,
	    raw("grip-put+jwt",
		"{\"iss\":\"_cb.foo.test\",\"aud\":\"mailbox.hospital.test\","
		"\"jti\":\"AAAAAAAAAAAAAAAAAAAAAA\",\"user\":\"alice@foo."
		"test\","
		"\"share\":\"6vFAAAAAAAAAAAAAAAAAAQ\",\"message\":\"1@foo."
		"test\","
		"\"iat\":1800000000,\"exp\":1800000300,\"jwk\":{\"kty\":"
		"\"OKP\","
		"\"crv\":\"Ed25519\",\"x\":\"" FIXTURE_ED25519_X
		"\",\"d\":\"" FIXTURE_ED25519_D "\"}}",
		w->ed25519));
}

static void
write_refused(struct writer *w, char *b)
{
	char *spoilt = strdup(b), *bad, *last;

	add(w, "a notification where a get is due", "purpose", GRIP_GET,
	    strdup(b));
	add(w, "issued by an agent", "purpose", GRIP_PUT,
	    changed(GRIP_PUT, NULL, w->p256, "iss", "_rra.foo.test"));
	add(w, "from the future", "time", GRIP_PUT,
	    timed(GRIP_PUT, w->p256, FIXTURE_NOW + 61, FIXTURE_NOW + 200));
	add(w, "expired", "time", GRIP_PUT,
	    timed(GRIP_PUT, w->p256, FIXTURE_NOW - 300, FIXTURE_NOW - 60));
	add(w, "within the leeway", "ok", GRIP_PUT,
	    timed(GRIP_PUT, w->p256, FIXTURE_NOW - 300, FIXTURE_NOW - 59));
	add(w, "too long a life", "time", GRIP_PUT,
	    timed(GRIP_PUT, w->p256, FIXTURE_NOW, FIXTURE_NOW + 301));
	add(w, "for another server", "audience", GRIP_PUT,
	    changed(GRIP_PUT, NULL, w->p256, "aud", "mailbox.evil.test"));
	add_certificate(add(w, "another key than the connection's",
			    "possession", GRIP_GET,
			    fixture_token(GRIP_GET, b, w->p256)),
	    w->ed25519, "_rra.insurance.test");
	add_certificate(add(w, "another name in the certificate", "subject",
			    GRIP_GET, fixture_token(GRIP_GET, b, w->p256)),
	    w->p256, "_rra.evil.test");
	last = &spoilt[strlen(spoilt) - 10];
	*last = *last == 'A' ? 'B' : 'A';
	add(w, "wrong signature inside", "signature", GRIP_GET,
	    fixture_token(GRIP_GET, spoilt, w->p256));
	free(spoilt);
	bad = changed(GRIP_NOTIFY, NULL, w->ed25519, "agent", "_rra.evil.test");
	add(w, "another agent inside", "chain", GRIP_GET,
	    fixture_token(GRIP_GET, bad, w->p256));
	free(bad);
	add(w, "another domain's user", "user", GRIP_PUT,
	    changed(GRIP_PUT, NULL, w->p256, "user", "bob@bar.test"));
}

static char *
unpublished(EVP_PKEY *key)
{
	struct grip_claims claims = fixture_claims(GRIP_PUT, NULL);
	char *token = NULL;

	fixture_set(&claims.iss, "_cb.evil.test");
	fixture_set(&claims.user, "eve@evil.test");
	grip_token_sign(GRIP_PUT, &claims, key, &token, NULL);
	grip_claims_free(&claims);
	return token;
}

/* Both keys stand at each name but that of evil.test. */
static cJSON *
make_zone(struct writer *w)
{
	static const char *const names[] = { "_cb.bar.test", "_cb.foo.test",
		"_rra.insurance.test" };
	EVP_PKEY *keys[2] = { w->ed25519, w->p256 };
	cJSON *zone = cJSON_CreateArray(), *row, *texts;

	for (size_t i = 0; i < 3; i++) {
		row = cJSON_CreateObject();
		json_add_string(row, "name", names[i]);
		texts = cJSON_CreateArray();
		for (size_t k = 0; k < 2; k++) {
			struct grip_record record;
			char text[GRIP_RECORD_TEXT_SIZE];

			grip_jwk_spki_sha256(keys[k], record.spki_sha256);
			grip_record_format(&record, text);
			cJSON_AddItemToArray(texts, cJSON_CreateString(text));
		}
		json_add_item(row, "txt", texts);
		cJSON_AddItemToArray(zone, row);
	}
	return zone;
}

static int
write_file(const char *path)
{
	struct writer w = { cJSON_CreateArray(), fixture_ed25519(),
		fixture_p256() };
	char *b = fixture_token(GRIP_NOTIFY, NULL, w.ed25519), *text;
	cJSON *file = cJSON_CreateObject();
	FILE *out = fopen(path, "w");

	write_good(&w, b);
	write_form(&w, b);
	write_refused(&w, b);
	add(&w, "a key that is not published", "published", GRIP_PUT,
	    unpublished(w.p256));
	json_add_string(file, "about",
	    "Test vectors of grip(7). Keys: RFC "
	    "7515 A.3.1 and RFC 8037 A.1. Without a certificate, the checks "
	    "possession and subject are skipped.");
	json_add_integer(file, "now", FIXTURE_NOW);
	json_add_item(file, "zone", make_zone(&w));
	json_add_item(file, "vectors", w.vectors);
	text = cJSON_Print(file);
	if (out == NULL || fprintf(out, "%s\n", text) < 0 || fclose(out) != 0)
		return 1;
	free(text);
	free(b);
	cJSON_Delete(file);
	EVP_PKEY_free(w.ed25519);
	EVP_PKEY_free(w.p256);
	return 0;
}

int
main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "write") == 0)
		return write_file(argv[2]);
	RUN(vectors_are_as_they_say);
	return test_done();
}
