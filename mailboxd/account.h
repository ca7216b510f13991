/* SPDX-License-Identifier: ISC
 *
 * Accounts: made, listed and removed by the administrator (control socket),
 * opened by their owners with name and password for an app token.
 */
#ifndef ACCOUNT_H
#define ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "mail_address.h"
#include "store.h"

#define ACCOUNT_ADDRESSES_MAX 16
#define ACCOUNT_BROKERS_MAX 8
#define ACCOUNT_SESSIONS_MAX 64 /* the oldest goes */
#define ACCOUNT_BATCH 15 /* rows of a removal's transaction */

/* A new account. Work function account_add: refused "exists". */
struct account_new {
	char id[STORE_ID_SIZE];
	char addresses[ACCOUNT_ADDRESSES_MAX][MAIL_ADDRESS_SIZE];
	unsigned address_count; /* the first is the main one */
	const cJSON *brokers; /* array of names, or NULL */
	char hash[160]; /* of the password; "": nobody logs in for now */
	const char *maker; /* the broker for which it is made, or NULL */
	int64_t quota, now;
};
enum outcome account_add(struct store_txn *txn, void *arg);

/* Enrols or dismisses a broker for one address. "no-account". */
struct account_enrol {
	char address[MAIL_ADDRESS_SIZE];
	char broker[256];
	bool dismiss;
	int64_t now;
};
enum outcome account_enrol(struct store_txn *txn, void *arg);

/* Sets a password's hash, the quota (-1: as it is), whether the account gives
 * back to brokers, or closes and opens it: a closed one keeps what it holds,
 * and nobody gets in or at it, nor anything to it. A new password ends all
 * sessions, and so does closing. "no-account", "conflict" (it is being
 * removed). */
struct account_change {
	char address[MAIL_ADDRESS_SIZE];
	char hash[160]; /* "": as it is */
	int64_t quota;
	char release[8]; /* "broker", "never", "": as it is */
	char state[8]; /* "active", "closed", "": as it is */
	int64_t now;
};
enum outcome account_change(struct store_txn *txn, void *arg);

/* Removes an account, a batch of rows at a time: call until `complete`. The
 * first puts an end to it, so nothing comes in meanwhile. With
 * create_accounts the address may come again; a closed one does not. */
struct account_removal {
	char address[MAIL_ADDRESS_SIZE];
	char id[STORE_ID_SIZE];
	bool complete;
	int64_t now;
};
enum outcome account_remove(struct store_txn *txn, void *arg);

/* One account for a listing (caller's); NULL on trouble. */
cJSON *account_describe(struct store_view *view, const char *id);

struct visit;

/* POST /v1/sessions by name and password: an app token. */
void account_session_serve(struct visit *visit);

#endif
