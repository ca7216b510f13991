/* SPDX-License-Identifier: ISC
 *
 * The signer's verbs by role: who may have what signed.
 */
#include "test.h"

#include <openssl/evp.h>

#include "encoding.h"
#include "grip_jwk.h"
#include "json_strict.h"
#include "sign_fixture.h"
#include "sign_metrics.h"

#define NOW 1700000000

static struct sign_fixture fixture;
static struct metrics *counts;

/* The packet (taken over) by a caller of this role; the answer, or NULL. */
static cJSON *
ask(enum grip_role role, cJSON *request, struct reason *why)
{
	struct sign_caller caller = { fixture.ring, role, "test", counts };
	char *packet, *answer;
	cJSON *json = NULL;
	int64_t id = 0;

	json_add_integer(request, "id", 41);
	packet = json_format(request);
	cJSON_Delete(request);
	answer = sign_answer(&caller, packet, strlen(packet), NOW);
	free(packet);
	CHECK(answer != NULL);
	CHECK(grip_protocol_answer_parse(answer, strlen(answer), &id, &json,
		  why) == 0 &&
	    id == 41);
	free(answer);
	return json;
}

static char bob[] = "bob@bar.test", alice[] = "alice@foo.test",
	    aud[] = "mailbox.insurance.test",
	    share[] = "AAAAAAAAAAAAAAAAAAAAAA", message[] = "1@foo.test",
	    origin[] = "https://mailbox.hospital.test",
	    agent[] = "_rra.insurance.test",
	    hospital[] = "mailbox.hospital.test",
	    digest[] = "0123456789abcdef0123456789abcdef"
		       "0123456789abcdef0123456789abcdef";

static struct grip_claims
notify(void)
{
	struct grip_claims claims = { .aud = aud,
		.sender = alice,
		.recipient = bob,
		.mailbox = bob,
		.share = share,
		.message = message,
		.origin = origin,
		.agent = agent,
		.digest = digest };

	return claims;
}

/* The token of a good answer, parsed. */
static struct grip_token *
token_of(const cJSON *answer)
{
	const char *text = json_string(answer, "token");
	struct grip_token *token = NULL;
	struct reason why;

	CHECK(text != NULL &&
	    grip_token_parse(text, strlen(text), &token, &why) == OUTCOME_OK);
	return token;
}

TEST(a_broker_gets_its_token)
{
	struct grip_claims claims = notify();
	struct grip_token *token;
	char hash[65];
	struct reason why;
	cJSON *answer;

	answer = ask(GRIP_ROLE_BROKER,
	    grip_protocol_token("_cb.bar.test", GRIP_NOTIFY, &claims), &why);
	CHECK_FOR(why.outcome == OUTCOME_OK, "%s: %s", why.word, why.text);
	token = token_of(answer);
	if (token != NULL) {
		CHECK_STRING(token->claims.iss, "_cb.bar.test");
		CHECK(token->claims.iat == NOW);
		CHECK(token->claims.exp == NOW + GRIP_LIFETIME_NOTIFY);
		CHECK(strlen(token->claims.jti) == GRIP_ID_LEN);
		grip_jwk_spki_hash(fixture.ring->items[0].key, hash);
		CHECK_STRING(token->key_hash, hash);
		CHECK(grip_jws_verify(token->jws, token->key, &why) ==
		    OUTCOME_OK);
	}
	grip_token_free(&token);
	cJSON_Delete(answer);
	CHECK(metrics_get(counts, SIGN_SIGNATURES, "token") == 1);
}

TEST(no_two_tokens_have_one_id)
{
	struct grip_claims claims = notify();
	struct grip_token *one, *other;
	cJSON *answers[2];
	struct reason why;

	for (int i = 0; i < 2; i++)
		answers[i] = ask(GRIP_ROLE_BROKER,
		    grip_protocol_token("_cb.bar.test", GRIP_NOTIFY, &claims),
		    &why);
	one = token_of(answers[0]);
	other = token_of(answers[1]);
	CHECK(one && other && strcmp(one->claims.jti, other->claims.jti) != 0);
	grip_token_free(&one);
	grip_token_free(&other);
	cJSON_Delete(answers[0]);
	cJSON_Delete(answers[1]);
}

