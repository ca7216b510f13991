/* SPDX-License-Identifier: ISC
 *
 * Packets of gripd's local protocols: there and back, and refused.
 */
#include "test.h"

#include <stdlib.h>

#include "grip_protocol.h"
#include "json_strict.h"
#include "memory_fixture.h"

static enum outcome
parse(const char *text, struct grip_protocol_request *request,
    struct reason *why)
{
	return grip_protocol_request_parse(GRIP_PROTOCOL_SIGN, text,
	    strlen(text), request, why);
}

TEST(hello_of_both_sides)
{
	static const struct {
		const char *text;
		bool ok;
	} rows[] = {
		{ "{\"protocol\":\"grip-sign\",\"version\":1}", true },
		{ "{\"version\":1,\"protocol\":\"grip-sign\"}", true },
		{ "{\"protocol\":\"grip-sign\",\"version\":2}", false },
		{ "{\"protocol\":\"grip-sign\",\"version\":\"1\"}", false },
		{ "{\"protocol\":\"grip-resolve\",\"version\":1}", false },
		{ "{\"protocol\":\"grip-sign\"}", false },
		{ "{\"protocol\":\"grip-sign\",\"version\":1,\"x\":1}", false },
		{ "{\"Protocol\":\"grip-sign\",\"version\":1}", false },
		{ "{\"error\":\"go away\"}", false },
		{ "[]", false },
		{ "", false },
	};
	char *hello = grip_protocol_hello_format(GRIP_PROTOCOL_SIGN);
	struct reason why;

	CHECK_STRING(hello, rows[0].text);
	free(hello);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_FOR(grip_protocol_hello_parse(GRIP_PROTOCOL_SIGN,
			      rows[i].text, strlen(rows[i].text), &why) ==
			(rows[i].ok ? OUTCOME_OK : OUTCOME_TEMPFAIL),
		    "row %zu", i);
	hello = grip_protocol_error_format("no \"room\"");
	CHECK_STRING(hello, "{\"error\":\"no \\\"room\\\"\"}");
	free(hello);
}

TEST(requests_are_known_or_refused)
{
	static const struct {
		const char *text;
		int64_t id; /* -1: drop the connection */
		enum outcome outcome;
	} rows[] = {
		{ "{\"id\":7,\"verb\":\"identities\"}", 7, OUTCOME_OK },
		{ "{\"id\":0,\"verb\":\"identities\",\"after\":\"x\"}", 0,
		    OUTCOME_OK },
		{ "{\"id\":9007199254740992,\"verb\":\"identities\"}",
		    9007199254740992, OUTCOME_OK },
		{ "{\"id\":1,\"verb\":\"handshake\",\"identity\":\"x\","
		  "\"content\":\"\"}",
		    1, OUTCOME_OK },
		{ "{\"id\":1,\"verb\":\"token\",\"identity\":\"x\","
		  "\"type\":\"t\",\"claims\":{}}",
		    1, OUTCOME_OK },
		{ "{\"id\":1,\"verb\":\"token\",\"identity\":\"x\","
		  "\"type\":\"t\",\"claims\":{},\"exp\":1}",
		    1, OUTCOME_PERMFAIL },
		{ "{\"id\":1,\"verb\":\"handshake\",\"identity\":\"x\"}", 1,
		    OUTCOME_PERMFAIL },
		{ "{\"id\":1,\"verb\":\"identities\",\"x\":1}", 1,
		    OUTCOME_PERMFAIL },
		{ "{\"id\":1,\"verb\":\"identities\",\"After\":\"x\"}", 1,
		    OUTCOME_PERMFAIL },
		{ "{\"id\":1,\"verb\":\"Identities\"}", 1, OUTCOME_PERMFAIL },
		{ "{\"id\":1,\"verb\":\"verify\"}", 1, OUTCOME_PERMFAIL },
		{ "{\"id\":1,\"verb\":7}", 1, OUTCOME_PERMFAIL },
		{ "{\"id\":1}", 1, OUTCOME_PERMFAIL },
		{ "{\"id\":-1,\"verb\":\"identities\"}", -1, OUTCOME_PERMFAIL },
		{ "{\"id\":\"1\",\"verb\":\"identities\"}", -1,
		    OUTCOME_PERMFAIL },
		{ "{\"ID\":1,\"verb\":\"identities\"}", -1, OUTCOME_PERMFAIL },
		{ "{\"id\":1,\"id\":1,\"verb\":\"identities\"}", -1,
		    OUTCOME_PERMFAIL },
		{ "[1]", -1, OUTCOME_PERMFAIL },
		{ "garbage", -1, OUTCOME_PERMFAIL },
		{ "", -1, OUTCOME_PERMFAIL },
	};
	struct grip_protocol_request request;
	struct reason why;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK_FOR(parse(rows[i].text, &request, &why) ==
			rows[i].outcome,
		    "row %zu", i);
		CHECK_FOR(request.id == rows[i].id, "row %zu", i);
		CHECK_FOR((request.json != NULL) ==
			(rows[i].outcome == OUTCOME_OK),
		    "row %zu", i);
		grip_protocol_request_free(&request);
	}
}

