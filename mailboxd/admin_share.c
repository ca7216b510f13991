/* SPDX-License-Identifier: ISC
 *
 * The administrator's verbs for shares: what an account shares with whom, and
 * no more.
 */
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "admin_walk.h"
#include "cargo_placeholder.h"
#include "clock.h"
#include "json_strict.h"
#include "mail_address.h"
#include "memory.h"
#include "share_describe.h"
#include "share_withdraw.h"

/* Before the walk has begun. */
static void
refuse(struct admin_walk *walk, const char *detail)
{
	admin_walk_refuse(walk, OUTCOME_PERMFAIL, "malformed", detail);
	admin_walk_reply(walk);
}

/* ---- share-list ---------------------------------------------------------- */

static void
run_list(struct admin_walk *walk)
{
	walk->outcome = access_account(walk->view, walk->address, walk->account,
	    &walk->why);
	if (walk->outcome != OUTCOME_OK)
		return;
	if (share_describe_all(walk->view, walk->account, walk->now,
		walk->items) == -1)
		admin_walk_refuse(walk, OUTCOME_TEMPFAIL, "unavailable",
		    "the store cannot be read");
}

void
admin_share_list(void *context, struct control_connection *connection,
    const cJSON *request)
{
	struct admin_walk *walk =
	    admin_walk_new(context, connection, run_list, "shares");
	const char *address = json_string(request, "address");

	if (address == NULL ||
	    mail_address_normalise(address, walk->address) == -1)
		refuse(walk, "address: not a mail address");
	else
		admin_walk_start(walk, NULL);
}

/* ---- which one ----------------------------------------------------------- */

/* "share", and "address" of its owner if need be. 0, or -1: refused. */
static int
take_share(struct admin_walk *walk, const cJSON *request)
{
	const char *share = json_string(request, "share");
	const char *address = json_string(request, "address");

	if (share == NULL || !cargo_share_valid(share)) {
		refuse(walk, "share: 22 characters of base64url");
		return -1;
	}
	if (address != NULL &&
	    mail_address_normalise(address, walk->address) == -1) {
		refuse(walk, "address: not a mail address");
		return -1;
	}
	strcpy(walk->subject, share);
	return 0;
}

/* Whose it is; refused unless there is exactly one. */
static void
run_find(struct admin_walk *walk)
{
	int found = share_describe_find(walk->view, walk->subject,
	    walk->address, walk->account);

	if (found == 0)
		admin_walk_refuse(walk, OUTCOME_PERMFAIL, "not-found",
		    "there is no such share");
	else if (found == 2)
		admin_walk_refuse(walk, OUTCOME_PERMFAIL, "ambiguous",
		    "several accounts have a share of this id: give the "
		    "owner's address");
	else if (found == -1)
		admin_walk_refuse(walk, OUTCOME_TEMPFAIL, "unavailable",
		    "the store cannot be read");
}

/* ---- share-show ---------------------------------------------------------- */

static void
run_show(struct admin_walk *walk)
{
	cJSON *share;

	run_find(walk);
	if (walk->outcome != OUTCOME_OK)
		return;
	share =
	    share_describe(walk->view, walk->account, walk->subject, walk->now);
	if (share == NULL ||
	    share_describe_content(walk->view, walk->account, walk->subject,
		walk->items) == -1) {
		cJSON_Delete(share);
		admin_walk_refuse(walk, OUTCOME_TEMPFAIL, "unavailable",
		    "the share cannot be read");
		return;
	}
	walk->first = cJSON_CreateObject();
	json_add_item(walk->first, "share", share);
}

void
admin_share_show(void *context, struct control_connection *connection,
    const cJSON *request)
{
	struct admin_walk *walk =
	    admin_walk_new(context, connection, run_show, "content");

	if (take_share(walk, request) == 0)
		admin_walk_start(walk, NULL);
}

/* ---- share-revoke -------------------------------------------------------- */

static void
on_withdrawn(void *arg, enum outcome outcome, const struct reason *why)
{
	struct admin_walk *walk = arg;

	if (outcome != OUTCOME_OK) {
		walk->outcome = outcome;
		walk->why = *why;
	}
	admin_walk_reply(walk);
}

static void
on_found(void *arg)
{
	struct admin_walk *walk = arg;
	struct share *share;

	if (walk->outcome != OUTCOME_OK) {
		admin_walk_reply(walk);
		return;
	}
	share = x_calloc(1, sizeof(*share));
	strcpy(share->account, walk->account);
	strcpy(share->id, walk->subject);
	share->now = clock_now();
	json_add_string(walk->last, "share", share->id);
	share_withdraw(walk->mailboxd, share, "admin", on_withdrawn, walk);
}

void
admin_share_revoke(void *context, struct control_connection *connection,
    const cJSON *request)
{
	struct admin_walk *walk =
	    admin_walk_new(context, connection, run_find, NULL);

	if (take_share(walk, request) == 0)
		admin_walk_start(walk, on_found);
}