TEST(an_agent_wraps_the_brokers_token)
{
	struct grip_claims claims = notify(), get = { .aud = hospital };
	struct grip_token *token;
	cJSON *inner, *outer;
	struct reason why;

	inner = ask(GRIP_ROLE_BROKER,
	    grip_protocol_token("_cb.bar.test", GRIP_NOTIFY, &claims), &why);
	get.token =
	    cJSON_GetObjectItemCaseSensitive(inner, "token")->valuestring;
	outer = ask(GRIP_ROLE_AGENT,
	    grip_protocol_token("_rra.insurance.test", GRIP_GET, &get), &why);
	CHECK_FOR(why.outcome == OUTCOME_OK, "%s: %s", why.word, why.text);
	token = token_of(outer);
	CHECK(token != NULL && token->inner != NULL);
	CHECK(token == NULL || token->claims.exp == NOW + 300);
	grip_token_free(&token);
	cJSON_Delete(inner);
	cJSON_Delete(outer);
}

TEST(nobody_uses_anothers_identity)
{
	static const struct {
		enum grip_role caller;
		const char *identity;
		enum grip_type type;
		const char *word;
	} rows[] = {
		{ GRIP_ROLE_AGENT, "_cb.bar.test", GRIP_NOTIFY,
		    "unknown-identity" },
		{ GRIP_ROLE_MAILBOX, "_cb.bar.test", GRIP_NOTIFY,
		    "unknown-identity" },
		{ GRIP_ROLE_BROKER, "_rra.insurance.test", GRIP_NOTIFY,
		    "unknown-identity" },
		{ GRIP_ROLE_BROKER, "mailbox.insurance.test", GRIP_NOTIFY,
		    "unknown-identity" },
		{ GRIP_ROLE_BROKER, "_cb.foo.test", GRIP_NOTIFY,
		    "unknown-identity" },
		{ GRIP_ROLE_MAILBOX, "mailbox.insurance.test", GRIP_NOTIFY,
		    "policy" },
		{ GRIP_ROLE_AGENT, "_rra.insurance.test", GRIP_NOTIFY,
		    "policy" },
	};
	struct grip_claims claims = notify();
	struct reason why;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cJSON *answer = ask(rows[i].caller,
		    grip_protocol_token(rows[i].identity, rows[i].type,
			&claims),
		    &why);

		CHECK_FOR(why.outcome == OUTCOME_PERMFAIL &&
			reason_is(&why, rows[i].word),
		    "row %zu: %s", i, why.word);
		CHECK_FOR(json_string(answer, "token") == NULL, "row %zu", i);
		cJSON_Delete(answer);
	}
}

/* ---- handshakes ---- */

static size_t
content(const char *side, unsigned char bytes_r[146], size_t hash_len)
{
	memset(bytes_r, 0x5a, 146);
	memset(bytes_r, ' ', 64);
	snprintf((char *)bytes_r + 64, 34, "TLS 1.3, %s CertificateVerify",
	    side);
	return 98 + hash_len;
}

