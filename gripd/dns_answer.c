/* SPDX-License-Identifier: ISC
 *
 * DNS messages by ldns. Reads hostile packets. TXT data is taken raw from the
 * rdata and its strings are joined: ldns's text form would escape them.
 */
#include "dns_answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ldns/ldns.h>

#include "memory.h"

#define HEADER_LEN 12

static const struct {
	const char *name;
	ldns_rr_type type;
	size_t len; /* of the data; 0: any */
} dns_types[] = {
	[DNS_TXT] = { "TXT", LDNS_RR_TYPE_TXT, 0 },
	[DNS_A] = { "A", LDNS_RR_TYPE_A, 4 },
	[DNS_AAAA] = { "AAAA", LDNS_RR_TYPE_AAAA, 16 },
};

const char *
dns_type_name(enum dns_type type)
{
	return dns_types[type].name;
}

int
dns_query_format(const struct dns_question *question,
    uint8_t wire_r[DNS_QUERY_MAX])
{
	ldns_rdf *name = ldns_dname_new_frm_str(question->name);
	ldns_pkt *packet = NULL;
	uint8_t *wire = NULL;
	size_t len = 0;
	int result = -1;

	if (name == NULL)
		return -1;
	packet = ldns_pkt_query_new(name, dns_types[question->type].type,
	    LDNS_RR_CLASS_IN, LDNS_RD | LDNS_AD);
	if (packet == NULL) {
		ldns_rdf_deep_free(name);
		return -1;
	}
	ldns_pkt_set_id(packet, question->id);
	ldns_pkt_set_edns_udp_size(packet, DNS_UDP_SIZE);
	if (ldns_pkt2wire(&wire, packet, &len) == LDNS_STATUS_OK &&
	    len <= DNS_QUERY_MAX) {
		memcpy(wire_r, wire, len);
		result = (int)len;
	}
	free(wire);
	ldns_pkt_free(packet);
	return result;
}

/* ---- answers ---- */

void
dns_answer_fail(struct dns_answer *answer_r, const char *detail)
{
	dns_answer_free(answer_r);
	answer_r->status = DNS_FAILED;
	snprintf(answer_r->detail, sizeof(answer_r->detail), "%s", detail);
}

void
dns_answer_free(struct dns_answer *answer)
{
	for (size_t i = 0; i < answer->count; i++)
		free(answer->records[i].data);
	free(answer->records);
	memset(answer, 0, sizeof(*answer));
}

/* Lower-case text without the last dot. 0, or -1 for a name that no service
 * or host has (ldns escapes odd bytes with a backslash). */
static int
name_to_text(const ldns_rdf *name, char text_r[DNS_NAME_SIZE])
{
	char *text = ldns_rdf2str(name);
	size_t len = text != NULL ? strlen(text) : 0;
	int result = -1;

	if (len > 1 && text[len - 1] == '.')
		text[--len] = '\0';
	if (len > 0 && len < DNS_NAME_SIZE && strchr(text, '\\') == NULL) {
		for (size_t i = 0; i <= len; i++)
			text_r[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ?
				text[i] + ('a' - 'A') :
				text[i]);
		result = 0;
	}
	free(text);
	return result;
}

static bool
is_ours(const struct dns_question *question, const ldns_pkt *packet)
{
	const ldns_rr_list *questions = ldns_pkt_question(packet);
	const ldns_rr *asked;
	ldns_rdf *name;
	bool same;

	if (ldns_pkt_id(packet) != question->id || !ldns_pkt_qr(packet) ||
	    ldns_pkt_get_opcode(packet) != LDNS_PACKET_QUERY ||
	    ldns_rr_list_rr_count(questions) != 1)
		return false;
	asked = ldns_rr_list_rr(questions, 0);
	if (ldns_rr_get_type(asked) != dns_types[question->type].type ||
	    ldns_rr_get_class(asked) != LDNS_RR_CLASS_IN)
		return false;
	name = ldns_dname_new_frm_str(question->name);
	same =
	    name != NULL && ldns_dname_compare(ldns_rr_owner(asked), name) == 0;
	ldns_rdf_deep_free(name);
	return same;
}

static void
lower_ttl(struct dns_answer *answer, uint32_t ttl)
{
	if (ttl < answer->ttl)
		answer->ttl = ttl;
}

/* The CNAME at this name, or NULL. */
static const ldns_rr *
find_cname(const ldns_rr_list *list, const ldns_rdf *owner)
{
	const ldns_rr *rr;

	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		rr = ldns_rr_list_rr(list, i);
		if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_CNAME &&
		    ldns_rr_get_class(rr) == LDNS_RR_CLASS_IN &&
		    ldns_rr_rd_count(rr) == 1 &&
		    ldns_dname_compare(ldns_rr_owner(rr), owner) == 0)
			return rr;
	}
	return NULL;
}

/* Follows the CNAMEs that the packet holds. The last owner (the packet's
 * own), or NULL if the chain is too long or ends in an odd name. */
