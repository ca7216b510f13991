/* SPDX-License-Identifier: ISC
 *
 * The local protocols of gripd, "grip-sign" and "grip-resolve": one JSON
 * object a SOCK_SEQPACKET packet, 64 KiB at most. This module composes and
 * reads packets for both sides and does no I/O, so blocking clients, event
 * loops, gripd and the fuzzer share it. cargomail-internals(7) describes what
 * is asked.
 *
 *   hello    {"protocol":"grip-sign","version":1}, answered by the same or
 *            by {"error":TEXT} and the end of the connection
 *   request  {"id":N,"verb":WORD, members of the verb}
 *   answer   {"id":N,"outcome":"ok|tempfail|permfail","reason":WORD,
 *            "detail":TEXT, members of the verb}
 *
 * Trust: both sides read packets of another process as hostile. Members that
 * are not in the table are an error. Returns errors for want of memory.
 */
#ifndef GRIP_PROTOCOL_H
#define GRIP_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "grip_token.h"
#include "outcome.h"
#include "visibility.h"

#define GRIP_PROTOCOL_SIGN "grip-sign"
#define GRIP_PROTOCOL_RESOLVE "grip-resolve"
#define GRIP_PROTOCOL_VERSION 1
#define GRIP_PROTOCOL_PACKET_MAX 65536
#define GRIP_PROTOCOL_ADDRESSES_MAX 16
#define GRIP_PROTOCOL_KEYS_MAX 32
#define GRIP_PROTOCOL_CHAIN_MAX 8 /* certificates of one identity */
#define GRIP_PROTOCOL_ADDRESS_SIZE 46

/* What an identity is for; by it gripd decides who may use it. */
enum grip_role {
	GRIP_ROLE_BROKER, /* _cb: tokens notify, put, release */
	GRIP_ROLE_AGENT, /* _rra: tokens get */
	GRIP_ROLE_MAILBOX, /* a host name: TLS handshakes only, as server */
	GRIP_ROLE_WEB, /* a host name for browsers: the same, TLS 1.2 too */
};

/* "broker", "agent", "mailbox", "web"; and back: 0, or -1. */
GRIP_EXPORT const char *grip_role_name(enum grip_role role);
GRIP_EXPORT int grip_role_parse(const char *name, enum grip_role *role_r);

/* "notify", "get", "put", "release": the route that a token of this type
 * opens ("" beyond the table); and back: 0, or -1. */
GRIP_EXPORT const char *grip_route_name(enum grip_type type);
GRIP_EXPORT int grip_route_parse(const char *name, enum grip_type *type_r);

/* One verb: the members of its requests besides id and verb. */
struct grip_verb {
	const char *protocol;
	const char *name;
	const char *required[4]; /* NULL-ended */
	const char *optional[4]; /* NULL-ended */
};

/* The whole table, ended by a NULL name. */
GRIP_EXPORT const struct grip_verb *grip_protocol_verbs(void);

/* ---- hello ---- */

/* The first packet; owned by the caller (free()), NULL for want of memory. */
GRIP_EXPORT char *grip_protocol_hello_format(const char *protocol);

/* The packet that refuses a hello; owned by the caller (free()). */
GRIP_EXPORT char *grip_protocol_error_format(const char *text);

/* OK if the packet is the hello of this protocol and version. Anything else
 * is a tempfail, "protocol": old and new programs mixed, or no gripd. */
GRIP_EXPORT enum outcome grip_protocol_hello_parse(const char *protocol,
    const void *data, size_t len, struct reason *why);

/* ---- requests ---- */

struct grip_protocol_request {
	int64_t id; /* -1: not even that could be read */
	const struct grip_verb *verb; /* NULL if unknown */
	cJSON *json; /* the whole object, NULL on failure */
};

/*
 * The server's side. OK: id, verb and json are set; free it. PERMFAIL
 * "form" with an id >= 0: answer the refusal. PERMFAIL with id -1: garbage,
 * drop the connection. TEMPFAIL: no memory.
 */
GRIP_EXPORT enum outcome
grip_protocol_request_parse(const char *protocol, const void *data, size_t len,
    struct grip_protocol_request *request_r, struct reason *why);
GRIP_EXPORT void
grip_protocol_request_free(struct grip_protocol_request *request);

/* The client's side: a new object {"verb":verb}; the id is added by whoever
 * sends it. NULL for want of memory. */
GRIP_EXPORT cJSON *grip_protocol_request_new(const char *verb);

/* ---- answers ---- */

/*
 * The packet of an answer, owned by the caller (free()). `fields` (taken
 * over, may be NULL) are the verb's members, for OK only; `why` is told for
 * the other two. NULL for want of memory or if it exceeds the packet limit.
 */
GRIP_EXPORT char *grip_protocol_answer_format(int64_t id, enum outcome outcome,
    const struct reason *why, cJSON *fields);

/*
 * Reads an answer. Returns 0 with its id, its outcome and reason in *why_r
 * (why_r->outcome), and the object (owned by the caller); -1 with a reason
 * "protocol" if it is none.
 */
GRIP_EXPORT int grip_protocol_answer_parse(const void *data, size_t len,
    int64_t *id_r, cJSON **answer_r, struct reason *why_r);

/* ---- verbs: compose a request, read its answer ----
 *
 * Composers return a request to be sent (owned by the caller), or NULL for
 * want of memory. Readers return OK, or tempfail "protocol" if the answer is
 * not what the verb promises.
 */