TEST(handshakes_by_role_and_side)
{
	static const struct {
		enum grip_role caller;
		const char *identity, *side, *word; /* word NULL: signed */
	} rows[] = {
		{ GRIP_ROLE_MAILBOX, "mailbox.insurance.test", "server", NULL },
		{ GRIP_ROLE_BROKER, "_cb.bar.test", "client", NULL },
		{ GRIP_ROLE_AGENT, "_rra.insurance.test", "client", NULL },
		{ GRIP_ROLE_MAILBOX, "mailbox.insurance.test", "client",
		    "content" },
		{ GRIP_ROLE_BROKER, "_cb.bar.test", "server", "content" },
		{ GRIP_ROLE_AGENT, "_rra.insurance.test", "server", "content" },
		{ GRIP_ROLE_AGENT, "mailbox.insurance.test", "server",
		    "unknown-identity" },
		{ GRIP_ROLE_MAILBOX, "_cb.bar.test", "client",
		    "unknown-identity" },
		{ GRIP_ROLE_MAILBOX, "web.insurance.test", "server", NULL },
		{ GRIP_ROLE_MAILBOX, "web.insurance.test", "client",
		    "content" },
		{ GRIP_ROLE_BROKER, "web.insurance.test", "client",
		    "unknown-identity" },
		{ GRIP_ROLE_AGENT, "web.insurance.test", "server",
		    "unknown-identity" },
	};
	unsigned char bytes[146], signature[256];
	struct reason why;
	size_t len, size;

	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		size_t r = i / 2;
		const struct sign_identity *identity;
		EVP_MD_CTX *context = EVP_MD_CTX_new();
		cJSON *answer;

		len = content(rows[r].side, bytes, i % 2 ? 32 : 48);
		answer = ask(rows[r].caller,
		    grip_protocol_handshake(rows[r].identity, bytes, len),
		    &why);
		size = sizeof(signature);
		if (rows[r].word != NULL) {
			CHECK_FOR(reason_is(&why, rows[r].word), "row %zu", r);
			CHECK(json_string(answer, "signature") == NULL);
		} else {
			identity = sign_ring_find(fixture.ring,
			    rows[r].identity, rows[r].caller);
			CHECK_FOR(grip_protocol_bytes(answer, "signature",
				      signature, &size) == 0,
			    "row %zu", r);
			EVP_DigestVerifyInit_ex(context, NULL,
			    EVP_PKEY_is_a(identity->key, "ED25519") ? NULL :
								      "SHA256",
			    NULL, NULL, identity->key, NULL);
			CHECK_FOR(EVP_DigestVerify(context, signature, size,
				      bytes, len) == 1,
			    "row %zu", r);
		}
		EVP_MD_CTX_free(context);
		cJSON_Delete(answer);
	}
}

/* What an attacker would like to have signed as a "handshake". */
TEST(nothing_but_handshakes_is_signed)
{
	static const char token[] =
	    "eyJ0eXAiOiJncmlwLW5vdGlmeStqd3QiLCJhbGciOiJFUzI1NiJ9.e30";
	unsigned char bytes[146], any[32] = { 7 };
	struct {
		const void *data;
		size_t len;
	} rows[] = { { token, sizeof(token) - 1 }, { any, 32 }, { "", 0 },
		{ bytes, 129 }, { bytes, 131 }, { bytes + 1, 130 } };
	struct reason why;

	content("client", bytes, 48);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cJSON_Delete(ask(GRIP_ROLE_BROKER,
		    grip_protocol_handshake("_cb.bar.test", rows[i].data,
			rows[i].len),
		    &why));
		CHECK_FOR(reason_is(&why, "content"), "row %zu: %s", i,
		    why.word);
	}
}

/* TLS 1.2 for browsers, with a key that is for nothing else. */
TEST(a_key_exchange_only_by_a_web_host)
{
	static const struct {
		enum grip_role caller;
		const char *identity, *word;
	} rows[] = {
		{ GRIP_ROLE_MAILBOX, "web.insurance.test", NULL },
		{ GRIP_ROLE_MAILBOX, "mailbox.insurance.test", "content" },
		{ GRIP_ROLE_BROKER, "_cb.bar.test", "content" },
		{ GRIP_ROLE_AGENT, "_rra.insurance.test", "content" },
		{ GRIP_ROLE_AGENT, "web.insurance.test", "unknown-identity" },
	};
	unsigned char bytes[133] = { 0 };
	struct reason why;

	memcpy(bytes + 64, "\x03\x00\x17\x41\x04", 5);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cJSON_Delete(ask(rows[i].caller,
		    grip_protocol_handshake(rows[i].identity, bytes,
			sizeof(bytes)),
		    &why));
		CHECK_FOR(rows[i].word == NULL ? why.outcome == OUTCOME_OK :
						 reason_is(&why, rows[i].word),
		    "row %zu: %s", i, why.word);
	}
}

TEST(a_web_host_issues_no_token)
{
	struct grip_claims claims = notify();
	struct reason why;

	cJSON_Delete(ask(GRIP_ROLE_MAILBOX,
	    grip_protocol_token("web.insurance.test", GRIP_NOTIFY, &claims),
	    &why));
	CHECK_FOR(reason_is(&why, "policy"), "%s", why.word);
}

