/* SPDX-License-Identifier: ISC
 *
 * DNS messages (RFC 1035, 3596, 6891) to and from the wire, by ldns: the only
 * place that includes it. No I/O. Reads hostile packets; what comes out is
 * bounded in number and size.
 */
#ifndef DNS_ANSWER_H
#define DNS_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "grip_name.h"

#define DNS_NAME_SIZE GRIP_NAME_SIZE
#define DNS_QUERY_MAX 512
#define DNS_UDP_SIZE 1232 /* EDNS buffer that we offer */
#define DNS_CHASE_MAX 8 /* CNAMEs followed for one name */
#define DNS_RECORDS_MAX 64
#define DNS_DATA_MAX 4096 /* bytes of one joined TXT */

enum dns_type { DNS_TXT, DNS_A, DNS_AAAA };

struct dns_question {
	uint16_t id;
	enum dns_type type;
	char name[DNS_NAME_SIZE]; /* lower case, no trailing dot */
};

enum dns_status {
	DNS_DATA, /* records of the type asked for */
	DNS_NO_DATA, /* the name exists, without such records */
	DNS_NO_NAME, /* NXDOMAIN */
	DNS_CHASE, /* only CNAMEs: ask again for `target` */
	DNS_TRUNCATED, /* ask again by TCP */
	DNS_FAILED, /* SERVFAIL and the like, time-out, nonsense */
};

/* A record's data: the joined strings of a TXT, 4 or 16 bytes of an
 * address. */
struct dns_record {
	uint8_t *data;
	size_t len;
};

struct dns_answer {
	enum dns_status status;
	bool secure; /* AD: the server has validated it */
	uint32_t ttl; /* seconds, the least of all records used */
	unsigned hops; /* CNAMEs followed */
	char target[DNS_NAME_SIZE]; /* of the last CNAME, or "" */
	char detail[80]; /* of DNS_FAILED, for people */
	struct dns_record *records;
	size_t count;
};

/* "TXT", "A", "AAAA". */
const char *dns_type_name(enum dns_type type);

/* Writes a query: recursion desired, AD wanted, EDNS without DO. Its length,
 * or -1 if the name cannot be asked. */
int dns_query_format(const struct dns_question *question,
    uint8_t wire_r[DNS_QUERY_MAX]);

/*
 * Reads one packet. 0 and *answer_r (dns_answer_free) if it answers this
 * question: id, QR, opcode and question match. -1 if not: then it is not of
 * our exchange, and to be ignored.
 */
int dns_answer_parse(const struct dns_question *question, const uint8_t *wire,
    size_t len, struct dns_answer *answer_r);

/* An answer that is a failure of our own making. */
void dns_answer_fail(struct dns_answer *answer_r, const char *detail);

/* Frees what it holds and zeroes it. */
void dns_answer_free(struct dns_answer *answer);

#endif
