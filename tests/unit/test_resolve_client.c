/* SPDX-License-Identifier: ISC
 *
 * The resolver as its clients see it: packets on a socket pair, a DNS server
 * on loopback, real tokens.
 */
#include "resolve_client.h"

#include <fcntl.h>

#include "dns_fake.h"
#include "grip_fixture.h"
#include "grip_protocol.h"
#include "json_strict.h"
#include "log.h"
#include "test.h"

#define HELLO "{\"protocol\":\"grip-resolve\",\"version\":1}"

static struct event_base *base;
static struct dns_fake fake;
static struct resolve_world world;
static struct resolve_client *client;
static int peer_fd = -1;
static int64_t now = FIXTURE_NOW;
static bool gone;
static EVP_PKEY *broker, *agent;
static char *token_b, *token_a;

static int64_t
test_now(void)
{
	return now;
}

/* ---- the zone ---- */

static void
add_record(struct dns_packet *p, const char *name, EVP_PKEY *key)
{
	struct grip_record record;
	char text[GRIP_RECORD_TEXT_SIZE];

	grip_jwk_spki_sha256(key, record.spki_sha256);
	grip_record_format(&record, text);
	packet_txt(p, name, 300, "v=spf1 -all");
	packet_txt(p, name, 300, text);
}

static void
answer(struct dns_fake *server, unsigned id, const char *name, unsigned type,
    bool tcp, struct dns_packet *p)
{
	(void)server;
	(void)tcp;
	packet_start(p, id, FLAG_QR | FLAG_RD | FLAG_AD, name, type);
	if (type == TYPE_TXT && strcmp(name, "_rra.insurance.test") == 0)
		add_record(p, name, agent);
	else if (type == TYPE_TXT &&
	    (strcmp(name, "_cb.bar.test") == 0 ||
		strcmp(name, "_rm.hospital.test") == 0))
		add_record(p, name, broker);
	else if (type == TYPE_TXT && strcmp(name, "_cargomail.bar.test") == 0) {
		packet_txt(p, name, 100, "v=spf1 -all");
		packet_txt(p, name, 100, "v=cargomail1");
	} else if (strcmp(name, "_cargomail.long.test") == 0)
		packet_txt(p, name, 86400, "v=cargomail1; x=y");
	else if (strcmp(name, "_cargomail.other.test") == 0)
		packet_txt(p, name, 5, "v=cargomail2");
	else if (strcmp(name, "_cargomail.insecure.test") == 0) {
		packet_start(p, id, FLAG_QR | FLAG_RD, name, type);
		packet_txt(p, name, 100, "v=cargomail1");
	} else if (strcmp(name, "_cargomail.bogus.test") == 0)
		packet_start(p, id, FLAG_QR | RCODE_SERVFAIL, name, type);
	else if (strcmp(name, "_cargomail.silent.test") == 0)
		p->len = 0;
	else if (strcmp(name, "_cargomail.nobody.test") == 0)
		packet_start(p, id, FLAG_QR | FLAG_AD | RCODE_NXDOMAIN, name,
		    type);
	else if (type == TYPE_A && strcmp(name, "mailbox.bar.test") == 0)
		packet_record(p, name, TYPE_A, 60, "\300\0\2\1", 4);
	else if (type == TYPE_A && strcmp(name, "inside.bar.test") == 0)
		packet_record(p, name, TYPE_A, 60, "\177\0\0\1", 4);
	else if (strcmp(name, "_rm.insecure.test") == 0) {
		packet_start(p, id, FLAG_QR | FLAG_RD, name, type);
		add_record(p, name, broker);
	} else if (strcmp(name, "_rm.bogus.test") == 0 ||
	    strcmp(name, "bogus.bar.test") == 0)
		packet_start(p, id, FLAG_QR | RCODE_SERVFAIL, name, type);
	else
		packet_soa(p, "test");
}

/* ---- packets ---- */

static void
on_gone(void *arg)
{
	(void)arg;
	gone = true;
	client = NULL;
}

