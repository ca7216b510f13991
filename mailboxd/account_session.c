/* SPDX-License-Identifier: ISC
 *
 * POST /v1/sessions: an owner's name and password (checked before this)
 * become an app token, so that no client keeps the password.
 */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "account.h"
#include "caller.h"
#include "cargo_api.h"
#include "clock.h"
#include "json_strict.h"
#include "memory.h"
#include "record.h"
#include "store_account.h"
#include "visit.h"

#define LABEL_MAX 200

struct session {
	struct visit *visit;
	char account[STORE_ID_SIZE];
	char name[CALLER_CREDENTIAL_SIZE];
	char token[CALLER_TOKEN_SIZE];
	cJSON *row;
	int64_t now, expires;
};

/* What is to go to make room. */
struct session_scan {
	int count;
	int64_t oldest_since, now;
	struct store_key oldest, expired;
};

static enum store_step
look_at_credential(void *arg, const char *key, const void *data, size_t len)
{
	struct session_scan *scan = arg;
	cJSON *row = store_row_json(key, data, len);
	const char *kind = json_string(row, "kind");
	int64_t since = 0, expires = 0;

	if (kind != NULL && strcmp(kind, "session") == 0) {
		scan->count++;
		(void)json_integer(row, "since", 0, JSON_MAX_INTEGER, &since);
		(void)json_integer(row, "expires", 0, JSON_MAX_INTEGER,
		    &expires);
		if (since <= scan->oldest_since) {
			scan->oldest_since = since;
			strcpy(scan->oldest.text, key);
		}
		if (expires <= scan->now)
			strcpy(scan->expired.text, key);
	}
	cJSON_Delete(row);
	return STORE_NEXT;
}

static enum outcome
work(struct store_txn *txn, void *arg)
{
	struct session *session = arg;
	struct session_scan scan = { .oldest_since = INT64_MAX,
		.now = session->now };
	struct store_account account;
	enum outcome outcome;
	struct store_key key;
	cJSON *leaf;

	if (store_account_get(store_txn_view(txn), session->account,
		&account) != 1)
		return reason_set(store_txn_reason(txn), OUTCOME_TEMPFAIL,
		    "unavailable", "the account cannot be read");
	if (strcmp(account.state, "active") != 0) {
		store_account_clear(&account);
		return reason_set(store_txn_reason(txn), OUTCOME_PERMFAIL,
		    "credentials", "the account is closed");
	}
	store_scan(store_txn_view(txn),
	    store_key_credential(&key, session->account, NULL), NULL,
	    look_at_credential, &scan);
	if (scan.expired.text[0] != '\0')
		store_txn_delete(txn, scan.expired.text);
	else if (scan.count >= ACCOUNT_SESSIONS_MAX)
		store_txn_delete(txn, scan.oldest.text);
	store_txn_put_json(txn,
	    store_key_credential(&key, session->account, session->name),
	    session->row);
	leaf = cJSON_CreateObject();
	json_add_string(leaf, "credential", session->name);
	outcome =
	    record_append(txn, &account, "session", session->now, leaf, NULL);
	if (outcome == OUTCOME_OK)
		outcome = store_account_put(txn, &account);
	store_account_clear(&account);
	return outcome;
}

static void
done(void *arg, enum outcome outcome, const struct reason *why)
{
	struct session *session = arg;
	cJSON *body;

	if (outcome != OUTCOME_OK) {
		visit_refuse(session->visit, why);
	} else {
		body = cJSON_CreateObject();
		json_add_string(body, "token", session->token);
		json_add_integer(body, "expires", session->expires);
		visit_reply_json(session->visit, 201, body);
	}
	visit_release(session->visit);
	cJSON_Delete(session->row);
	sodium_memzero(session->token, sizeof(session->token));
	free(session);
}

static void
on_body(struct visit *visit, const cJSON *body)
{
	static const char *const members[] = { "name", NULL };
	const char *label = json_string(body, "name");
	struct session *session;

	if (!json_members_known(body, members, NULL) ||
	    (label != NULL && strlen(label) > LABEL_MAX)) {
		visit_problem(visit, "malformed",
		    "the body is {} or {\"name\": text}");
		return;
	}
	session = x_calloc(1, sizeof(*session));
	session->visit = visit_hold(visit);
	session->now = clock_now();
	session->expires =
	    session->now + visit->mailboxd->config->session_lifetime;
	strcpy(session->account, visit->caller.account);
	session->row =
	    caller_token_new(session->account, label != NULL ? label : "",
		session->now, session->expires, session->name, session->token);
	store_submit(visit->mailboxd->store, work, done, session);
}

void
account_session_serve(struct visit *visit)
{
	cJSON *empty;

	if (visit->request->body_size > 0) {
		visit_gather_json(visit, CARGO_API_BODY_MAX, on_body);
		return;
	}
	empty = cJSON_CreateObject();
	on_body(visit, empty);
	cJSON_Delete(empty);
}