TEST(answers_there_and_back)
{
	struct reason why = { OUTCOME_OK, "", "" }, got;
	cJSON *fields = cJSON_CreateObject(), *answer = NULL;
	int64_t id = 0;
	char *text;

	json_add_string(fields, "token", "abc");
	text = grip_protocol_answer_format(9007199254740991, OUTCOME_OK, NULL,
	    fields);
	CHECK(grip_protocol_answer_parse(text, strlen(text), &id, &answer,
		  &got) == 0);
	CHECK(id == 9007199254740991 && got.outcome == OUTCOME_OK);
	CHECK_STRING(json_string(answer, "token"), "abc");
	cJSON_Delete(answer);
	free(text);
	/* A reason that quotes half a character must not spoil the packet. */
	reason_set(&why, OUTCOME_PERMFAIL, "policy", "a\xc3\n\"b");
	text = grip_protocol_answer_format(2, OUTCOME_PERMFAIL, &why,
	    cJSON_CreateObject());
	CHECK(grip_protocol_answer_parse(text, strlen(text), &id, &answer,
		  &got) == 0);
	CHECK(got.outcome == OUTCOME_PERMFAIL);
	CHECK_STRING(got.word, "policy");
	CHECK_STRING(got.text, "a??\"b");
	cJSON_Delete(answer);
	free(text);
}

TEST(answers_that_are_none)
{
	static const char *const rows[] = { "", "{}", "{\"id\":1}",
		"{\"id\":1,\"outcome\":\"fine\"}",
		"{\"id\":1,\"outcome\":\"permfail\"}", "{\"outcome\":\"ok\"}",
		"{\"id\":-5,\"outcome\":\"ok\"}" };
	struct reason got;
	cJSON *answer = NULL;
	int64_t id;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK_FOR(grip_protocol_answer_parse(rows[i], strlen(rows[i]),
			      &id, &answer, &got) == -1,
		    "row %zu", i);
		CHECK_FOR(reason_is(&got, "protocol") &&
			got.outcome == OUTCOME_TEMPFAIL,
		    "row %zu", i);
	}
}

/* An answer that would not fit into a packet is none. */
TEST(too_large_answers)
{
	cJSON *fields = cJSON_CreateObject();
	char *large = calloc(1, GRIP_PROTOCOL_PACKET_MAX + 1);

	memset(large, 'x', GRIP_PROTOCOL_PACKET_MAX);
	json_add_string(fields, "token", large);
	CHECK(grip_protocol_answer_format(1, OUTCOME_OK, NULL, fields) == NULL);
	free(large);
}

static char agent_[] = "_rra.insurance.test", aud_[] = "mailbox.bar.test",
	    bob_[] = "bob@bar.test", alice_[] = "alice@foo.test",
	    share_[] = "AAAAAAAAAAAAAAAAAAAAAA", message_[] = "1@foo.test",
	    origin_[] = "https://mailbox.hospital.test",
	    digest_[] = "0123456789abcdef0123456789abcdef"
			"0123456789abcdef0123456789abcdef",
	    nested_[] = "a.b.c", id_[] = "0123456789abcdef";

static const struct grip_claims full = { .exp = 1700000000,
	.aud = aud_,
	.sender = alice_,
	.recipient = bob_,
	.mailbox = bob_,
	.user = alice_,
	.share = share_,
	.message = message_,
	.origin = origin_,
	.agent = agent_,
	.digest = digest_,
	.token = nested_,
	.id = id_ };