static void
connect_as(enum peer peer)
{
	int pair[2];

	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	peer_fd = pair[1];
	gone = false;
	client = resolve_client_new(&world, pair[0], peer, on_gone, NULL);
}

static void
disconnect(void)
{
	resolve_client_free(&client);
	close(peer_fd);
}

static void
send_text(const char *text)
{
	CHECK(send(peer_fd, text, strlen(text), MSG_EOR) ==
	    (ssize_t)strlen(text));
}

/* Runs the loop until a packet is there: its text, or NULL at the end. */
static const char *
receive(void)
{
	static char packet[65536];
	ssize_t len;

	for (;;) {
		len = recv(peer_fd, packet, sizeof(packet) - 1, MSG_DONTWAIT);
		if (len > 0) {
			packet[len] = '\0';
			return packet;
		}
		if (len == 0)
			return NULL;
		event_base_loop(base, EVLOOP_ONCE);
	}
}

static void
greet(void)
{
	send_text(HELLO);
	CHECK_STRING(receive(), HELLO);
}

/* Sends a request with its id and waits for the answer with that id. */
static cJSON *
ask(cJSON *request, int64_t id, struct reason *why_r)
{
	const char *packet;
	cJSON *json = NULL;
	int64_t got = -1;
	char *text;

	json_add_integer(request, "id", id);
	text = json_format(request);
	send_text(text);
	free(text);
	cJSON_Delete(request);
	packet = receive();
	CHECK(packet != NULL &&
	    grip_protocol_answer_parse(packet, strlen(packet), &got, &json,
		why_r) == 0);
	CHECK(got == id);
	return json;
}

static cJSON *
verify_request(const char *route, const char *token, EVP_PKEY *key,
    const char *name)
{
	cJSON *request = grip_protocol_request_new("verify");
	const char *audience = "mailbox.hospital.test";
	uint8_t *der;
	size_t len;
	char *text;

	json_add_string(request, "route", route);
	json_add_string(request, "token", token);
	json_add_item(request, "audiences",
	    cJSON_CreateStringArray(&audience, 1));
	if (key == NULL)
		return request;
	der = fixture_certificate(key, name, NULL, &len);
	text = base64_format(der, len);
	json_add_string(request, "certificate", text);
	free(text);
	OPENSSL_free(der);
	return request;
}

static cJSON *
name_request(const char *verb, const char *name)
{
	cJSON *request = grip_protocol_request_new(verb);

	json_add_string(request, "name", name);
	return request;
}

/* ---- tests ---- */

TEST(greets)
{
	connect_as(PEER_MAILBOX);
	greet();
	disconnect();
	connect_as(PEER_MAILBOX);
	send_text("{\"protocol\":\"grip-sign\",\"version\":1}");
	CHECK(strstr(receive(), "error") != NULL);
	CHECK(receive() == NULL && gone);
	close(peer_fd);
	connect_as(PEER_MAILBOX);
	send_text("GET / HTTP/1.1");
	CHECK(strstr(receive(), "error") != NULL);
	CHECK(receive() == NULL && gone);
	close(peer_fd);
}

TEST(drops_garbage_and_goes_on)
{
	static const char *const garbage[] = { "x", "[]", "{}",
		"{\"verb\":\"verify\"}", "{\"id\":-1,\"verb\":\"keys\"}" };

	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
		connect_as(PEER_BROKER);
		greet();
		send_text(garbage[i]);
		CHECK_FOR(receive() == NULL && gone, "%s", garbage[i]);
		close(peer_fd);
	}
	connect_as(PEER_BROKER);
	greet();
	send_text("{\"id\":7,\"verb\":\"sign\"}");
	CHECK(strstr(receive(), "\"id\":7") != NULL);
	send_text("{\"id\":8,\"verb\":\"keys\",\"name\":\"a\",\"x\":1}");
	CHECK(strstr(receive(), "permfail") != NULL);
	disconnect();
}

