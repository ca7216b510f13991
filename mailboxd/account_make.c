/* SPDX-License-Identifier: ISC
 *
 * Accounts that come by themselves. See account_make.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "account.h"
#include "account_make.h"
#include "json_strict.h"
#include "log.h"
#include "mailboxd.h"
#include "memory.h"

static enum outcome
trouble(struct store_txn *txn)
{
	return reason_set(store_txn_reason(txn), OUTCOME_TEMPFAIL,
	    "unavailable", "the store cannot be read");
}

void
account_make_init(struct account_make *make,
    const struct mailboxd_config *config, const char *address,
    const char *broker)
{
	memset(make, 0, sizeof(*make));
	if (mail_address_normalise(address, make->address) == -1)
		make->address[0] = '\0';
	snprintf(make->broker, sizeof(make->broker), "%s", broker);
	store_id_new(make->id);
	make->quota = config->quota;
	make->most = config->create_accounts_per_hour;
}

/* One more of this hour. An hour begins with the first account behind the
 * end of the one before; a clock that was put back begins one, too. */
static enum outcome
count(struct store_txn *txn, const struct account_make *make, int64_t now)
{
	const char *domain = mail_address_domain(make->address);
	int64_t since = 0, number = 0;
	struct store_key key;
	cJSON *row = NULL;
	int found;

	found = store_get_json(store_txn_view(txn),
	    store_key_created(&key, domain), &row);
	if (found == 1 &&
	    (json_integer(row, "since", 0, JSON_MAX_INTEGER, &since) == -1 ||
		json_integer(row, "count", 1, JSON_MAX_INTEGER, &number) == -1))
		found = -1;
	cJSON_Delete(row);
	if (found == -1)
		return trouble(txn);
	if (now < since || now - since >= ACCOUNT_MAKE_HOUR) {
		since = now;
		number = 0;
	}
	if (number >= make->most)
		return reason_set(store_txn_reason(txn), OUTCOME_TEMPFAIL,
		    "account-limit", "%s has got %lld accounts within an hour",
		    domain, (long long)number);
	row = cJSON_CreateObject();
	json_add_integer(row, "since", since);
	json_add_integer(row, "count", number + 1);
	return store_txn_put_object(txn, key.text, row);
}

static enum outcome
add(struct store_txn *txn, const struct account_make *make, int64_t now)
{
	struct account_new *new = x_calloc(1, sizeof(*new));
	enum outcome outcome;

	strcpy(new->id, make->id);
	strcpy(new->addresses[0], make->address);
	new->address_count = 1;
	new->maker = make->broker;
	new->quota = make->quota;
	new->now = now;
	outcome = account_add(txn, new);
	free(new);
	return outcome;
}

enum outcome
account_make(struct store_txn *txn, struct account_make *make, int64_t now,
    char account_r[STORE_ID_SIZE])
{
	enum outcome outcome;
	char account[STORE_ID_SIZE];
	int found;

	make->made = false;
	if (make->address[0] == '\0')
		return OUTCOME_OK;
	found =
	    access_find_account(store_txn_view(txn), make->address, account);
	if (found == 1)
		strcpy(account_r, account);
	if (found != 0)
		return found == 1 ? OUTCOME_OK : trouble(txn);
	outcome = count(txn, make, now);
	if (outcome == OUTCOME_OK)
		outcome = add(txn, make, now);
	if (outcome != OUTCOME_OK)
		return outcome;
	strcpy(account_r, make->id);
	make->made = true;
	return OUTCOME_OK;
}

void
account_make_tell(const struct account_make *make, const char *id,
    struct mailboxd *mailboxd)
{
	struct log_line line;

	if (!make->made)
		return;
	metrics_count(mailboxd->metrics, MAILBOXD_ACCOUNTS_MADE, NULL);
	log_begin(&line, LOG_INFO, id, "account-make");
	log_string(&line, LOG_KEY_ACCOUNT, make->id);
	log_string(&line, LOG_KEY_MAILBOX, make->address);
	log_string(&line, LOG_KEY_IDENTITY, make->broker);
	log_end(&line);
}
