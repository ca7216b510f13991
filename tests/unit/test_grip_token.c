/* SPDX-License-Identifier: ISC
 *
 * Tokens: every claim of the type and no other, each of its shape.
 */
#include "grip_token.h"

#include "grip_fixture.h"
#include "json_strict.h"
#include "test.h"

static EVP_PKEY *broker, *agent;
static char *nested; /* a good token B */

/* Signs a payload that need not be right. */
static enum outcome
try_payload(enum grip_type type, const cJSON *payload, struct reason *why)
{
	struct grip_token *token;
	char *json = json_format(payload), *text = NULL;
	enum outcome outcome;

	outcome = grip_jws_sign(grip_type_name(type), json, agent, &text, why);
	if (outcome == OUTCOME_OK)
		outcome = grip_token_parse(text, strlen(text), &token, why);
	if (outcome == OUTCOME_OK)
		grip_token_free(&token);
	free(text);
	free(json);
	return outcome;
}

/* The payload of a good token; cJSON_Delete. */
static cJSON *
good_payload(enum grip_type type)
{
	struct grip_claims claims = fixture_claims(type, nested);
	struct grip_token *token;
	char *text = NULL;
	cJSON *payload;

	grip_token_sign(type, &claims, agent, &text, NULL);
	grip_token_parse(text, strlen(text), &token, NULL);
	payload = cJSON_Duplicate(token->jws->payload, 1);
	grip_token_free(&token);
	free(text);
	grip_claims_free(&claims);
	return payload;
}

TEST(reads_what_it_writes)
{
	for (int i = 0; i < GRIP_TYPE_COUNT; i++) {
		struct grip_claims claims =
		    fixture_claims((enum grip_type)i, nested);
		struct grip_token *token = NULL;
		struct reason why = { 0 };
		char *text = NULL;

		CHECK(grip_token_sign((enum grip_type)i, &claims, broker, &text,
			  &why) == OUTCOME_OK);
		CHECK(grip_token_parse(text, strlen(text), &token, &why) ==
		    OUTCOME_OK);
		CHECK((int)token->type == i);
		CHECK(token->claims.iat == claims.iat);
		CHECK(token->claims.exp == claims.exp);
		for (const struct grip_claim *c = grip_claim_table();
		     c->name != NULL; c++) {
			const char *want = *grip_claims_field(c, &claims);
			const char *got = *grip_claims_field(c, &token->claims);

			CHECK_FOR((want == NULL) == (got == NULL), "%s",
			    c->name);
			if (want != NULL)
				CHECK_STRING(got, want);
		}
		CHECK(EVP_PKEY_eq(token->key, broker) == 1);
		CHECK((token->inner != NULL) == (i == GRIP_GET));
		if (token->inner != NULL)
			CHECK_STRING(token->claims.token, nested);
		grip_token_free(&token);
		CHECK(token == NULL);
		free(text);
		grip_claims_free(&claims);
	}
}

/* Takes each claim out, gives it another type, adds a stranger. */
TEST(demands_exactly_the_claims)
{
	for (int i = 0; i < GRIP_TYPE_COUNT; i++) {
		cJSON *good = good_payload((enum grip_type)i), *item;
		struct reason why;

		CHECK(try_payload((enum grip_type)i, good, &why) == OUTCOME_OK);
		cJSON_ArrayForEach(item, good)
		{
			cJSON *bad = cJSON_Duplicate(good, 1);

			cJSON_DeleteItemFromObjectCaseSensitive(bad,
			    item->string);
			CHECK_FOR(try_payload((enum grip_type)i, bad, &why) ==
				    OUTCOME_PERMFAIL &&
				reason_is(&why, "form"),
			    "without %s", item->string);
			cJSON_AddTrueToObject(bad, item->string);
			CHECK_FOR(try_payload((enum grip_type)i, bad, &why) ==
				    OUTCOME_PERMFAIL &&
				reason_is(&why, "form"),
			    "%s is true", item->string);
			cJSON_Delete(bad);
		}
		cJSON_AddStringToObject(good, "extra", "x");
		CHECK(try_payload((enum grip_type)i, good, &why) ==
			OUTCOME_PERMFAIL &&
		    reason_is(&why, "form"));
		cJSON_Delete(good);
	}
}

