/* SPDX-License-Identifier: ISC
 *
 * Lookups against servers on loopback: retry, TCP, CNAMEs, forgeries.
 */
#include "dns_client.h"

#include "dns_fake.h"
#include "test.h"

#define OK_FLAGS (FLAG_QR | FLAG_RD)
#define NAME "_cb.bar.test"

static struct event_base *base;

struct result {
	int calls;
	struct dns_answer answer; /* without records */
	char text[128]; /* of the first record */
};

static void
on_done(void *arg, const struct dns_answer *answer)
{
	struct result *result = arg;

	result->calls++;
	result->answer = *answer;
	if (answer->count > 0)
		memcpy(result->text, answer->records[0].data,
		    answer->records[0].len);
	event_base_loopbreak(base);
}

/* Runs one lookup against the fakes to its end. */
static struct result
look_up(const struct dns_options *options, const char *name)
{
	struct dns_client *client = dns_client_new(base, options);
	struct result result = { 0 };

	CHECK(
	    dns_client_lookup(client, name, DNS_TXT, on_done, &result) != NULL);
	CHECK(result.calls == 0);
	CHECK(dns_client_pending(client) == 1);
	event_base_dispatch(base);
	CHECK(result.calls == 1);
	CHECK(dns_client_pending(client) == 0);
	dns_client_free(&client);
	return result;
}

static struct dns_options
options_for(const struct dns_server *servers, size_t count)
{
	struct dns_options options = { .count = count,
		.trusted = true,
		.timeout_ms = 1000,
		.queries_max = 10 };

	for (size_t i = 0; i < count; i++)
		options.servers[i] = servers[i];
	return options;
}

static void
answer_good(struct dns_fake *fake, unsigned id, const char *name, unsigned type,
    bool tcp, struct dns_packet *p)
{
	(void)fake;
	(void)tcp;
	packet_start(p, id, OK_FLAGS | FLAG_AD, name, type);
	packet_txt(p, name, 77, "good");
}

static void
answer_servfail(struct dns_fake *fake, unsigned id, const char *name,
    unsigned type, bool tcp, struct dns_packet *p)
{
	(void)fake;
	(void)tcp;
	packet_start(p, id, OK_FLAGS | RCODE_SERVFAIL, name, type);
}

static void
answer_nothing(struct dns_fake *fake, unsigned id, const char *name,
    unsigned type, bool tcp, struct dns_packet *p)
{
	(void)fake;
	(void)id;
	(void)name;
	(void)type;
	(void)tcp;
	(void)p;
}

TEST(finds_a_record)
{
	struct dns_fake fake;
	struct dns_server server;
	struct dns_options options;
	struct result result;

	dns_fake_start(&fake, base, answer_good, &server);
	options = options_for(&server, 1);
	result = look_up(&options, NAME);
	CHECK(result.answer.status == DNS_DATA && result.answer.secure);
	CHECK(result.answer.ttl == 77 && fake.queries == 1);
	CHECK_STRING(result.text, "good");
	CHECK_STRING(result.answer.target, "");
	/* AD of a server that is not trusted is worth nothing. */
	options.trusted = false;
	result = look_up(&options, NAME);
	CHECK(result.answer.status == DNS_DATA && !result.answer.secure);
	dns_fake_stop(&fake);
}

TEST(tries_the_next_server)
{
	struct dns_fake fakes[3];
	struct dns_server servers[3];
	struct dns_options options;
	struct result result;

	dns_fake_start(&fakes[0], base, answer_servfail, &servers[0]);
	dns_fake_start(&fakes[1], base, answer_nothing, &servers[1]);
	dns_fake_start(&fakes[2], base, answer_good, &servers[2]);
	options = options_for(servers, 3);
	result = look_up(&options, NAME);
	CHECK(result.answer.status == DNS_DATA);
	CHECK(fakes[0].queries == 1 && fakes[1].queries == 1 &&
	    fakes[2].queries == 1);
	/* A port where nobody listens fails at once, as SERVFAIL does. */
	dns_fake_stop(&fakes[2]);
	options = options_for(&servers[2], 1);
	result = look_up(&options, NAME);
	CHECK(result.answer.status == DNS_FAILED);
	options = options_for(servers, 1);
	result = look_up(&options, NAME);
	CHECK(result.answer.status == DNS_FAILED);
	CHECK_STRING(result.answer.detail, "rcode 2 (SERVFAIL)");
	CHECK(fakes[0].queries == 3);
	dns_fake_stop(&fakes[0]);
	dns_fake_stop(&fakes[1]);
}