/* Of a full set of claims only those of the type travel. */
TEST(tokens_of_every_type)
{
	for (int type = 0; type < GRIP_TYPE_COUNT; type++) {
		cJSON *request =
		    grip_protocol_token("_cb.bar.test", type, &full);
		struct grip_claims claims;
		struct reason why;
		enum grip_type got;

		CHECK_FOR(grip_protocol_token_parse(request, &got, &claims,
			      &why) == OUTCOME_OK,
		    "type %d: %s", type, why.text);
		CHECK(got == (enum grip_type)type && claims.exp == full.exp);
		CHECK_STRING(claims.aud, aud_);
		CHECK((claims.digest != NULL) == (type == GRIP_NOTIFY));
		CHECK((claims.token != NULL) == (type == GRIP_GET));
		CHECK((claims.user != NULL) == (type == GRIP_PUT));
		CHECK((claims.id != NULL) == (type == GRIP_RELEASE));
		CHECK(claims.iss == NULL && claims.jti == NULL);
		grip_claims_free(&claims);
		cJSON_Delete(request);
	}
}

/* Each member in turn is left out, replaced or added. */
TEST(tokens_that_are_not_to_be)
{
	static const struct {
		enum grip_type type;
		const char *name, *value; /* NULL: take it out */
	} rows[] = {
		{ GRIP_NOTIFY, "mailbox", NULL },
		{ GRIP_NOTIFY, "aud", NULL },
		{ GRIP_NOTIFY, "Mailbox", "\"bob@bar.test\"" },
		{ GRIP_NOTIFY, "iat", "1700000000" },
		{ GRIP_NOTIFY, "mailbox", "7" },
		{ GRIP_NOTIFY, "mailbox", "\"not an address\"" },
		{ GRIP_NOTIFY, "digest", "\"ABCD\"" },
		{ GRIP_NOTIFY, "user", "\"alice@foo.test\"" },
		{ GRIP_NOTIFY, "iss", "\"_cb.foo.test\"" },
		{ GRIP_NOTIFY, "jti", "\"AAAAAAAAAAAAAAAAAAAAAA\"" },
		{ GRIP_NOTIFY, "exp", "\"tomorrow\"" },
		{ GRIP_NOTIFY, "exp", "0" },
		{ GRIP_NOTIFY, "exp", "-1" },
		{ GRIP_NOTIFY, "tokens", "[\"a.b.c\"]" },
		{ GRIP_GET, "tokens", NULL },
		{ GRIP_GET, "tokens", "[]" },
		{ GRIP_GET, "tokens", "[\"a\",\"b\"]" },
		{ GRIP_GET, "tokens", "[7]" },
		{ GRIP_GET, "tokens", "\"a.b.c\"" },
		{ GRIP_GET, "share", "\"AAAAAAAAAAAAAAAAAAAAAA\"" },
		{ GRIP_RELEASE, "id", NULL },
		{ GRIP_PUT, "user", NULL },
	};
	struct grip_claims claims;
	struct reason why;
	enum grip_type got;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cJSON *request =
		    grip_protocol_token("_cb.bar.test", rows[i].type, &full);
		cJSON *members =
		    cJSON_GetObjectItemCaseSensitive(request, "claims");

		cJSON_DeleteItemFromObjectCaseSensitive(members, rows[i].name);
		if (rows[i].value != NULL)
			cJSON_AddItemToObject(members, rows[i].name,
			    cJSON_Parse(rows[i].value));
		CHECK_FOR(grip_protocol_token_parse(request, &got, &claims,
			      &why) == OUTCOME_PERMFAIL,
		    "row %zu", i);
		CHECK_FOR(reason_is(&why, "form"), "row %zu", i);
		cJSON_Delete(request);
	}
}

TEST(tokens_of_no_type)
{
	static const char *const rows[] = {
		"{\"claims\":{}}",
		"{\"type\":\"grip-steal+jwt\",\"claims\":{}}",
		"{\"type\":\"grip-put+jwt\"}",
		"{\"type\":\"grip-put+jwt\",\"claims\":[]}",
		"{\"type\":1,\"claims\":{}}",
	};
	struct grip_claims claims;
	struct reason why;
	enum grip_type got;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cJSON *request = cJSON_Parse(rows[i]);

		CHECK_FOR(grip_protocol_token_parse(request, &got, &claims,
			      &why) == OUTCOME_PERMFAIL,
		    "row %zu", i);
		cJSON_Delete(request);
	}
}