TEST(verifies_a_chain)
{
	struct reason why = { 0 };
	struct grip_verdict verdict;
	cJSON *json, *request, *other;
	unsigned queries;

	connect_as(PEER_MAILBOX);
	greet();
	fake.queries = 0;
	request = verify_request("get", token_a, agent, "_rra.insurance.test");
	other = verify_request("get", token_a, agent, "_rra.evil.test");
	json = ask(cJSON_Duplicate(request, 1), 1, &why);
	CHECK_FOR(why.outcome == OUTCOME_OK, "%s %s", why.word, why.text);
	CHECK(grip_protocol_verdict_parse(json, &verdict, &why) == OUTCOME_OK);
	CHECK(verdict.secure);
	CHECK(verdict.until == FIXTURE_NOW + 300);
	CHECK_STRING(json_string(verdict.claims, "iss"), "_rra.insurance.test");
	CHECK_STRING(json_string(verdict.inner, "recipient"), "bob@bar.test");
	grip_verdict_free(&verdict);
	cJSON_Delete(json);
	queries = fake.queries;
	CHECK(queries == 2);

	/* Again: from the cache, without a question. */
	CHECK(chain_cache_count(world.cache) == 1);
	cJSON_Delete(ask(request, 2, &why));
	CHECK(why.outcome == OUTCOME_OK && fake.queries == queries);
	/* Another certificate with the same key is another question. */
	cJSON_Delete(ask(other, 3, &why));
	CHECK_STRING(why.word, "subject");
	disconnect();
}

/* What the cache must not hide. */
TEST(checks_again_what_is_cached)
{
	struct reason why = { 0 };
	struct grip_claims claims = fixture_claims(GRIP_NOTIFY, NULL);
	char *token = NULL;
	cJSON *json;
	unsigned queries;

	fixture_set(&claims.aud, "mailbox.hospital.test");
	grip_token_sign(GRIP_NOTIFY, &claims, broker, &token, NULL);
	grip_claims_free(&claims);
	connect_as(PEER_MAILBOX);
	greet();
	for (int64_t id = 0; id < 4; id++) {
		cJSON *request = verify_request(id == 2 ? "put" : "notify",
		    token, NULL, NULL);

		json_add_boolean(request, "local", true);
		now = id == 3 ? FIXTURE_NOW - 61 : FIXTURE_NOW;
		queries = fake.queries;
		json = ask(request, id, &why);
		CHECK(fake.queries == queries + (id == 0));
		if (id < 2)
			CHECK(why.outcome == OUTCOME_OK);
		else
			CHECK_STRING(why.word, id == 2 ? "purpose" : "time");
		cJSON_Delete(json);
	}
	/* After the verdict's time it is asked anew. */
	now = FIXTURE_NOW + 301;
	queries = fake.queries;
	{
		cJSON *request = verify_request("notify", token, NULL, NULL);

		json_add_boolean(request, "local", true);
		cJSON_Delete(ask(request, 9, &why));
	}
	CHECK(why.outcome == OUTCOME_OK && fake.queries == queries + 1);
	now = FIXTURE_NOW;
	free(token);
	disconnect();
}