static const ldns_rdf *
follow_cnames(const ldns_rr_list *list, const ldns_rdf *owner,
    struct dns_answer *answer)
{
	const ldns_rr *cname;

	while ((cname = find_cname(list, owner)) != NULL) {
		if (++answer->hops > DNS_CHASE_MAX)
			return NULL;
		owner = ldns_rr_rdf(cname, 0);
		if (name_to_text(owner, answer->target) != 0)
			return NULL;
		lower_ttl(answer, ldns_rr_ttl(cname));
	}
	return owner;
}

/* Joins all strings of one record: each rdf of a TXT is a length byte and so
 * many bytes; that of an address is the address. 0, or -1. */
static int
take_data(const ldns_rr *rr, enum dns_type type, struct dns_record *record_r)
{
	uint8_t data[DNS_DATA_MAX];
	const ldns_rdf *rdf;
	size_t len = 0, skip = type == DNS_TXT ? 1 : 0, size;

	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
		rdf = ldns_rr_rdf(rr, i);
		size = ldns_rdf_size(rdf);
		if (size < skip || size - skip > sizeof(data) - len)
			return -1;
		memcpy(data + len, ldns_rdf_data(rdf) + skip, size - skip);
		len += size - skip;
	}
	if (dns_types[type].len != 0 && len != dns_types[type].len)
		return -1;
	record_r->data = x_memdup(data, len);
	record_r->len = len;
	return 0;
}

static void
take_records(const ldns_rr_list *list, const ldns_rdf *owner,
    enum dns_type type, struct dns_answer *answer)
{
	const ldns_rr *rr;
	struct dns_record record;

	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		rr = ldns_rr_list_rr(list, i);
		if (ldns_rr_get_type(rr) != dns_types[type].type ||
		    ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN ||
		    ldns_dname_compare(ldns_rr_owner(rr), owner) != 0)
			continue;
		if (answer->count == DNS_RECORDS_MAX)
			return;
		lower_ttl(answer, ldns_rr_ttl(rr));
		if (take_data(rr, type, &record) != 0)
			continue;
		answer->records = x_realloc(answer->records,
		    (answer->count + 1) * sizeof(record));
		answer->records[answer->count++] = record;
	}
}

static bool
has_soa(const ldns_rr_list *list)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++)
		if (ldns_rr_get_type(ldns_rr_list_rr(list, i)) ==
		    LDNS_RR_TYPE_SOA)
			return true;
	return false;
}

/* NOERROR: records, or a CNAME that leads out of the packet, or nothing. */
static void
read_sections(const struct dns_question *question, const ldns_pkt *packet,
    struct dns_answer *answer)
{
	const ldns_rr_list *list = ldns_pkt_answer(packet);
	const ldns_rdf *owner =
	    ldns_rr_owner(ldns_rr_list_rr(ldns_pkt_question(packet), 0));

	answer->ttl = UINT32_MAX;
	answer->secure = ldns_pkt_ad(packet);
	owner = follow_cnames(list, owner, answer);
	if (owner == NULL) {
		dns_answer_fail(answer, "a bad chain of CNAMEs");
		return;
	}
	if (ldns_pkt_get_rcode(packet) == LDNS_RCODE_NXDOMAIN) {
		answer->status = DNS_NO_NAME;
	} else {
		take_records(list, owner, question->type, answer);
		if (answer->count > 0)
			answer->status = DNS_DATA;
		else if (answer->hops > 0 &&
		    !has_soa(ldns_pkt_authority(packet)))
			answer->status = DNS_CHASE;
		else
			answer->status = DNS_NO_DATA;
	}
	if (answer->ttl == UINT32_MAX)
		answer->ttl = 0;
}

static void
read_packet(const struct dns_question *question, const ldns_pkt *packet,
    struct dns_answer *answer)
{
	char detail[sizeof(answer->detail)];
	ldns_pkt_rcode rcode = ldns_pkt_get_rcode(packet);

	if (ldns_pkt_tc(packet)) {
		answer->status = DNS_TRUNCATED;
	} else if (rcode == LDNS_RCODE_NOERROR ||
	    rcode == LDNS_RCODE_NXDOMAIN) {
		read_sections(question, packet, answer);
	} else {
		snprintf(detail, sizeof(detail), "rcode %d%s", (int)rcode,
		    rcode == LDNS_RCODE_SERVFAIL ? " (SERVFAIL)" : "");
		dns_answer_fail(answer, detail);
	}
}

int
dns_answer_parse(const struct dns_question *question, const uint8_t *wire,
    size_t len, struct dns_answer *answer_r)
{
	ldns_pkt *packet = NULL;
	bool ours;

	memset(answer_r, 0, sizeof(*answer_r));
	/* Cheap: most forged packets end here. */
	if (len < HEADER_LEN || (wire[0] << 8 | wire[1]) != (int)question->id)
		return -1;
	if (ldns_wire2pkt(&packet, wire, len) != LDNS_STATUS_OK)
		return -1;
	ours = is_ours(question, packet);
	if (ours)
		read_packet(question, packet, answer_r);
	ldns_pkt_free(packet);
	return ours ? 0 : -1;
}