TEST(bytes_there_and_back)
{
	cJSON *object = cJSON_CreateObject();
	unsigned char data[] = { 0, 255, 1, 254 }, back[4];
	size_t len = sizeof(back);

	CHECK(grip_protocol_add_bytes(object, "b", data, 4) == 0);
	CHECK(grip_protocol_bytes(object, "b", back, &len) == 0);
	CHECK(len == 4 && memcmp(back, data, 4) == 0);
	len = 3;
	CHECK(grip_protocol_bytes(object, "b", back, &len) == -1);
	len = sizeof(back);
	CHECK(grip_protocol_bytes(object, "c", back, &len) == -1);
	CHECK(grip_protocol_add_bytes(object, "d", data, 4097) == -1);
	cJSON_Delete(object);
}

TEST(identities_there_and_back)
{
	struct grip_identities *list = calloc(1, sizeof(*list));
	char name[] = "_cb.bar.test";
	uint8_t der[] = { 1, 2, 3 };
	struct grip_identity one = { .name = name,
		.role = GRIP_ROLE_BROKER,
		.chain = { { der, 3 }, { der, 2 } },
		.chain_count = 2 };
	cJSON *answer = cJSON_CreateObject();
	struct reason why;
	bool more = false;

	cJSON_AddItemToArray(cJSON_AddArrayToObject(answer, "identities"),
	    grip_protocol_identity_format(&one));
	json_add_boolean(answer, "more", true);
	CHECK(grip_protocol_identities_parse(answer, list, &more, &why) ==
	    OUTCOME_OK);
	CHECK(more && list->count == 1);
	CHECK(grip_identities_find(list, "_cb.bar.test") != NULL);
	CHECK(grip_identities_find(list, "_cb.foo.test") == NULL);
	CHECK(grip_identities_find_role(list, GRIP_ROLE_AGENT) == NULL);
	CHECK(list->items[0].chain_count == 2 &&
	    list->items[0].chain[1].len == 2);
	grip_identities_free(&list);
	cJSON_Delete(answer);
}

/* What a taken-over or confused gripd may answer. */
TEST(answers_of_verbs_that_are_wrong)
{
	static const struct {
		char verb;
		const char *text;
	} rows[] = {
		{ 'i', "{}" },
		{ 'i', "{\"identities\":[{}]}" },
		{ 'i',
		    "{\"identities\":[{\"name\":\"x\",\"role\":\"agent\","
		    "\"chain\":[]}]}" },
		{ 'i',
		    "{\"identities\":[{\"name\":\"x\",\"role\":\"king\","
		    "\"chain\":[\"AA==\"]}]}" },
		{ 'i',
		    "{\"identities\":[{\"name\":\"x\",\"role\":\"agent\","
		    "\"chain\":[\"?\"]}]}" },
		{ 'i',
		    "{\"identities\":[{\"name\":\"x\",\"role\":\"agent\","
		    "\"chain\":[\"AA==\",\"AA==\",\"AA==\",\"AA==\","
		    "\"AA==\",\"AA==\",\"AA==\",\"AA==\",\"AA==\"]}]}" },
		{ 'v', "{\"claims\":{},\"secure\":true}" },
		{ 'v', "{\"claims\":[],\"secure\":true,\"until\":1}" },
		{ 'v', "{\"claims\":{},\"secure\":1,\"until\":1}" },
		{ 'a', "{\"addresses\":[\"192.0.2.1\"],\"secure\":true}" },
		{ 'a', "{\"addresses\":[1],\"secure\":true,\"ttl\":1}" },
		{ 'a',
		    "{\"addresses\":[\"2001:db8:2001:db8:2001:db8:2001:"
		    "db8:2001:db8:2001\"],\"secure\":true,\"ttl\":1}" },
		{ 'k', "{\"hashes\":[\"AB\"],\"secure\":true,\"ttl\":1}" },
		{ 'k', "{\"hashes\":\"\",\"secure\":true,\"ttl\":1}" },
		{ 'c', "{\"secure\":true,\"ttl\":1}" },
		{ 'c', "{\"present\":1,\"secure\":true,\"ttl\":1}" },
		{ 'c', "{\"present\":true,\"ttl\":1}" },
		{ 'c', "{\"present\":true,\"secure\":true,\"ttl\":-1}" },
	};
	struct grip_identities *list;
	struct grip_addresses addresses;
	struct grip_verdict verdict;
	struct grip_capability capability;
	struct grip_keys keys;
	enum outcome outcome;
	struct reason why;
	bool more;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cJSON *answer = cJSON_Parse(rows[i].text);

		CHECK(answer != NULL);
		list = calloc(1, sizeof(*list));
		switch (rows[i].verb) {
		case 'i':
			outcome = grip_protocol_identities_parse(answer, list,
			    &more, &why);
			break;
		case 'v':
			outcome =
			    grip_protocol_verdict_parse(answer, &verdict, &why);
			break;
		case 'a':
			outcome = grip_protocol_addresses_parse(answer,
			    &addresses, &why);
			break;
		case 'c':
			outcome = grip_protocol_cargomail_parse(answer,
			    &capability, &why);
			break;
		default:
			outcome = grip_protocol_keys_parse(answer, &keys, &why);
		}
		CHECK_FOR(outcome == OUTCOME_TEMPFAIL &&
			reason_is(&why, "protocol"),
		    "row %zu", i);
		grip_identities_free(&list);
		cJSON_Delete(answer);
	}
}