TEST(identities_are_the_callers_own)
{
	static const char *const names[] = { "_cb.bar.test",
		"_rra.insurance.test", "mailbox.insurance.test" };
	struct reason why;

	for (int role = 0; role <= GRIP_ROLE_MAILBOX; role++) {
		struct grip_identities *list = calloc(1, sizeof(*list));
		bool more = true;
		cJSON *answer = ask(role, grip_protocol_identities(NULL), &why);

		CHECK(grip_protocol_identities_parse(answer, list, &more,
			  &why) == OUTCOME_OK);
		CHECK(!more &&
		    list->count == (role == GRIP_ROLE_MAILBOX ? 2 : 1));
		CHECK_STRING(list->items[0].name, names[role]);
		CHECK(list->items[0].role == (enum grip_role)role);
		grip_identities_free(&list);
		cJSON_Delete(answer);
		cJSON_Delete(
		    ask(role, grip_protocol_identities("nobody.test"), &why));
		CHECK(reason_is(&why, "unknown-identity"));
	}
}

TEST(garbage_gets_no_answer)
{
	static const char *const rows[] = { "", "x", "{}", "[]",
		"{\"id\":\"1\",\"verb\":\"identities\"}",
		"{\"id\":1,\"id\":2,\"verb\":\"identities\"}" };
	struct sign_caller caller = { fixture.ring, GRIP_ROLE_BROKER, "test",
		counts };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_FOR(sign_answer(&caller, rows[i], strlen(rows[i]), NOW) ==
			NULL,
		    "row %zu", i);
}

/* Many names with long chains do not fit into one packet. */
TEST(many_identities_come_in_several_packets)
{
	char policy[8192] = "", line[128], name[64], *error = NULL, *answer;
	struct grip_identities *list = calloc(1, sizeof(*list));
	struct sign_caller caller = { NULL, GRIP_ROLE_MAILBOX, "test", counts };
	const char *after = NULL;
	struct sign_ring *ring;
	struct reason why;
	bool more = true;
	int packets = 0;

	for (int i = 0; i < 120; i++) {
		snprintf(name, sizeof(name), "m%d.bar.test", i);
		CHECK(
		    sign_fixture_keygen(fixture.directory, "p256", name) == 0);
		snprintf(line, sizeof(line), "%s role=mailbox\n", name);
		strcat(policy, line);
	}
	CHECK(sign_fixture_write(fixture.policy, policy) == 0);
	ring = sign_ring_open(fixture.policy, fixture.directory, NULL, &error);
	CHECK_FOR(ring != NULL, "%s", error);
	caller.ring = ring;
	while (ring != NULL && more && packets++ < 100) {
		cJSON *request = grip_protocol_identities(after), *json = NULL;
		char *packet;
		int64_t id;

		json_add_integer(request, "id", 1);
		packet = json_format(request);
		cJSON_Delete(request);
		answer = sign_answer(&caller, packet, strlen(packet), NOW);
		free(packet);
		CHECK(answer != NULL && strlen(answer) < 65536);
		CHECK(grip_protocol_answer_parse(answer, strlen(answer), &id,
			  &json, &why) == 0);
		CHECK(grip_protocol_identities_parse(json, list, &more, &why) ==
		    OUTCOME_OK);
		cJSON_Delete(json);
		free(answer);
		after = list->items[list->count - 1].name;
	}
	CHECK(packets > 1 && list->count == 120);
	grip_identities_free(&list);
	sign_ring_close(&ring);
}

int
main(void)
{
	counts = metrics_new("gripd-sign", sign_metrics, 0);
	if (geteuid() != 0) {
		printf("1..0 # skip: needs root\n");
		return 0;
	}
	log_open("signer", LOG_ERROR + 1);
	if (sign_fixture_open(&fixture, "ed25519") != 0)
		return 1;
	RUN(a_broker_gets_its_token);
	RUN(no_two_tokens_have_one_id);
	RUN(an_agent_wraps_the_brokers_token);
	RUN(nobody_uses_anothers_identity);
	RUN(handshakes_by_role_and_side);
	RUN(nothing_but_handshakes_is_signed);
	RUN(a_key_exchange_only_by_a_web_host);
	RUN(a_web_host_issues_no_token);
	RUN(identities_are_the_callers_own);
	RUN(garbage_gets_no_answer);
	RUN(many_identities_come_in_several_packets);
	sign_fixture_close(&fixture);
	return test_done();
}