TEST(demands_the_shape_of_each_claim)
{
	static const struct {
		enum grip_type type;
		const char *claim, *value;
	} rows[] = {
		{ GRIP_NOTIFY, "iss", "bar.test" },
		{ GRIP_NOTIFY, "iss", "_cb.bar.test." },
		{ GRIP_NOTIFY, "aud", "https://mailbox.insurance.test" },
		{ GRIP_NOTIFY, "aud", "mailbox.insurance.test:443" },
		{ GRIP_NOTIFY, "jti", "" },
		{ GRIP_NOTIFY, "jti", "AAAA" },
		{ GRIP_NOTIFY, "jti", "AAAAAAAAAAAAAAAAAAAAAB" },
		{ GRIP_NOTIFY, "sender", "" },
		{ GRIP_NOTIFY, "sender", "alice" },
		{ GRIP_NOTIFY, "sender", "<alice@foo.test>" },
		{ GRIP_NOTIFY, "recipient", "bob@BAR.test" },
		{ GRIP_NOTIFY, "mailbox", "bob@bar.test\r\n" },
		{ GRIP_NOTIFY, "share", "6vFAAAAAAAAAAAAAAAAAA" },
		{ GRIP_NOTIFY, "message", "" },
		{ GRIP_NOTIFY, "message", "<1@foo.test>" },
		{ GRIP_NOTIFY, "message", "1\n@foo.test" },
		{ GRIP_NOTIFY, "origin", "http://mailbox.hospital.test" },
		{ GRIP_NOTIFY, "origin", "https://mailbox.hospital.test/" },
		{ GRIP_NOTIFY, "agent", "insurance.test" },
		{ GRIP_NOTIFY, "digest", "00" },
		{ GRIP_NOTIFY, "digest",
		    "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4"
		    "649B934CA495991B7852B855" },
		{ GRIP_PUT, "user", "foo.test" },
		{ GRIP_RELEASE, "id", "" },
		{ GRIP_RELEASE, "id", "../1" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cJSON *payload = good_payload(rows[i].type);
		struct reason why;

		cJSON_ReplaceItemInObjectCaseSensitive(payload, rows[i].claim,
		    cJSON_CreateString(rows[i].value));
		/* "<alice@foo.test>" ends in ">": no host name. */
		CHECK_FOR(try_payload(rows[i].type, payload, &why) ==
			    OUTCOME_PERMFAIL &&
			reason_is(&why, "form"),
		    "%s=%s", rows[i].claim, rows[i].value);
		cJSON_Delete(payload);
	}
}

TEST(demands_whole_times)
{
	static const char *const times[] = { "-1", "\"1800000000\"", "1.5",
		"1e9", "9007199254740993", "null", "[1]" };

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		cJSON *payload = good_payload(GRIP_PUT);
		struct reason why;

		cJSON_ReplaceItemInObjectCaseSensitive(payload, "exp",
		    cJSON_CreateRaw(times[i]));
		CHECK_FOR(try_payload(GRIP_PUT, payload, &why) ==
			    OUTCOME_PERMFAIL &&
			reason_is(&why, "form"),
		    "%s", times[i]);
		cJSON_Delete(payload);
	}
}

TEST(nests_exactly_one)
{
	cJSON *payload = good_payload(GRIP_GET), *tokens;
	struct reason why;

	tokens = cJSON_GetObjectItemCaseSensitive(payload, "tokens");
	cJSON_AddItemToArray(tokens, cJSON_CreateString(nested));
	CHECK(try_payload(GRIP_GET, payload, &why) == OUTCOME_PERMFAIL);
	CHECK(reason_is(&why, "form"));
	cJSON_DeleteItemFromArray(tokens, 1);
	CHECK(try_payload(GRIP_GET, payload, &why) == OUTCOME_OK);
	cJSON_DeleteItemFromArray(tokens, 0);
	CHECK(try_payload(GRIP_GET, payload, &why) == OUTCOME_PERMFAIL);
	cJSON_AddItemToArray(tokens, cJSON_CreateString("a.b.c"));
	CHECK(try_payload(GRIP_GET, payload, &why) == OUTCOME_PERMFAIL);
	cJSON_ReplaceItemInArray(tokens, 0, cJSON_CreateNumber(1));
	CHECK(try_payload(GRIP_GET, payload, &why) == OUTCOME_PERMFAIL);
	cJSON_Delete(payload);
}

