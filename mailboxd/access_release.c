/* SPDX-License-Identifier: ISC
 *
 * The checks of a release: see access_release.h.
 */
#include <string.h>

#include "access_release.h"
#include "json_strict.h"
#include "mail_address.h"
#include "pull_store.h"
#include "store_account.h"

static enum outcome
trouble(struct reason *why)
{
	return reason_set(why, OUTCOME_TEMPFAIL, "unavailable",
	    "the store cannot be read");
}

static enum outcome
not_here(struct reason *why)
{
	return reason_set(why, OUTCOME_PERMFAIL, "not-found",
	    "this broker notified no such message, or it is not here");
}

int
access_releases(struct store_view *view, const struct mailboxd_config *config,
    const char *id)
{
	struct store_account account;
	const char *said;
	int found;

	found = store_account_get(view, id, &account);
	if (found != 1)
		return found;
	said = json_string(account.object, "release");
	found = said != NULL ? strcmp(said, "broker") == 0 :
			       config->release == MAILBOXD_RELEASE_BROKER;
	store_account_clear(&account);
	return found;
}

/* Came in, for this mailbox, by this broker. */
static bool
notified_by(const cJSON *row, const struct access_release *claim)
{
	const char *direction = json_string(row, "direction");
	const char *broker = json_string(row, "broker");
	const char *mailbox = json_string(row, "mailbox");
	char normal[MAIL_ADDRESS_SIZE];

	return mail_address_normalise(claim->mailbox, normal) == 0 &&
	    direction != NULL && strcmp(direction, "in") == 0 &&
	    broker != NULL && strcmp(broker, claim->broker) == 0 &&
	    mailbox != NULL && strcmp(mailbox, normal) == 0;
}

static enum outcome
decide(const cJSON *row, int releases, int64_t now, struct reason *why)
{
	int64_t expires;

	if (releases == 0)
		return reason_set(why, OUTCOME_PERMFAIL, "not-released",
		    "the account gives nothing back to brokers");
	if (json_integer(row, "expires", 0, JSON_MAX_INTEGER, &expires) == -1 ||
	    now >= expires)
		return reason_set(why, OUTCOME_PERMFAIL, "expired",
		    "the share has expired");
	return OUTCOME_OK;
}

/* Everything is looked up, whatever the first lookups say. The row is the
 * caller's when OK. */
static enum outcome
find_message(struct store_view *view, const struct mailboxd_config *config,
    const struct access_release *claim, int64_t now,
    char account_r[STORE_ID_SIZE], cJSON **row_r, struct reason *why)
{
	struct store_key key;
	enum outcome outcome;
	int found = -1, releases;

	*row_r = NULL;
	outcome = access_account(view, claim->mailbox, account_r, why);
	releases = access_releases(view, config, account_r);
	if (store_id_valid(claim->message))
		found = store_get_json(view,
		    store_key_message(&key, account_r, claim->message), row_r);
	else
		found = 0;
	if (outcome == OUTCOME_TEMPFAIL || releases == -1 || found == -1)
		outcome = trouble(why);
	else if (outcome != OUTCOME_OK || found == 0 ||
	    !notified_by(*row_r, claim))
		outcome = not_here(why);
	else
		outcome = decide(*row_r, releases, now, why);
	if (outcome == OUTCOME_OK)
		return outcome;
	cJSON_Delete(*row_r);
	*row_r = NULL;
	return outcome;
}

enum outcome
access_release_message(struct store_view *view,
    const struct mailboxd_config *config, const struct access_release *claim,
    int64_t now, char account_r[STORE_ID_SIZE], struct reason *why)
{
	enum outcome outcome;
	cJSON *row;

	outcome = find_message(view, config, claim, now, account_r, &row, why);
	cJSON_Delete(row);
	return outcome;
}

static bool
names_resource(const cJSON *row, const char *hash)
{
	const cJSON *item;
	const char *name;

	cJSON_ArrayForEach(item, json_array(row, "resources"))
	{
		name = json_string(item, "hash");
		if (name != NULL && strcmp(name, hash) == 0)
			return true;
	}
	return false;
}

/* That the account holds it is not enough: it may have it from elsewhere,
 * and the message's own pull may have been refused. */
enum outcome
access_release_resource(struct store_view *view,
    const struct mailboxd_config *config, const struct access_release *claim,
    const char *hash, int64_t now, struct store_blob *blob_r,
    struct reason *why)
{
	char account[STORE_ID_SIZE];
	enum outcome outcome, own;
	struct reason missing;
	cJSON *row;
	int state;

	outcome = find_message(view, config, claim, now, account, &row, why);
	own = access_own(view, account, hash, blob_r, &missing);
	state = store_id_valid(claim->message) ?
	    pull_resource_state(view, account, claim->message, hash) :
	    PULL_PENDING;
	if (outcome == OUTCOME_OK && (own == OUTCOME_TEMPFAIL || state == -1))
		outcome = trouble(why);
	else if (outcome == OUTCOME_OK &&
	    (own != OUTCOME_OK || state != PULL_STORED ||
		!names_resource(row, hash)))
		outcome = not_here(why);
	cJSON_Delete(row);
	return outcome;
}
