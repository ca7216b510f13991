/* SPDX-License-Identifier: ISC
 *
 * Accounts that come by themselves: the broker of a mail domain announces a
 * message for an address that has none, or puts something for such a sender,
 * and create_accounts has the domain (access.h says who may). The account is
 * made in the transaction of what it is made for, so neither stands without
 * the other, and of many at once one makes it. It has no password: nobody
 * logs in before the administrator gives one.
 *
 * Row created/<domain> counts those of an hour, so that nobody who can make a
 * domain's broker speak fills the store with accounts.
 */
#ifndef ACCOUNT_MAKE_H
#define ACCOUNT_MAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "mail_address.h"
#include "mailboxd_config.h"
#include "store.h"

#define ACCOUNT_MAKE_HOUR 3600

struct account_make {
	char address[MAIL_ADDRESS_SIZE]; /* in normal form; "": make none */
	char broker[256]; /* for whom */
	char id[STORE_ID_SIZE]; /* that it will have */
	int64_t quota;
	int64_t most; /* of a domain in an hour */
	bool made; /* result: it was not there before */
};

/* Chooses the id; the address is one that access.h let pass. */
void account_make_init(struct account_make *make,
    const struct mailboxd_config *config, const char *address,
    const char *broker);

/*
 * In a work function, before all that needs the account: the id of the
 * address's account goes to account_r, whether it is made now or was
 * meanwhile. With an empty address account_r stays as it is. TEMPFAIL
 * "account-limit". Five keys.
 */
enum outcome account_make(struct store_txn *txn, struct account_make *make,
    int64_t now, char account_r[STORE_ID_SIZE]);

/* Logs and counts the account if it was made. Event loop, once durable. */
struct mailboxd;
void account_make_tell(const struct account_make *make, const char *id,
    struct mailboxd *mailboxd);

#endif
