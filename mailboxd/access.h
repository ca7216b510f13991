/* SPDX-License-Identifier: ISC
 *
 * The only place that says yes. Every question is asked of a snapshot of the
 * store (or of what a transaction sees), with the time passed in; nothing
 * here knows HTTP, tokens or sockets. What a hash grants: nothing. "Absent"
 * and "not yours" are the same answer for the same work.
 *
 * Reasons are problem types (cargo_problem.h).
 */
#ifndef ACCESS_H
#define ACCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "cargo_api.h"
#include "mail_address.h"
#include "mailboxd_config.h"
#include "outcome.h"
#include "store.h"

/* 1 and the id of the account that has the address (any spelling), which may
 * be closed; 0 none, -1 trouble. */
int access_find_account(struct store_view *view, const char *address,
    char account_r[STORE_ID_SIZE]);

/* The active account of an address (any spelling): its id goes to
 * account_r. PERMFAIL "no-account". */
enum outcome access_account(struct store_view *view, const char *address,
    char account_r[STORE_ID_SIZE], struct reason *why);

/* For whom a broker asks. */
struct access_asked {
	const char *address;
	const char *broker; /* verified to be of the address's domain */
};

/*
 * The same for a broker that announces a message. If no account has the
 * address, but one is made for this broker (account_make.h), OK with
 * account_r "": create_accounts has the domain, the broker is the domain's
 * own, _cb.<domain>, and the address has no extension behind "+" (who may
 * write to an address may invent any number of these).
 */
enum outcome access_account_or_new(struct store_view *view,
    const struct mailboxd_config *config, const struct access_asked *asked,
    char account_r[STORE_ID_SIZE], struct reason *why);

/* 1 if the account is there and active, 0, -1 trouble. */
int access_account_active(struct store_view *view, const char *account);

/* An owner's own resource. PERMFAIL "not-found". */
enum outcome access_own(struct store_view *view, const char *account,
    const char *hash, struct store_blob *blob_r, struct reason *why);

/* Who says that a resource was shared with whom: claims of a token B that
 * gripd has verified (its agent and origin too). */
struct access_claim {
	const char *sender; /* an address of the sharing account */
	const char *recipient; /* whom it was shared with */
	const char *share;
	struct row_cache *rows; /* of the calling thread, or NULL */
};

/*
 * May the bearer of this claim read the resource now? PERMFAIL "not-shared",
 * or, told only to who is entitled, "revoked" or "expired".
 */
enum outcome access_shared(struct store_view *view,
    const struct access_claim *claim, const char *hash, int64_t now,
    struct store_blob *blob_r, struct reason *why);

/* ---- pages: access_page.c */

/* What the secret of a page opens. */
struct access_page {
	char account[STORE_ID_SIZE];
	char share[CARGO_API_SHARE_ID_LEN + 1];
	char recipient[MAIL_ADDRESS_SIZE]; /* whom the page was made for */
	char sender[MAIL_ADDRESS_SIZE]; /* "" if the owner shared it */
	int64_t expires;
	int64_t downloads;
	cJSON *row; /* the share's */
};

/*
 * May the bearer of the secret with this digest (hex) see the page now? To
 * be cleared in any case. PERMFAIL "not-found", for the same work whether
 * there never was such a page or there is one no more; "revoked" or
 * "expired" are told to the bearer of a good secret.
 */
enum outcome access_page(struct store_view *view, const char *key, int64_t now,
    struct access_page *page_r, struct reason *why);

/* And this resource of it? PERMFAIL "not-found". */
enum outcome
access_page_resource(struct store_view *view, const struct access_page *page,
    const char *hash, struct store_blob *blob_r, struct reason *why);

void access_page_clear(struct access_page *page);

/* ---- brokers */

/*
 * May this broker act for a user? The account of the user's address goes to
 * account_r. PERMFAIL "not-enrolled", also where there is no such account.
 */
enum outcome access_broker(struct store_view *view,
    const struct mailboxd_config *config, const char *user, const char *broker,
    char account_r[STORE_ID_SIZE], struct reason *why);

/* What a broker put, and for which share. */
struct access_put {
	const char *broker, *share;
};

/* The same for a broker that puts. If no account has the address, but one is
 * made for this broker, as above, and the configuration has enrolled the
 * broker for the domain, OK with account_r "". */
enum outcome access_broker_or_new(struct store_view *view,
    const struct mailboxd_config *config, const struct access_asked *asked,
    char account_r[STORE_ID_SIZE], struct reason *why);

/*
 * Does the account hold the resource as far as the caller may know? An owner
 * (`put` NULL) knows all of it; a broker only what itself put for this
 * share, whatever else its user or another broker has. 1, 0, -1 trouble.
 */
int access_knows(struct store_view *view, const char *account,
    const struct access_put *put, const char *hash);

/* May the account share this resource? Only what it holds, a broker only
 * what it knows. PERMFAIL "not-found". */
enum outcome access_may_share(struct store_view *view, const char *account,
    const struct access_put *put, const char *hash, struct reason *why);

/* Where a message's resource is said to come from. */
struct access_source {
	const char *account;
	const char *origin; /* URL */
	const char *share;
};

/*
 * Need the bytes not be pulled again? 1 if they came from this very origin
 * under this very share (for another recipient), or from this origin for this
 * same account, before; then still the origin's yes is asked. 0 if they must
 * be pulled; -1 trouble. `size` is what the message declares.
 */
int access_came_before(struct store_view *view,
    const struct access_source *source, const char *hash, int64_t size);

/* The row name of an address among a share's recipients: the hash of its
 * normal form. 0, or -1 if it is no address. */
int access_address_hash(const char *address, char hash_r[SHA256_HEX_SIZE]);

#endif
