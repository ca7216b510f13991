/* SPDX-License-Identifier: ISC
 *
 * DNS packets put together by hand for tests, without the library that the
 * code under test uses.
 */
#ifndef DNS_PACKET_H
#define DNS_PACKET_H

#include <stdint.h>
#include <string.h>

#define FLAG_QR 0x8000
#define FLAG_TC 0x0200
#define FLAG_RD 0x0100
#define FLAG_AD 0x0020
#define RCODE_SERVFAIL 2
#define RCODE_NXDOMAIN 3
#define TYPE_A 1
#define TYPE_CNAME 5
#define TYPE_SOA 6
#define TYPE_TXT 16
#define TYPE_AAAA 28

struct dns_packet {
	uint8_t data[8192];
	size_t len;
};

static inline void
packet_16(struct dns_packet *p, unsigned value)
{
	p->data[p->len++] = (uint8_t)(value >> 8);
	p->data[p->len++] = (uint8_t)value;
}

static inline void
packet_name(struct dns_packet *p, const char *name)
{
	while (*name != '\0') {
		size_t len = strcspn(name, ".");

		p->data[p->len++] = (uint8_t)len;
		memcpy(p->data + p->len, name, len);
		p->len += len;
		name += len + (name[len] == '.');
	}
	p->data[p->len++] = 0;
}

/* Header and question. */
static inline void
packet_start(struct dns_packet *p, unsigned id, unsigned flags,
    const char *name, unsigned type)
{
	p->len = 0;
	packet_16(p, id);
	packet_16(p, flags);
	packet_16(p, 1);
	for (int i = 0; i < 3; i++)
		packet_16(p, 0);
	packet_name(p, name);
	packet_16(p, type);
	packet_16(p, 1);
}

static inline void
packet_record(struct dns_packet *p, const char *owner, unsigned type,
    unsigned ttl, const void *data, size_t len)
{
	unsigned count_at = type == TYPE_SOA ? 8 : 6;

	packet_name(p, owner);
	packet_16(p, type);
	packet_16(p, 1);
	packet_16(p, ttl >> 16);
	packet_16(p, ttl & 0xffff);
	packet_16(p, (unsigned)len);
	memcpy(p->data + p->len, data, len);
	p->len += len;
	p->data[count_at + 1]++;
}

/* One string; several are several length bytes in `text` of the caller. */
static inline void
packet_txt(struct dns_packet *p, const char *owner, unsigned ttl,
    const char *text)
{
	uint8_t data[256];

	data[0] = (uint8_t)strlen(text);
	memcpy(data + 1, text, data[0]);
	packet_record(p, owner, TYPE_TXT, ttl, data, data[0] + 1u);
}

static inline void
packet_cname(struct dns_packet *p, const char *owner, unsigned ttl,
    const char *target)
{
	struct dns_packet name = { .len = 0 };

	packet_name(&name, target);
	packet_record(p, owner, TYPE_CNAME, ttl, name.data, name.len);
}

static inline void
packet_soa(struct dns_packet *p, const char *owner)
{
	struct dns_packet data = { .len = 0 };

	packet_name(&data, "ns.test");
	packet_name(&data, "admin.test");
	for (int i = 0; i < 10; i++)
		packet_16(&data, 1);
	packet_record(p, owner, TYPE_SOA, 300, data.data, data.len);
}

#endif
