/* SPDX-License-Identifier: ISC
 *
 * DNS packets: what answers our question, and what it says.
 */
#include "dns_answer.h"

#include "dns_packet.h"
#include "test.h"

#define NAME "_cb.bar.test"
#define OK_FLAGS (FLAG_QR | FLAG_RD)

static const struct dns_question question = { 0x1234, DNS_TXT, NAME };

static int
parse(const struct dns_packet *p, struct dns_answer *answer)
{
	return dns_answer_parse(&question, p->data, p->len, answer);
}

/* Parses, remembers the status, frees. */
static enum dns_status
status_of(const struct dns_packet *p)
{
	struct dns_answer answer;
	enum dns_status status = (enum dns_status) - 1;

	if (parse(p, &answer) == 0) {
		status = answer.status;
		dns_answer_free(&answer);
	}
	return status;
}

TEST(asks)
{
	static const uint8_t want[] = { 0x12, 0x34, 0x01, 0x20, 0, 1, 0, 0, 0,
		0, 0, 1, /* RD, AD */
		3, '_', 'c', 'b', 3, 'b', 'a', 'r', 4, 't', 'e', 's', 't', 0, 0,
		16, 0, 1, 0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0,
		0 }; /* EDNS 1232, no DO */
	uint8_t wire[DNS_QUERY_MAX];
	struct dns_question odd = { 1, DNS_A, "a..b" };
	int len = dns_query_format(&question, wire);

	CHECK(len == (int)sizeof(want));
	CHECK(
	    len == (int)sizeof(want) && memcmp(wire, want, sizeof(want)) == 0);
	CHECK(dns_query_format(&odd, wire) == -1);
}

TEST(joins_strings)
{
	struct dns_packet p;
	struct dns_answer answer;

	packet_start(&p, 0x1234, OK_FLAGS | FLAG_AD, NAME, TYPE_TXT);
	packet_record(&p, NAME, TYPE_TXT, 300, "\003v=g\000\004rip1", 10);
	packet_record(&p, "_CB.Bar.Test", TYPE_TXT, 200, "\002a\"", 3);
	CHECK(parse(&p, &answer) == 0);
	CHECK(answer.status == DNS_DATA && answer.count == 2);
	CHECK(answer.secure && answer.ttl == 200 && answer.hops == 0);
	CHECK(answer.records[0].len == 7 &&
	    memcmp(answer.records[0].data, "v=grip1", 7) == 0);
	CHECK(answer.records[1].len == 2 &&
	    memcmp(answer.records[1].data, "a\"", 2) == 0);
	dns_answer_free(&answer);
}

TEST(takes_only_what_belongs)
{
	struct dns_packet p;
	struct dns_answer answer;

	packet_start(&p, 0x1234, OK_FLAGS, NAME, TYPE_TXT);
	packet_txt(&p, "_cb.evil.test", 300, "no");
	packet_txt(&p, NAME, 300, "yes");
	packet_record(&p, NAME, TYPE_A, 300, "\177\0\0\1", 4);
	CHECK(parse(&p, &answer) == 0);
	CHECK(answer.count == 1 && !answer.secure);
	CHECK(
	    answer.count == 1 && memcmp(answer.records[0].data, "yes", 3) == 0);
	dns_answer_free(&answer);
}

TEST(ignores_what_is_not_ours)
{
	struct dns_packet p;

	packet_start(&p, 0x1235, OK_FLAGS, NAME, TYPE_TXT);
	CHECK((int)status_of(&p) == -1);
	packet_start(&p, 0x1234, FLAG_RD, NAME, TYPE_TXT);
	CHECK((int)status_of(&p) == -1);
	packet_start(&p, 0x1234, OK_FLAGS | 0x0800, NAME, TYPE_TXT);
	CHECK((int)status_of(&p) == -1); /* opcode */
	packet_start(&p, 0x1234, OK_FLAGS, "_cb.evil.test", TYPE_TXT);
	CHECK((int)status_of(&p) == -1);
	packet_start(&p, 0x1234, OK_FLAGS, NAME, TYPE_A);
	CHECK((int)status_of(&p) == -1);
	packet_start(&p, 0x1234, OK_FLAGS, NAME, TYPE_TXT);
	p.data[p.len - 1] = 3; /* class CH */
	CHECK((int)status_of(&p) == -1);
	packet_start(&p, 0x1234, OK_FLAGS, NAME, TYPE_TXT);
	CHECK(status_of(&p) == DNS_NO_DATA);
	p.data[5] = 0; /* no question */
	CHECK((int)status_of(&p) == -1);
	for (size_t len = 0; len < p.len; len++) {
		struct dns_answer answer;

		CHECK(dns_answer_parse(&question, p.data, len, &answer) == -1 ||
		    len >= 12);
		dns_answer_free(&answer);
	}
}