TEST(refuses_by_name)
{
	struct reason why = { 0 };
	EVP_PKEY *other = fixture_fresh();
	char *fresh_b = fixture_token(GRIP_NOTIFY, NULL, other);
	char *bad_inner = fixture_token(GRIP_GET, fresh_b, agent);
	const struct {
		const char *word, *route, *token;
		EVP_PKEY *key;
		const char *name;
	} rows[] = {
		{ "form", "get", "x", agent, "_rra.insurance.test" },
		{ "purpose", "put", token_a, agent, "_rra.insurance.test" },
		{ "audience", "notify", token_b, broker, "_cb.bar.test" },
		{ "possession", "get", token_a, NULL, NULL },
		{ "possession", "get", token_a, broker, "_rra.insurance.test" },
		{ "subject", "get", token_a, agent, "evil.test" },
		{ "subject", "get", token_a, agent, "_rra.evil.test" },
		{ "published", "get", bad_inner, agent, "_rra.insurance.test" },
	};

	connect_as(PEER_MAILBOX);
	greet();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cJSON_Delete(ask(verify_request(rows[i].route, rows[i].token,
				     rows[i].key, rows[i].name),
		    (int64_t)i, &why));
		CHECK_FOR(strcmp(why.word, rows[i].word) == 0, "%zu: %s %s", i,
		    why.word, why.text);
		CHECK_FOR(why.outcome ==
			(strcmp(rows[i].word, "published") == 0 ?
				OUTCOME_TEMPFAIL :
				OUTCOME_PERMFAIL),
		    "%zu", i);
	}
	free(bad_inner);
	free(fresh_b);
	EVP_PKEY_free(other);
	disconnect();
}

TEST(believes_local_of_mailboxd_only)
{
	struct reason why = { 0 };
	cJSON *request = verify_request("get", token_a, NULL, NULL);

	connect_as(PEER_BROKER);
	greet();
	json_add_boolean(request, "local", true);
	cJSON_Delete(ask(request, 1, &why));
	CHECK(why.outcome == OUTCOME_PERMFAIL && reason_is(&why, "form"));
	disconnect();
	/* false is not true. */
	request = verify_request("get", token_a, NULL, NULL);
	connect_as(PEER_MAILBOX);
	greet();
	json_add_boolean(request, "local", false);
	cJSON_Delete(ask(request, 1, &why));
	CHECK(reason_is(&why, "possession"));
	disconnect();
}

TEST(resolves_addresses)
{
	struct reason why = { 0 };
	struct grip_addresses addresses;
	cJSON *json;
	static const struct {
		const char *name, *word;
		enum outcome outcome;
	} rows[] = {
		{ "inside.bar.test", "address-policy", OUTCOME_TEMPFAIL },
		{ "absent.bar.test", "no-address", OUTCOME_TEMPFAIL },
		{ "bogus.bar.test", "dns", OUTCOME_TEMPFAIL },
		{ "127.0.0.1", "form", OUTCOME_PERMFAIL },
		{ "localhost", "form", OUTCOME_PERMFAIL },
	};

	connect_as(PEER_RETRIEVAL);
	greet();
	json = ask(name_request("addresses", "mailbox.bar.test"), 1, &why);
	CHECK(grip_protocol_addresses_parse(json, &addresses, &why) ==
	    OUTCOME_OK);
	CHECK(addresses.count == 1 && addresses.secure && addresses.ttl == 60);
	CHECK_STRING(addresses.text[0], "192.0.2.1");
	cJSON_Delete(json);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cJSON_Delete(
		    ask(name_request("addresses", rows[i].name), 2, &why));
		CHECK_STRING(why.word, rows[i].word);
		CHECK_FOR(why.outcome == rows[i].outcome, "%s", rows[i].name);
	}
	/* A configured exception. */
	CHECK(address_policy_add(world.policy, "127.0.0.0/8") == 0);
	cJSON_Delete(
	    ask(name_request("addresses", "inside.bar.test"), 3, &why));
	CHECK(why.outcome == OUTCOME_OK);
	disconnect();
}