TEST(ends_at_the_deadline)
{
	struct dns_fake fake;
	struct dns_server server;
	struct dns_options options;
	struct result result;

	dns_fake_start(&fake, base, answer_nothing, &server);
	options = options_for(&server, 1);
	options.timeout_ms = 100;
	result = look_up(&options, NAME);
	CHECK(result.answer.status == DNS_FAILED);
	CHECK_STRING(result.answer.detail, "time-out");
	dns_fake_stop(&fake);
}

/* More than an UDP packet holds. */
static void
answer_large(struct dns_fake *fake, unsigned id, const char *name,
    unsigned type, bool tcp, struct dns_packet *p)
{
	(void)fake;
	packet_start(p, id, OK_FLAGS | (tcp ? FLAG_AD : FLAG_TC), name, type);
	for (int i = 0; tcp && i < 30; i++)
		packet_txt(p, name, 77,
		    "0123456789012345678901234567890123456"
		    "7890123456789012345678901234567890123456789");
}

TEST(goes_to_tcp_when_truncated)
{
	struct dns_fake fake;
	struct dns_server server;
	struct dns_options options;
	struct result result;

	dns_fake_start(&fake, base, answer_large, &server);
	options = options_for(&server, 1);
	result = look_up(&options, NAME);
	CHECK(result.answer.status == DNS_DATA && result.answer.secure);
	CHECK(result.answer.count == 30 && fake.queries == 2);
	dns_fake_stop(&fake);
}

/* Truncated on both ways, or silent on the second. */
static void
answer_truncated(struct dns_fake *fake, unsigned id, const char *name,
    unsigned type, bool tcp, struct dns_packet *p)
{
	if (!tcp || fake->queries % 4 == 0)
		packet_start(p, id, OK_FLAGS | FLAG_TC, name, type);
}

TEST(survives_bad_tcp)
{
	struct dns_fake fake;
	struct dns_server server;
	struct dns_options options;
	struct result result;

	dns_fake_start(&fake, base, answer_truncated, &server);
	options = options_for(&server, 1);
	result = look_up(&options, NAME);
	CHECK(result.answer.status == DNS_FAILED && fake.queries == 4);
	dns_fake_stop(&fake);
}

/* As who cannot see our query: the id is a guess. */
static void
answer_forged(struct dns_fake *fake, unsigned id, const char *name,
    unsigned type, bool tcp, struct dns_packet *p)
{
	(void)fake;
	(void)tcp;
	packet_start(p, id ^ 1, OK_FLAGS, name, type);
	packet_txt(p, name, 77, "forged");
}

TEST(ignores_forgeries)
{
	struct dns_fake fake;
	struct dns_server server;
	struct dns_options options;
	struct result result;

	dns_fake_start(&fake, base, answer_forged, &server);
	options = options_for(&server, 1);
	options.timeout_ms = 300;
	result = look_up(&options, NAME);
	CHECK(result.answer.status == DNS_FAILED);
	CHECK_STRING(result.answer.detail, "time-out");
	dns_fake_stop(&fake);
}

/* n0 -> n1 -> ... each in a packet of its own; "n3" is not validated, "n5"
 * has the data, "x" goes on for ever. */
static void
answer_chain(struct dns_fake *fake, unsigned id, const char *name,
    unsigned type, bool tcp, struct dns_packet *p)
{
	char target[32];

	(void)fake;
	(void)tcp;
	packet_start(p, id,
	    OK_FLAGS | (strcmp(name, "n3.bar.test") != 0 ? FLAG_AD : 0), name,
	    type);
	if (strcmp(name, "n5.bar.test") == 0) {
		packet_txt(p, name, 60, "end");
		return;
	}
	snprintf(target, sizeof(target), "%c%c.bar.test", name[0],
	    name[0] == 'n' ? name[1] + 1 : '0' + '1' - name[1]);
	packet_cname(p, name, name[1] == '4' ? 10 : 1000, target);
}

