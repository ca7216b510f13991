/* SPDX-License-Identifier: ISC
 *
 * A short session with an account, for the administrator's canary
 * (cargomailctl check --canary): made without the password, ended when the
 * canary is done, else by itself in ten minutes. The administrator could set
 * the password; this way the user keeps it, and the account's record tells of
 * the session as of any other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "access.h"
#include "admin.h"
#include "caller.h"
#include "clock.h"
#include "json_strict.h"
#include "log.h"
#include "mail_address.h"
#include "mailboxd.h"
#include "memory.h"
#include "record.h"
#include "store_account.h"

#define SESSION_SECONDS 600
#define LABEL "cargomailctl check --canary"

struct admin_session {
	struct control_connection *connection;
	char address[MAIL_ADDRESS_SIZE];
	char account[STORE_ID_SIZE];
	char name[CALLER_CREDENTIAL_SIZE];
	char token[CALLER_TOKEN_SIZE];
	int64_t now, expires;
};

static enum outcome
find(struct store_txn *txn, struct admin_session *session,
    struct store_account *account_r)
{
	enum outcome outcome = access_account(store_txn_view(txn),
	    session->address, session->account, store_txn_reason(txn));

	if (outcome == OUTCOME_OK &&
	    store_account_get(store_txn_view(txn), session->account,
		account_r) != 1)
		outcome = reason_set(store_txn_reason(txn), OUTCOME_TEMPFAIL,
		    "unavailable", "the account cannot be read");
	return outcome;
}

static enum outcome
begin_work(struct store_txn *txn, void *arg)
{
	struct admin_session *session = arg;
	struct store_account account;
	enum outcome outcome = find(txn, session, &account);
	struct store_key key;
	cJSON *row, *leaf;

	if (outcome != OUTCOME_OK)
		return outcome;
	row = caller_token_new(session->account, LABEL, session->now,
	    session->expires, session->name, session->token);
	store_txn_put_json(txn,
	    store_key_credential(&key, session->account, session->name), row);
	leaf = cJSON_CreateObject();
	json_add_string(leaf, "credential", session->name);
	outcome =
	    record_append(txn, &account, "session", session->now, leaf, NULL);
	if (outcome == OUTCOME_OK)
		outcome = store_account_put(txn, &account);
	store_account_clear(&account);
	cJSON_Delete(row);
	return outcome;
}

/* Only one that was made here: no user is logged out. */
static enum outcome
end_work(struct store_txn *txn, void *arg)
{
	struct admin_session *session = arg;
	struct store_account account;
	enum outcome outcome = find(txn, session, &account);
	struct store_key key;
	const char *label;
	cJSON *row = NULL;

	if (outcome != OUTCOME_OK)
		return outcome;
	store_account_clear(&account);
	store_key_credential(&key, session->account, session->name);
	if (store_get_json(store_txn_view(txn), key.text, &row) == 1 &&
	    (label = json_string(row, "label")) != NULL &&
	    strcmp(label, LABEL) == 0)
		store_txn_delete(txn, key.text);
	cJSON_Delete(row);
	return OUTCOME_OK;
}

static void
log_session(const struct admin_session *session, const char *verb)
{
	struct log_line line;

	log_begin(&line, LOG_INFO, "-", verb);
	log_string(&line, LOG_KEY_ACCOUNT, session->account);
	log_string(&line, LOG_KEY_MAILBOX, session->address);
	log_end(&line);
}

static void
on_done(void *arg, enum outcome outcome, const struct reason *why)
{
	struct admin_session *session = arg;
	cJSON *answer = cJSON_CreateObject();

	if (outcome == OUTCOME_OK && session->token[0] != '\0') {
		json_add_string(answer, "name", session->name);
		json_add_string(answer, "token", session->token);
		json_add_integer(answer, "expires", session->expires);
	}
	if (outcome == OUTCOME_OK)
		log_session(session,
		    session->token[0] != '\0' ? "session-begin" :
						"session-end");
	admin_reply(session->connection, outcome, why, answer);
	sodium_memzero(session, sizeof(*session));
	free(session);
}

static void
serve(void *context, struct control_connection *connection,
    const cJSON *request, store_work_fn *work)
{
	struct mailboxd *mailboxd = context;
	struct admin_session *session = x_calloc(1, sizeof(*session));
	const char *address = json_string(request, "address");
	const char *name = json_string(request, "name");
	struct reason why;

	session->connection = connection;
	session->now = clock_now();
	session->expires = session->now + SESSION_SECONDS;
	if (address == NULL ||
	    mail_address_normalise(address, session->address) == -1 ||
	    (work == end_work &&
		(name == NULL || strlen(name) >= sizeof(session->name) ||
		    strchr(name, '/') != NULL || name[0] == '\0'))) {
		on_done(session,
		    reason_set(&why, OUTCOME_PERMFAIL, "malformed",
			"address, and the name of the session to end"),
		    &why);
		return;
	}
	if (work == end_work)
		strcpy(session->name, name);
	store_submit(mailboxd->store, work, on_done, session);
}

void
admin_session_begin(void *context, struct control_connection *connection,
    const cJSON *request)
{
	serve(context, connection, request, begin_work);
}

void
admin_session_end(void *context, struct control_connection *connection,
    const cJSON *request)
{
	serve(context, connection, request, end_work);
}