TEST(tells_keys_if_secure)
{
	struct reason why = { 0 };
	struct grip_keys keys;
	char hex[65];
	cJSON *json;

	connect_as(PEER_RETRIEVAL);
	greet();
	json = ask(name_request("keys", "_rm.hospital.test"), 1, &why);
	CHECK(grip_protocol_keys_parse(json, &keys, &why) == OUTCOME_OK);
	grip_jwk_spki_hash(broker, hex);
	CHECK(keys.count == 1 && keys.secure);
	CHECK_STRING(keys.hashes[0], hex);
	cJSON_Delete(json);
	json = ask(name_request("keys", "_rm.insecure.test"), 2, &why);
	CHECK(grip_protocol_keys_parse(json, &keys, &why) == OUTCOME_OK);
	CHECK(keys.count == 0 && !keys.secure);
	cJSON_Delete(json);
	json = ask(name_request("keys", "_rm.nobody.test"), 3, &why);
	CHECK(grip_protocol_keys_parse(json, &keys, &why) == OUTCOME_OK);
	CHECK(keys.count == 0);
	cJSON_Delete(json);
	cJSON_Delete(ask(name_request("keys", "_rm.bogus.test"), 4, &why));
	CHECK(why.outcome == OUTCOME_TEMPFAIL && reason_is(&why, "dns"));
	cJSON_Delete(ask(name_request("keys", "hospital.test"), 5, &why));
	CHECK(why.outcome == OUTCOME_PERMFAIL && reason_is(&why, "form"));
	disconnect();
}

static struct grip_capability
ask_cargomail(const char *domain, struct reason *why)
{
	struct grip_capability capability = { .ttl = -1 };
	cJSON *json = ask(grip_protocol_cargomail(domain), 1, why);

	if (why->outcome == OUTCOME_OK)
		CHECK(grip_protocol_cargomail_parse(json, &capability, why) ==
		    OUTCOME_OK);
	cJSON_Delete(json);
	return capability;
}

TEST(tells_which_domains_have_cargomail)
{
	static const struct {
		const char *domain;
		enum outcome outcome;
		bool present, secure;
		int64_t ttl;
	} rows[] = {
		{ "bar.test", OUTCOME_OK, true, true, 100 },
		{ "long.test", OUTCOME_OK, true, true, 600 },
		{ "other.test", OUTCOME_OK, false, true, 5 },
		{ "insecure.test", OUTCOME_OK, true, false, 100 },
		{ "nobody.test", OUTCOME_OK, false, true, 60 },
		{ "nodata.test", OUTCOME_OK, false, true, 60 },
		{ "bogus.test", OUTCOME_TEMPFAIL, false, false, -1 },
		{ "silent.test", OUTCOME_TEMPFAIL, false, false, -1 },
		{ "_x.bar.test", OUTCOME_PERMFAIL, false, false, -1 },
		{ "test", OUTCOME_PERMFAIL, false, false, -1 },
		{ "[192.0.2.1]", OUTCOME_PERMFAIL, false, false, -1 },
	};
	struct grip_capability capability;
	struct reason why = { 0 };

	connect_as(PEER_BROKER);
	greet();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		capability = ask_cargomail(rows[i].domain, &why);
		CHECK_FOR(why.outcome == rows[i].outcome &&
			capability.present == rows[i].present &&
			capability.secure == rows[i].secure &&
			capability.ttl == rows[i].ttl,
		    "%s: %d %d %d %lld", rows[i].domain, (int)why.outcome,
		    capability.present, capability.secure,
		    (long long)capability.ttl);
	}
	disconnect();
}

TEST(keeps_domains_for_their_time)
{
	struct grip_capability capability;
	struct reason why = { 0 };

	domain_cache_flush(world.domains);
	connect_as(PEER_BROKER);
	greet();
	fake.queries = 0;
	ask_cargomail("bar.test", &why);
	now = FIXTURE_NOW + 99;
	capability = ask_cargomail("bar.test", &why);
	CHECK(fake.queries == 1 && capability.present && capability.secure);
	CHECK(capability.ttl == 1);
	now = FIXTURE_NOW + 101;
	capability = ask_cargomail("bar.test", &why);
	CHECK(fake.queries == 2 && capability.ttl == 100);
	domain_cache_flush(world.domains);
	ask_cargomail("bar.test", &why);
	CHECK(fake.queries == 3);
	/* What failed is not kept. */
	ask_cargomail("bogus.test", &why);
	fake.queries = 0;
	ask_cargomail("bogus.test", &why);
	CHECK(fake.queries > 0);
	/* Where only what is validated counts, the rest is no yes. */
	domain_cache_flush(world.domains);
	world.require_secure = true;
	CHECK(!ask_cargomail("insecure.test", &why).present);
	CHECK(ask_cargomail("bar.test", &why).present);
	world.require_secure = false;
	domain_cache_flush(world.domains);
	now = FIXTURE_NOW;
	disconnect();
}

