/* SPDX-License-Identifier: ISC
 *
 * The four tokens of GRIP: their types, the claims of each in one table, the
 * parser (check `form`: shapes, nothing about truth) and the composer. Reads
 * hostile bytes.
 */
#ifndef GRIP_TOKEN_H
#define GRIP_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>
#include <openssl/evp.h>

#include "grip_jws.h"
#include "outcome.h"
#include "visibility.h"

#define GRIP_TOKEN_MAX GRIP_JWS_MAX
#define GRIP_ID_LEN 22 /* 128 random bits in base64url: jti, share */
#define GRIP_ID_SIZE 23
#define GRIP_LIFETIME_NOTIFY (14 * 86400) /* seconds */
#define GRIP_LIFETIME_SHORT 300

enum grip_type {
	GRIP_NOTIFY, /* grip-notify+jwt: broker to destination ("B") */
	GRIP_GET, /* grip-get+jwt: agent to origin ("A"), B inside */
	GRIP_PUT, /* grip-put+jwt: broker to a user's origin */
	GRIP_RELEASE, /* grip-release+jwt: broker reads what it notified */
	GRIP_TYPE_COUNT
};

/* "grip-notify+jwt": the header's typ. NULL beyond the table. */
GRIP_EXPORT const char *grip_type_name(enum grip_type type);
/* By typ; 0, or -1. */
GRIP_EXPORT int grip_type_find(const char *name, enum grip_type *type_r);
/* The role whose identity signs it: "_cb" or "_rra". */
GRIP_EXPORT const char *grip_type_role(enum grip_type type);
/* Greatest exp - iat in seconds. */
GRIP_EXPORT int64_t grip_type_max_lifetime(enum grip_type type);

/* All text is owned by the struct; a claim that the type does not have is
 * NULL. */
struct grip_claims {
	int64_t iat, exp; /* seconds since 1970 */
	char *iss; /* "_cb.bar.test" */
	char *aud; /* host name of the server it is for */
	char *jti; /* GRIP_ID_LEN characters */
	char *sender; /* address: the From of the message */
	char *recipient; /* address that the sender wrote to */
	char *mailbox; /* address whose account it is for */
	char *user; /* address of the broker's own user */
	char *share; /* GRIP_ID_LEN characters */
	char *message; /* Message-ID without angle brackets */
	char *origin; /* "https://mailbox.hospital.test" */
	char *agent; /* "_rra.insurance.test" */
	char *digest; /* SHA-256 of the request's body, hex */
	char *id; /* message id at the destination */
	char *token; /* the one nested token (claim `tokens`) */
};

/*
 * The table of text claims, for whoever handles them generically (policy,
 * protocol). `types` has the bit 1 << type for each type that has it.
 */
struct grip_claim {
	const char *name;
	size_t offset; /* of the char * in struct grip_claims */
	unsigned types;
	bool (*is_valid)(const char *value);
	const char *shape; /* for people: "an address" */
};

/* The table ends with a NULL name. `iss`, `aud` and `jti` are in it; `iat`,
 * `exp`, `jwk` and `tokens` are not. */
GRIP_EXPORT const struct grip_claim *grip_claim_table(void);

/* Where a claim of the table lies; *grip_claims_field(c, &claims) = ... */
GRIP_EXPORT char **
grip_claims_field(const struct grip_claim *claim, struct grip_claims *claims);

/* Frees the strings and zeroes the struct. */
GRIP_EXPORT void grip_claims_free(struct grip_claims *claims);

struct grip_token {
	enum grip_type type;
	struct grip_claims claims;
	EVP_PKEY *key; /* from jwk */
	char key_hash[65]; /* SHA-256 of its SPKI, hex */
	struct grip_jws *jws; /* jws->payload: all claims as they came */
	struct grip_token *inner; /* of GRIP_GET, else NULL */
};

/*
 * Check `form` and nothing else: says nothing about whether it is true.
 * PERMFAIL "form", or TEMPFAIL for want of memory. A nested token that is
 * itself of a nesting type is not opened (check `purpose` refuses it).
 */
GRIP_EXPORT enum outcome grip_token_parse(const char *text, size_t len,
    struct grip_token **token_r, struct reason *why);
GRIP_EXPORT void grip_token_free(struct grip_token **token);

/*
 * Composes and signs. Of `claims` everything that the type has must be set
 * (iss, aud, iat, exp, jti too); others must be NULL. `key` holds the
 * private key; `jwk` is made from it. The result has passed grip_token_parse.
 * PERMFAIL "form" if a claim is missing, superfluous or misshapen; TEMPFAIL
 * "internal". The token is the caller's (free()).
 */
GRIP_EXPORT enum outcome
grip_token_sign(enum grip_type type, const struct grip_claims *claims,
    EVP_PKEY *key, char **token_r, struct reason *why);

/* A fresh jti or share id: 128 random bits. */
GRIP_EXPORT void grip_token_new_id(char id_r[GRIP_ID_SIZE]);

#endif