TEST(chases_cnames)
{
	struct dns_fake fake;
	struct dns_server server;
	struct dns_options options;
	struct result result;

	dns_fake_start(&fake, base, answer_chain, &server);
	options = options_for(&server, 1);
	result = look_up(&options, "n4.bar.test");
	CHECK(result.answer.status == DNS_DATA && result.answer.secure);
	CHECK(result.answer.hops == 1 && result.answer.ttl == 10);
	CHECK_STRING(result.answer.target, "n5.bar.test");
	/* Status is the AND of all hops. */
	result = look_up(&options, "n0.bar.test");
	CHECK(result.answer.status == DNS_DATA && !result.answer.secure);
	CHECK(result.answer.hops == 5);
	fake.queries = 0;
	result = look_up(&options, "x0.bar.test");
	CHECK(result.answer.status == DNS_FAILED);
	CHECK_STRING(result.answer.detail, "too many CNAMEs");
	CHECK(fake.queries == DNS_CHASE_MAX + 1u);
	dns_fake_stop(&fake);
}

TEST(bounds_what_is_under_way)
{
	struct dns_fake fake;
	struct dns_server server;
	struct dns_options options;
	struct dns_client *client;
	struct dns_lookup *lookup;
	struct result first = { 0 }, second = { 0 };

	dns_fake_start(&fake, base, answer_nothing, &server);
	options = options_for(&server, 1);
	options.queries_max = 1;
	client = dns_client_new(base, &options);
	lookup = dns_client_lookup(client, NAME, DNS_TXT, on_done, &first);
	dns_client_lookup(client, NAME, DNS_TXT, on_done, &second);
	event_base_dispatch(base);
	CHECK(second.calls == 1 && second.answer.status == DNS_FAILED);
	/* What is cancelled calls nobody. */
	dns_lookup_cancel(&lookup);
	CHECK(lookup == NULL && dns_client_pending(client) == 0);
	event_base_loop(base, EVLOOP_NONBLOCK);
	CHECK(first.calls == 0);
	dns_client_free(&client);
	dns_fake_stop(&fake);
}

TEST(one_zone_does_not_hold_all_the_room)
{
	struct dns_fake fake;
	struct dns_server server;
	struct dns_options options;
	struct dns_client *client;
	struct dns_lookup *lookups[10];
	struct result slow = { 0 }, late = { 0 };
	char name[64];

	dns_fake_start(&fake, base, answer_nothing, &server);
	options = options_for(&server, 1);
	options.queries_max = 100;
	client = dns_client_new(base, &options);
	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "_cb.a%d.evil.test", i);
		lookups[i] =
		    dns_client_lookup(client, name, DNS_TXT, on_done, &slow);
	}
	lookups[8] = dns_client_lookup(client, NAME, DNS_TXT, on_done, &slow);
	dns_client_lookup(client, "_cb.b.evil.test", DNS_TXT, on_done, &late);
	/* Only the ninth of evil.test is answered at once, by no. */
	event_base_dispatch(base);
	CHECK(late.calls == 1 && late.answer.status == DNS_FAILED);
	CHECK(slow.calls == 0 && dns_client_pending(client) == 9);
	for (int i = 0; i < 9; i++)
		dns_lookup_cancel(&lookups[i]);
	dns_client_free(&client);
	dns_fake_stop(&fake);
}

int
main(void)
{
	base = event_base_new();
	RUN(finds_a_record);
	RUN(tries_the_next_server);
	RUN(ends_at_the_deadline);
	RUN(goes_to_tcp_when_truncated);
	RUN(survives_bad_tcp);
	RUN(ignores_forgeries);
	RUN(chases_cnames);
	RUN(bounds_what_is_under_way);
	RUN(one_zone_does_not_hold_all_the_room);
	event_base_free(base);
	return test_done();
}