TEST(tells_domains_to_brokers_only)
{
	static const enum peer others[] = { PEER_MAILBOX, PEER_RETRIEVAL };
	struct reason why = { 0 };

	for (size_t i = 0; i < 2; i++) {
		connect_as(others[i]);
		greet();
		ask_cargomail("bar.test", &why);
		CHECK(
		    why.outcome == OUTCOME_PERMFAIL && reason_is(&why, "form"));
		disconnect();
	}
}

/* More requests than may be in flight: all are answered in the end. */
TEST(answers_many_at_once)
{
	char text[128];
	bool seen[30] = { false };

	connect_as(PEER_RETRIEVAL);
	greet();
	for (int i = 0; i < 30; i++) {
		snprintf(text, sizeof(text),
		    "{\"id\":%d,\"verb\":\"keys\","
		    "\"name\":\"_rm.hospital.test\"}",
		    i);
		send_text(text);
	}
	for (int i = 0; i < 30; i++) {
		const char *packet = receive();
		struct reason why;
		cJSON *json = NULL;
		int64_t id = -1;

		CHECK(packet != NULL);
		if (packet == NULL)
			break;
		grip_protocol_answer_parse(packet, strlen(packet), &id, &json,
		    &why);
		CHECK(dns_client_pending(world.dns) <= world.requests_max);
		CHECK(id >= 0 && id < 30 && !seen[id]);
		seen[id] = true;
		cJSON_Delete(json);
	}
	/* And who leaves with requests in flight takes them with him. */
	for (int i = 0; i < 3; i++)
		send_text("{\"id\":1,\"verb\":\"keys\","
			  "\"name\":\"_rm.hospital.test\"}");
	close(peer_fd);
	while (!gone)
		event_base_loop(base, EVLOOP_ONCE);
	CHECK(dns_client_pending(world.dns) == 0);
}

static void
setup(void)
{
	struct dns_options options = { .count = 1,
		.trusted = true,
		.timeout_ms = 2000,
		.queries_max = 100 };

	log_open("test", LOG_ERROR);
	base = event_base_new();
	dns_fake_start(&fake, base, answer, &options.servers[0]);
	world.base = base;
	world.dns = dns_client_new(base, &options);
	world.cache = chain_cache_new(100);
	world.domains = domain_cache_new();
	world.policy = address_policy_new();
	address_policy_add(world.policy, "192.0.2.0/24");
	world.verdict_lifetime = 600;
	world.requests_max = 8;
	world.now = test_now;
	broker = fixture_ed25519();
	agent = fixture_p256();
	token_b = fixture_token(GRIP_NOTIFY, NULL, broker);
	token_a = fixture_token(GRIP_GET, token_b, agent);
}

int
main(void)
{
	setup();
	RUN(greets);
	RUN(drops_garbage_and_goes_on);
	RUN(verifies_a_chain);
	RUN(checks_again_what_is_cached);
	RUN(refuses_by_name);
	RUN(believes_local_of_mailboxd_only);
	RUN(resolves_addresses);
	RUN(tells_keys_if_secure);
	RUN(tells_which_domains_have_cargomail);
	RUN(keeps_domains_for_their_time);
	RUN(tells_domains_to_brokers_only);
	RUN(answers_many_at_once);
	free(token_a);
	free(token_b);
	EVP_PKEY_free(broker);
	EVP_PKEY_free(agent);
	chain_cache_free(&world.cache);
	domain_cache_free(&world.domains);
	dns_client_free(&world.dns);
	address_policy_free(&world.policy);
	dns_fake_stop(&fake);
	event_base_free(base);
	return test_done();
}