TEST(opens_one_level_only)
{
	char *a = fixture_token(GRIP_GET, nested, agent);
	char *aa = fixture_token(GRIP_GET, a, agent);
	struct grip_token *token = NULL;

	CHECK(grip_token_parse(aa, strlen(aa), &token, NULL) == OUTCOME_OK);
	CHECK(token->inner->type == GRIP_GET);
	CHECK(token->inner->inner == NULL);
	grip_token_free(&token);
	free(aa);
	free(a);
}

TEST(composes_nothing_wrong)
{
	struct grip_claims claims = fixture_claims(GRIP_PUT, NULL);
	struct reason why = { 0 };
	char *text = NULL;

	fixture_set(&claims.share, "short");
	CHECK(grip_token_sign(GRIP_PUT, &claims, broker, &text, &why) ==
		OUTCOME_PERMFAIL &&
	    reason_is(&why, "form") && text == NULL);
	free(claims.share);
	claims.share = NULL;
	CHECK(grip_token_sign(GRIP_PUT, &claims, broker, &text, &why) ==
		OUTCOME_PERMFAIL &&
	    reason_is(&why, "form"));
	grip_claims_free(&claims);
	claims = fixture_claims(GRIP_PUT, NULL);
	claims.digest = strdup("0");
	CHECK(grip_token_sign(GRIP_PUT, &claims, broker, &text, &why) ==
		OUTCOME_PERMFAIL &&
	    reason_is(&why, "form"));
	grip_claims_free(&claims);
	/* Bytes that are no UTF-8 pass for an address, not for JSON. */
	claims = fixture_claims(GRIP_PUT, NULL);
	fixture_set(&claims.user, "a\xff@foo.test");
	CHECK(grip_token_sign(GRIP_PUT, &claims, broker, &text, &why) !=
		OUTCOME_OK &&
	    text == NULL);
	grip_claims_free(&claims);
}

TEST(knows_its_types)
{
	enum grip_type type;

	for (int i = 0; i < GRIP_TYPE_COUNT; i++) {
		CHECK(grip_type_find(grip_type_name((enum grip_type)i),
			  &type) == 0 &&
		    (int)type == i);
		CHECK(grip_type_max_lifetime(type) ==
		    (i == GRIP_NOTIFY ? 14 * 86400 : 300));
	}
	CHECK(grip_type_name(GRIP_TYPE_COUNT) == NULL);
	CHECK(grip_type_find("JWT", &type) == -1);
	CHECK_STRING(grip_type_role(GRIP_GET), "_rra");
	CHECK_STRING(grip_type_role(GRIP_RELEASE), "_cb");
}

TEST(makes_fresh_ids)
{
	char a[GRIP_ID_SIZE], b[GRIP_ID_SIZE];

	grip_token_new_id(a);
	grip_token_new_id(b);
	CHECK(strlen(a) == GRIP_ID_LEN && strcmp(a, b) != 0);
}

int
main(void)
{
	broker = fixture_ed25519();
	agent = fixture_p256();
	nested = fixture_token(GRIP_NOTIFY, NULL, broker);
	RUN(reads_what_it_writes);
	RUN(demands_exactly_the_claims);
	RUN(demands_the_shape_of_each_claim);
	RUN(demands_whole_times);
	RUN(nests_exactly_one);
	RUN(opens_one_level_only);
	RUN(composes_nothing_wrong);
	RUN(knows_its_types);
	RUN(makes_fresh_ids);
	free(nested);
	EVP_PKEY_free(broker);
	EVP_PKEY_free(agent);
	return test_done();
}
