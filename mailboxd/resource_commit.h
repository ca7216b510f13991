/* SPDX-License-Identifier: ISC
 *
 * The transaction that makes an uploaded resource an account's own, for an
 * owner or for a broker acting for its user. (Under a lease: pull_store.h.)
 */
#ifndef RESOURCE_COMMIT_H
#define RESOURCE_COMMIT_H

#include <stdbool.h>

#include "account_make.h"
#include "store.h"
#include "store_account.h"

#define RESOURCE_TYPE_MAX 127
#define RESOURCE_NAME_MAX 255

struct resource_commit {
	char account[STORE_ID_SIZE];
	struct account_make *make; /* the account has to be made; or NULL */
	struct store_blob blob;
	char type[RESOURCE_TYPE_MAX + 1];
	char name[RESOURCE_NAME_MAX + 1]; /* "" if none */
	char share[32]; /* broker: the share it is put for; else "" */
	char broker[256]; /* broker: its name; else "" */
	bool placeholder; /* of a message, which holds it; the owner's if not */
	int64_t now;
	bool existed; /* result: the account had it already */
};

/* A work function; `arg` is a struct resource_commit. Refused "quota",
 * "account-limit". */
enum outcome resource_commit_work(struct store_txn *txn, void *arg);

/* The part for callers within other work functions: resource row, quota,
 * holder. The caller appends the record and puts the account. Five keys at
 * most. */
enum outcome resource_commit_add(struct store_txn *txn,
    struct store_account *account, struct resource_commit *commit);

/* 1 if `type` can stand in a Content-Type of ours. */
int resource_type_valid(const char *type);

#endif