TEST(tells_kinds_of_nothing)
{
	struct dns_packet p;
	struct dns_answer answer;

	packet_start(&p, 0x1234, OK_FLAGS | RCODE_NXDOMAIN, NAME, TYPE_TXT);
	packet_soa(&p, "bar.test");
	CHECK(status_of(&p) == DNS_NO_NAME);
	packet_start(&p, 0x1234, OK_FLAGS, NAME, TYPE_TXT);
	packet_soa(&p, "bar.test");
	CHECK(status_of(&p) == DNS_NO_DATA);
	packet_start(&p, 0x1234, OK_FLAGS | FLAG_TC, NAME, TYPE_TXT);
	CHECK(status_of(&p) == DNS_TRUNCATED);
	packet_start(&p, 0x1234, OK_FLAGS | 5, NAME, TYPE_TXT);
	CHECK(status_of(&p) == DNS_FAILED);
	packet_start(&p, 0x1234, OK_FLAGS | RCODE_SERVFAIL, NAME, TYPE_TXT);
	CHECK(parse(&p, &answer) == 0);
	CHECK(answer.status == DNS_FAILED);
	CHECK_STRING(answer.detail, "rcode 2 (SERVFAIL)");
	dns_answer_free(&answer);
}

TEST(follows_cnames)
{
	struct dns_packet p;
	struct dns_answer answer;

	packet_start(&p, 0x1234, OK_FLAGS | FLAG_AD, NAME, TYPE_TXT);
	packet_txt(&p, "_cb.HOSTER.test", 300, "yes");
	packet_cname(&p, "_x.bar.test", 100, "_CB.Hoster.test");
	packet_cname(&p, NAME, 50, "_x.bar.test");
	CHECK(parse(&p, &answer) == 0);
	CHECK(answer.status == DNS_DATA && answer.count == 1);
	CHECK(answer.hops == 2 && answer.ttl == 50 && answer.secure);
	CHECK_STRING(answer.target, "_cb.hoster.test");
	dns_answer_free(&answer);

	/* Leads out of the packet. */
	packet_start(&p, 0x1234, OK_FLAGS, NAME, TYPE_TXT);
	packet_cname(&p, NAME, 50, "_cb.hoster.test");
	CHECK(parse(&p, &answer) == 0);
	CHECK(answer.status == DNS_CHASE);
	CHECK_STRING(answer.target, "_cb.hoster.test");
	dns_answer_free(&answer);
	/* Ends in nothing. */
	packet_soa(&p, "hoster.test");
	CHECK(status_of(&p) == DNS_NO_DATA);
	/* Goes round, goes too far, goes nowhere sane. */
	packet_start(&p, 0x1234, OK_FLAGS, NAME, TYPE_TXT);
	packet_cname(&p, NAME, 50, NAME);
	CHECK(status_of(&p) == DNS_FAILED);
	packet_start(&p, 0x1234, OK_FLAGS, NAME, TYPE_TXT);
	packet_cname(&p, NAME, 50, "a b.test");
	CHECK(status_of(&p) == DNS_FAILED);
}

TEST(bounds_what_it_takes)
{
	struct dns_packet p;
	struct dns_answer answer;

	packet_start(&p, 0x1234, OK_FLAGS, NAME, TYPE_TXT);
	for (int i = 0; i < 100; i++)
		packet_txt(&p, NAME, 1, "x");
	CHECK(parse(&p, &answer) == 0);
	CHECK(answer.count == DNS_RECORDS_MAX);
	dns_answer_free(&answer);
}

TEST(reads_addresses)
{
	struct dns_question a = { 1, DNS_A, "a.test" };
	struct dns_packet p;
	struct dns_answer answer;

	packet_start(&p, 1, OK_FLAGS, "a.test", TYPE_A);
	packet_record(&p, "a.test", TYPE_A, 1, "\300\0\2\1", 4);
	CHECK(dns_answer_parse(&a, p.data, p.len, &answer) == 0);
	CHECK(answer.count == 1 && answer.records[0].len == 4);
	dns_answer_free(&answer);
	a.type = DNS_AAAA;
	packet_start(&p, 1, OK_FLAGS, "a.test", TYPE_AAAA);
	packet_record(&p, "a.test", TYPE_AAAA, 1, "0123456789abcdef", 16);
	CHECK(dns_answer_parse(&a, p.data, p.len, &answer) == 0);
	CHECK(answer.count == 1 && answer.records[0].len == 16);
	dns_answer_free(&answer);
}

int
main(void)
{
	RUN(asks);
	RUN(joins_strings);
	RUN(takes_only_what_belongs);
	RUN(ignores_what_is_not_ours);
	RUN(tells_kinds_of_nothing);
	RUN(follows_cnames);
	RUN(bounds_what_it_takes);
	RUN(reads_addresses);
	return test_done();
}
