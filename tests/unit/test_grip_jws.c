/* SPDX-License-Identifier: ISC
 *
 * Compact JWS: one spelling, two algorithms.
 */
#include "grip_jws.h"

#include "grip_fixture.h"
#include "memory_fixture.h"
#include "test.h"

/* Encodes header and payload and puts the third part behind. */
static char *
compose(const char *header, const char *payload, const char *signature)
{
	char *text = malloc(20000);
	size_t len;

	base64url_format(header, strlen(header), text);
	strcat(text, ".");
	len = strlen(text);
	base64url_format(payload, strlen(payload), text + len);
	strcat(text, ".");
	strcat(text, signature);
	return text;
}

#define A43 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define SIG64 A43 A43
#define HEADER "{\"typ\":\"t\",\"alg\":\"ES256\"}"

static enum outcome
parse(const char *text, struct reason *why)
{
	struct grip_jws *jws;
	enum outcome outcome = grip_jws_parse(text, strlen(text), &jws, why);

	CHECK((outcome == OUTCOME_OK) == (jws != NULL));
	grip_jws_free(&jws);
	return outcome;
}

TEST(signs_and_verifies)
{
	EVP_PKEY *keys[2] = { fixture_p256(), fixture_ed25519() };

	for (int i = 0; i < 2; i++) {
		struct grip_jws *jws = NULL;
		struct reason why = { 0 };
		char *text = NULL;

		CHECK(grip_jws_sign("t", "{\"a\":1}", keys[i], &text, &why) ==
		    OUTCOME_OK);
		CHECK(grip_jws_parse(text, strlen(text), &jws, &why) ==
		    OUTCOME_OK);
		CHECK_STRING(jws->typ, "t");
		CHECK(jws->alg == (i == 0 ? GRIP_ES256 : GRIP_EDDSA));
		CHECK(grip_jws_verify(jws, keys[i], &why) == OUTCOME_OK);
		/* The other kind of key, another byte of the signature. */
		CHECK(grip_jws_verify(jws, keys[1 - i], &why) ==
			OUTCOME_PERMFAIL &&
		    reason_is(&why, "signature"));
		for (size_t at = 0; at < 64; at += 9) {
			jws->signature[at] ^= 1;
			CHECK(grip_jws_verify(jws, keys[i], &why) ==
				OUTCOME_PERMFAIL &&
			    reason_is(&why, "signature"));
			jws->signature[at] ^= 1;
		}
		memset(jws->signature, 0, sizeof(jws->signature));
		CHECK(grip_jws_verify(jws, keys[i], &why) == OUTCOME_PERMFAIL &&
		    reason_is(&why, "signature"));
		grip_jws_free(&jws);
		free(text);
	}
	EVP_PKEY_free(keys[0]);
	EVP_PKEY_free(keys[1]);
}