TEST(addresses_beyond_the_limit_are_left_out)
{
	cJSON *answer = cJSON_CreateObject();
	cJSON *list = cJSON_AddArrayToObject(answer, "addresses");
	struct grip_addresses addresses;
	struct reason why;

	for (int i = 0; i < 20; i++)
		cJSON_AddItemToArray(list, cJSON_CreateString("192.0.2.1"));
	json_add_boolean(answer, "secure", false);
	json_add_integer(answer, "ttl", 60);
	CHECK(grip_protocol_addresses_parse(answer, &addresses, &why) ==
	    OUTCOME_OK);
	CHECK(addresses.count == GRIP_PROTOCOL_ADDRESSES_MAX);
	CHECK(!addresses.secure && addresses.ttl == 60);
	CHECK_STRING(addresses.text[15], "192.0.2.1");
	cJSON_Delete(answer);
}

TEST(verify_with_and_without_certificate)
{
	static const char *const audiences[] = { "mailbox.bar.test" };
	struct grip_verify verify = { .route = GRIP_GET,
		.token = "a.b.c",
		.audiences = audiences,
		.audience_count = 1,
		.certificate = "\1\2",
		.certificate_len = 2 };
	cJSON *request = grip_protocol_verify(&verify);
	char *text = json_format(request);

	CHECK_STRING(text,
	    "{\"verb\":\"verify\",\"route\":\"get\","
	    "\"token\":\"a.b.c\",\"audiences\":"
	    "[\"mailbox.bar.test\"],\"certificate\":\"AQI=\"}");
	free(text);
	cJSON_Delete(request);
	verify.certificate = NULL;
	request = grip_protocol_verify(&verify);
	CHECK(json_boolean(request, "local") == -1);
	CHECK(json_string(request, "certificate") == NULL);
	cJSON_Delete(request);
	verify.local = true;
	request = grip_protocol_verify(&verify);
	CHECK(json_boolean(request, "local") == 1);
	cJSON_Delete(request);
}

TEST(names_of_roles_and_routes)
{
	enum grip_role role;
	enum grip_type type;

	for (int i = 0; i <= GRIP_ROLE_MAILBOX; i++)
		CHECK(grip_role_parse(grip_role_name(i), &role) == 0 &&
		    role == (enum grip_role)i);
	for (int i = 0; i < GRIP_TYPE_COUNT; i++)
		CHECK(grip_route_parse(grip_route_name(i), &type) == 0 &&
		    type == (enum grip_type)i);
	CHECK(grip_role_parse("root", &role) == -1);
	CHECK(grip_role_parse(NULL, &role) == -1);
	CHECK(grip_route_parse("", &type) == -1);
}

static enum outcome
read_request(const char *text, struct reason *why)
{
	struct grip_protocol_request request;
	enum outcome outcome = parse(text, &request, why);

	CHECK((outcome == OUTCOME_OK) == (request.json != NULL));
	grip_protocol_request_free(&request);
	return outcome;
}

TEST(want_of_memory_is_temporary)
{
	CHECK(read_short_of_memory(read_request,
		  "{\"id\":1,\"verb\":\"identities\"}") > 3);
}

int
main(void)
{
	RUN(hello_of_both_sides);
	RUN(requests_are_known_or_refused);
	RUN(answers_there_and_back);
	RUN(answers_that_are_none);
	RUN(too_large_answers);
	RUN(tokens_of_every_type);
	RUN(tokens_that_are_not_to_be);
	RUN(tokens_of_no_type);
	RUN(bytes_there_and_back);
	RUN(identities_there_and_back);
	RUN(answers_of_verbs_that_are_wrong);
	RUN(addresses_beyond_the_limit_are_left_out);
	RUN(verify_with_and_without_certificate);
	RUN(names_of_roles_and_routes);
	RUN(want_of_memory_is_temporary);
	return test_done();
}
