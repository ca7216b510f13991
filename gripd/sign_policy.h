/* SPDX-License-Identifier: ISC
 *
 * The signer's policy, /etc/cargomail/policy: which identities there are, and
 * for each what it may say. One line each (cargomail-policy(5)):
 *
 *   _cb.bar.test role=broker domains=bar.test audiences=* lifetime=14d
 *   _rra.insurance.test role=agent audiences=*
 *   mailbox.insurance.test role=mailbox
 *   web.insurance.test role=web
 *
 * Written by hand: a line of words, since the entries are many of one kind
 * and config_file.h holds each key once. The file is root's; it is not
 * hostile, but a mistake in it must be told by file, line and word.
 */
#ifndef SIGN_POLICY_H
#define SIGN_POLICY_H

#include <stddef.h>
#include <stdint.h>

#include "config_file.h"
#include "grip_protocol.h"
#include "grip_token.h"
#include "outcome.h"

struct sign_policy_identity {
	char *name;
	enum grip_role role;
	struct config_list domains; /* whose addresses it may speak for */
	struct config_list audiences; /* to whom; none: to all */
	int64_t lifetime; /* seconds; a type has its bound too */
	char *key; /* name of key and certificate, the identity's mostly */
};

struct sign_policy {
	struct sign_policy_identity *items;
	size_t count;
};

/* Reads the file, which only root may own and write. 0, or -1 with *error_r
 * (one line, free()). *policy_r is to be freed on success. */
int sign_policy_read(const char *path, struct sign_policy *policy_r,
    char **error_r);

/* The same from memory; `name` stands for the path in errors. */
int sign_policy_parse(const char *name, const char *text, size_t len,
    struct sign_policy *policy_r, char **error_r);

void sign_policy_free(struct sign_policy *policy);

/*
 * May `identity` issue a token of this type with these claims (aud and typed
 * claims set and well formed) at `now`? Sets claims->exp if it is 0, to the
 * longest lifetime allowed. PERMFAIL "policy" if not; "form" if the nested
 * token is malformed.
 */
enum outcome sign_policy_allows(const struct sign_policy_identity *identity,
    enum grip_type type, struct grip_claims *claims, int64_t now,
    struct reason *why);

#endif