TEST(refuses_headers)
{
	static const struct {
		const char *header;
		enum outcome outcome;
	} rows[] = {
		{ HEADER, OUTCOME_OK },
		{ "{\"alg\":\"EdDSA\",\"typ\":\"t\"}", OUTCOME_OK },
		{ "{\"typ\":\"t\",\"alg\":\"none\"}", OUTCOME_PERMFAIL },
		{ "{\"typ\":\"t\",\"alg\":\"HS256\"}", OUTCOME_PERMFAIL },
		{ "{\"typ\":\"t\",\"alg\":\"es256\"}", OUTCOME_PERMFAIL },
		{ "{\"typ\":\"t\",\"alg\":\"ES384\"}", OUTCOME_PERMFAIL },
		{ "{\"alg\":\"ES256\"}", OUTCOME_PERMFAIL },
		{ "{\"typ\":\"t\"}", OUTCOME_PERMFAIL },
		{ "{\"typ\":1,\"alg\":\"ES256\"}", OUTCOME_PERMFAIL },
		{ "{\"Typ\":\"t\",\"alg\":\"ES256\"}", OUTCOME_PERMFAIL },
		{ "{\"typ\":\"t\",\"alg\":\"ES256\",\"kid\":\"a\"}",
		    OUTCOME_PERMFAIL },
		{ "{\"typ\":\"t\",\"alg\":\"ES256\",\"crit\":[]}",
		    OUTCOME_PERMFAIL },
		{ "{\"typ\":\"t\",\"alg\":\"ES256\",\"alg\":\"none\"}",
		    OUTCOME_PERMFAIL },
		{ "{\"typ\":\"0123456789012345678901234567890123456789\","
		  "\"alg\":\"ES256\"}",
		    OUTCOME_PERMFAIL },
		{ "[]", OUTCOME_PERMFAIL },
		{ "", OUTCOME_PERMFAIL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *text = compose(rows[i].header, "{}", SIG64);
		struct reason why = { 0 };

		CHECK_FOR(parse(text, &why) == rows[i].outcome, "%s",
		    rows[i].header);
		if (rows[i].outcome != OUTCOME_OK)
			CHECK_FOR(reason_is(&why, "form"), "%s",
			    rows[i].header);
		free(text);
	}
}

TEST(refuses_other_spellings)
{
	static const char *const signatures[] = {
		"",
		"AAAA",
		SIG64 "AA",
		SIG64 "==",
		SIG64 ".",
		SIG64 ".AAAA",
		" " SIG64,
		SIG64 "\n",
		/* spare bits in the last character */
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		"AA"
		"AAAAAAAAAAAAAAAAAAAAAB",
	};
	char *good = compose(HEADER, "{}", SIG64), *text;

	CHECK(parse(good, NULL) == OUTCOME_OK);
	good[3] = '=';
	CHECK(parse(good, NULL) == OUTCOME_PERMFAIL);
	free(good);
	for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]);
	     i++) {
		text = compose(HEADER, "{}", signatures[i]);
		CHECK_FOR(parse(text, NULL) == OUTCOME_PERMFAIL, "%zu", i);
		free(text);
	}
	text = compose(HEADER, "[]", SIG64);
	CHECK(parse(text, NULL) == OUTCOME_PERMFAIL);
	free(text);
	text = compose(HEADER, "{\"a\":1.5}", SIG64);
	CHECK(parse(text, NULL) == OUTCOME_PERMFAIL);
	free(text);
	CHECK(parse("", NULL) == OUTCOME_PERMFAIL);
	CHECK(parse(".", NULL) == OUTCOME_PERMFAIL);
	CHECK(parse("..", NULL) == OUTCOME_PERMFAIL);
	CHECK(grip_jws_parse("a\0b", 3, &(struct grip_jws *){ NULL }, NULL) ==
	    OUTCOME_PERMFAIL);
}

TEST(bounds_the_length)
{
	EVP_PKEY *key = fixture_ed25519();
	static char payload[7000];
	char *text = NULL;
	struct reason why = { 0 };

	/* 4/3 of it plus header, dots and signature is beyond 8192. */
	memset(payload, 'a', sizeof(payload) - 1);
	memcpy(payload, "{\"a\":\"", 6);
	strcpy(payload + sizeof(payload) - 3, "\"}");
	CHECK(
	    grip_jws_sign("t", payload, key, &text, &why) == OUTCOME_PERMFAIL &&
	    reason_is(&why, "form") && text == NULL);
	text = compose(HEADER, payload, SIG64);
	CHECK(parse(text, &why) == OUTCOME_PERMFAIL);
	free(text);
	strcpy(payload + 5900, "\"}");
	CHECK(grip_jws_sign("t", payload, key, &text, &why) == OUTCOME_OK);
	CHECK(parse(text, &why) == OUTCOME_OK);
	free(text);
	EVP_PKEY_free(key);
}

/* Else a good token would be refused for good. */
TEST(want_of_memory_is_temporary)
{
	char *text = compose(HEADER, "{\"a\":{\"b\":\"c\"}}", SIG64);

	CHECK(read_short_of_memory(parse, text) > 5);
	free(text);
}

int
main(void)
{
	RUN(signs_and_verifies);
	RUN(refuses_headers);
	RUN(refuses_other_spellings);
	RUN(bounds_the_length);
	RUN(want_of_memory_is_temporary);
	return test_done();
}
