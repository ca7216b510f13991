/* SPDX-License-Identifier: ISC
 *
 * The account row: what quota.h and record.h work on. Read it once in a
 * work function, change it by their pure functions, put it back once.
 * Members that are not named here (such as `release`) stay in `object` and
 * are kept.
 */
#ifndef STORE_ACCOUNT_H
#define STORE_ACCOUNT_H

#include <stdint.h>

#include <cjson/cJSON.h>

#include "encoding.h"
#include "store.h"

struct store_account {
	char id[STORE_ID_SIZE];
	char state[16]; /* "active" or a word of account.c */
	int64_t quota; /* bytes; 0: nothing may be stored */
	int64_t used; /* bytes of the resources it holds */
	int64_t reserved; /* bytes promised to pending pulls */
	int64_t records; /* number of the next record */
	uint8_t head[SHA256_LEN];
	cJSON *object; /* the whole row, owned */
};

/* A new, active account that holds nothing. Free with
 * store_account_clear. */
void store_account_init(struct store_account *account, const char *id,
    int64_t quota);

/* 1, 0 no such account, -1 trouble or torn (logged). Free with
 * store_account_clear if 1. */
int store_account_get(struct store_view *view, const char *id,
    struct store_account *account_r);

/* Writes it back. One key. */
enum outcome
store_account_put(struct store_txn *txn, struct store_account *account);

void store_account_clear(struct store_account *account);

#endif