/* token: {"identity","type","claims":{aud, the typed claims, exp or not}};
 * exp 0 asks for the longest lifetime that policy and type allow. iss, iat,
 * jti and jwk are gripd's. */
GRIP_EXPORT cJSON *grip_protocol_token(const char *identity,
    enum grip_type type, const struct grip_claims *claims);
/* The server's reading of it: fills the claims (owned: grip_claims_free).
 * PERMFAIL "form" if members are missing, wrong, or of another type. */
GRIP_EXPORT enum outcome grip_protocol_token_parse(const cJSON *request,
    enum grip_type *type_r, struct grip_claims *claims_r, struct reason *why);

/* handshake: `content` is the whole to-be-signed content of a TLS 1.3
 * CertificateVerify (RFC 8446, section 4.4.3) or, for a web host, of a TLS
 * 1.2 ServerKeyExchange (RFC 8422, section 5.4). */
GRIP_EXPORT cJSON *
grip_protocol_handshake(const char *identity, const void *content, size_t len);

/* Bytes in base64url out of a member, at most *len_r; their number to
 * *len_r. 0, or -1. For `content` and `signature`. */
GRIP_EXPORT int grip_protocol_bytes(const cJSON *object, const char *name,
    void *data_r, size_t *len_r);
/* And into one; 0, or -1 for want of memory. */
GRIP_EXPORT int grip_protocol_add_bytes(cJSON *object, const char *name,
    const void *data, size_t len);

#define GRIP_PROTOCOL_BYTES_MAX 4096 /* of a content or a signature */

struct grip_certificate {
	uint8_t *der;
	size_t len;
};

struct grip_identity {
	char *name;
	enum grip_role role;
	struct grip_certificate chain[GRIP_PROTOCOL_CHAIN_MAX]; /* leaf first */
	size_t chain_count;
};

struct grip_identities {
	struct grip_identity *items;
	size_t count;
};

/* identities: those that the caller may use, with certificate chains, as
 * many as a packet holds; `after` is the last name of the packet before, NULL
 * for the first one. */
GRIP_EXPORT cJSON *grip_protocol_identities(const char *after);
/* One identity as it stands in the answer; NULL for want of memory. */
GRIP_EXPORT cJSON *
grip_protocol_identity_format(const struct grip_identity *identity);
/* Adds those of an answer to *identities; *more_r: there are others. */
GRIP_EXPORT enum outcome grip_protocol_identities_parse(const cJSON *answer,
    struct grip_identities *identities, bool *more_r, struct reason *why);
GRIP_EXPORT void grip_identities_free(struct grip_identities **identities);
/* The first of a role; by name; NULL if there is none. */
GRIP_EXPORT const struct grip_identity *
grip_identities_find_role(const struct grip_identities *identities,
    enum grip_role role);
GRIP_EXPORT const struct grip_identity *
grip_identities_find(const struct grip_identities *identities,
    const char *name);

/* verify: is this token good for this route, here and now? */
struct grip_verify {
	enum grip_type route;
	const char *token;
	const char *const *audiences; /* own host names */
	size_t audience_count;
	const void *certificate; /* DER of the TLS client certificate; NULL */
	size_t certificate_len; /* if it gave none: refused, unless... */
	bool local; /* ...the uid of a local socket's peer stands for it */
};

struct grip_verdict {
	cJSON *claims; /* payload of the outer token */
	cJSON *inner; /* payload of token B, for get; else NULL */
	bool secure; /* every DNS answer behind it was validated */
	int64_t until; /* ask again after this time */
};

GRIP_EXPORT cJSON *grip_protocol_verify(const struct grip_verify *verify);
GRIP_EXPORT enum outcome grip_protocol_verdict_parse(const cJSON *answer,
    struct grip_verdict *verdict_r, struct reason *why);
GRIP_EXPORT void grip_verdict_free(struct grip_verdict *verdict);

/* addresses: A and AAAA of a host, already checked against the address
 * policy; at most GRIP_PROTOCOL_ADDRESSES_MAX of them are kept. */
struct grip_addresses {
	char text[GRIP_PROTOCOL_ADDRESSES_MAX][GRIP_PROTOCOL_ADDRESS_SIZE];
	size_t count;
	bool secure;
	int64_t ttl; /* seconds */
};

GRIP_EXPORT cJSON *grip_protocol_addresses(const char *host);
GRIP_EXPORT enum outcome grip_protocol_addresses_parse(const cJSON *answer,
    struct grip_addresses *addresses_r, struct reason *why);

/* keys: the SPKI hashes (hex) published at an identity's name. */
struct grip_keys {
	char hashes[GRIP_PROTOCOL_KEYS_MAX][65];
	size_t count;
	bool secure;
	int64_t ttl; /* seconds */
};

GRIP_EXPORT cJSON *grip_protocol_keys(const char *name);
GRIP_EXPORT enum outcome grip_protocol_keys_parse(const cJSON *answer,
    struct grip_keys *keys_r, struct reason *why);

/* cargomail: whether the mail of a domain passes a Cargo Broker, by its TXT
 * at _cargomail.<domain>. For brokers only. */
struct grip_capability {
	bool present;
	bool secure; /* the answer, also that there is none, was validated */
	int64_t ttl; /* seconds that this may be believed */
};

GRIP_EXPORT cJSON *grip_protocol_cargomail(const char *domain);
GRIP_EXPORT enum outcome grip_protocol_cargomail_parse(const cJSON *answer,
    struct grip_capability *capability_r, struct reason *why);

#endif
