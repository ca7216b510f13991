/* SPDX-License-Identifier: ISC
 *
 * Who asks, by app token or password. Reads the Authorization field
 * (hostile); tokens of GRIP are caller_grip.c's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "caller_private.h"
#include "clock.h"
#include "encoding.h"
#include "json_strict.h"
#include "mail_address.h"
#include "memory.h"
#include "password_worker.h"
#include "visit.h"

#define SECRET_LEN 32 /* random bytes of an app token */
#define TOKEN_PREFIX "cm1"

struct caller_inquiry *
caller_inquiry_new(struct visit *visit, caller_identified *then)
{
	struct caller_inquiry *inquiry = x_calloc(1, sizeof(*inquiry));

	inquiry->visit = visit_hold(visit);
	inquiry->then = then;
	return inquiry;
}

void
caller_inquiry_end(struct caller_inquiry *inquiry, enum outcome outcome,
    const struct reason *why)
{
	if (inquiry->visit->x != NULL)
		inquiry->then(inquiry->visit, outcome, why);
	visit_release(inquiry->visit);
	free(inquiry->token);
	free(inquiry);
}

static enum outcome
refuse_credentials(struct reason *why)
{
	return reason_set(why, OUTCOME_PERMFAIL, "credentials",
	    "name, password or token is wrong");
}

/* ---- app tokens: cm1.<account>.<credential>.<secret> --------------------- */

cJSON *
caller_token_new(const char *account, const char *label, int64_t now,
    int64_t expires, char name_r[CALLER_CREDENTIAL_SIZE],
    char token_r[CALLER_TOKEN_SIZE])
{
	char secret_text[64], hash[SHA256_HEX_SIZE];
	uint8_t secret[SECRET_LEN], number[8];
	cJSON *row = cJSON_CreateObject();

	randombytes_buf(secret, sizeof(secret));
	randombytes_buf(number, sizeof(number));
	base64url_format(secret, sizeof(secret), secret_text);
	strcpy(name_r, "session-");
	hex_format(number, sizeof(number), name_r + strlen(name_r));
	snprintf(token_r, CALLER_TOKEN_SIZE, "%s.%s.%s.%s", TOKEN_PREFIX,
	    account, name_r, secret_text);
	sha256_hex(secret_text, strlen(secret_text), hash);
	json_add_string(row, "kind", "session");
	json_add_string(row, "hash", hash);
	json_add_string(row, "label", label);
	json_add_integer(row, "since", now);
	json_add_integer(row, "expires", expires);
	sodium_memzero(secret, sizeof(secret));
	sodium_memzero(secret_text, sizeof(secret_text));
	return row;
}

/* Splits the token at its dots, in place. */
static int
token_split(char *token, char *parts_r[4])
{
	unsigned i;

	for (i = 0; i < 4; i++) {
		parts_r[i] = token;
		token = strchr(token, '.');
		if ((token == NULL) != (i == 3))
			return -1;
		if (token != NULL)
			*token++ = '\0';
	}
	return strcmp(parts_r[0], TOKEN_PREFIX) == 0 &&
		store_id_valid(parts_r[1]) && parts_r[2][0] != '\0' &&
		strlen(parts_r[2]) < CALLER_CREDENTIAL_SIZE ?
	    0 :
	    -1;
}

static bool
session_fits(const cJSON *row, const char *secret, int64_t now)
{
	const char *kind = json_string(row, "kind");
	const char *want = json_string(row, "hash");
	char hash[SHA256_HEX_SIZE];
	int64_t expires;

	sha256_hex(secret, strlen(secret), hash);
	return kind != NULL && strcmp(kind, "session") == 0 && want != NULL &&
	    strlen(want) == SHA256_HEX_LEN &&
	    sodium_memcmp(want, hash, SHA256_HEX_LEN) == 0 &&
	    json_integer(row, "expires", 0, JSON_MAX_INTEGER, &expires) == 0 &&
	    now < expires;
}

static enum outcome
check_session(struct visit *visit, struct store_view *view, char *parts[4],
    struct reason *why)
{
	struct store_key key;
	cJSON *row = NULL, *account = NULL;
	const char *state, *name;
	enum outcome outcome = OUTCOME_OK;
	int found;

	found = store_get_json(view,
	    store_key_credential(&key, parts[1], parts[2]), &row);
	if (found == 1)
		found = store_get_json(view, store_key_account(&key, parts[1]),
		    &account);
	if (found == -1)
		outcome = reason_set(why, OUTCOME_TEMPFAIL, "unavailable",
		    "the store");
	else if (found == 0 || !session_fits(row, parts[3], clock_now()) ||
	    (state = json_string(account, "state")) == NULL ||
	    strcmp(state, "active") != 0)
		outcome = refuse_credentials(why);
	else {
		visit->caller.kind = CALLER_OWNER;
		strcpy(visit->caller.account, parts[1]);
		name = json_string(account, "name");
		snprintf(visit->caller.name, sizeof(visit->caller.name), "%s",
		    name != NULL ? name : "");
	}
	cJSON_Delete(row);
	cJSON_Delete(account);
	return outcome;
}

static void
identify_bearer(struct visit *visit, const char *token, caller_identified *then)
{
	struct store_view *view;
	struct reason why;
	enum outcome outcome;
	char *copy = x_strdup(token), *parts[4];

	if (token_split(copy, parts) == -1) {
		outcome = refuse_credentials(&why);
	} else if ((view = store_read_begin(visit->mailboxd->store)) == NULL) {
		outcome = reason_set(&why, OUTCOME_TEMPFAIL, "unavailable",
		    "the store");
	} else {
		outcome = check_session(visit, view, parts, &why);
		store_read_end(&view);
	}
	sodium_memzero(copy, strlen(token));
	free(copy);
	then(visit, outcome, &why);
}

/* ---- name and password --------------------------------------------------- */

static void
on_password(void *arg, const cJSON *answer)
{
	struct caller_inquiry *inquiry = arg;
	struct caller *caller = &inquiry->visit->caller;
	struct reason why;
	enum outcome outcome = OUTCOME_OK;

	if (answer == NULL)
		outcome = reason_set(&why, OUTCOME_TEMPFAIL, "unavailable",
		    "the password could not be checked");
	else if (!password_worker_good(answer) || inquiry->account[0] == '\0')
		outcome = refuse_credentials(&why);
	else {
		caller->kind = CALLER_OWNER;
		strcpy(caller->account, inquiry->account);
	}
	caller_inquiry_end(inquiry, outcome, &why);
}

/* The account's id and password hash (caller's), NULL if there is none. */
static char *
find_password(struct store_view *view, const char *name,
    char account_r[STORE_ID_SIZE])
{
	char address[MAIL_ADDRESS_SIZE], *hash = NULL;
	cJSON *row = NULL, *credential = NULL;
	const char *account, *text;
	struct store_key key;

	account_r[0] = '\0';
	if (mail_address_normalise(name, address) == -1)
		return NULL;
	if (store_get_json(view, store_key_address(&key, address), &row) == 1 &&
	    (account = json_string(row, "account")) != NULL &&
	    store_id_valid(account) &&
	    store_get_json(view,
		store_key_credential(&key, account, "password"),
		&credential) == 1 &&
	    (text = json_string(credential, "hash")) != NULL) {
		strcpy(account_r, account);
		hash = x_strdup(text);
	}
	cJSON_Delete(row);
	cJSON_Delete(credential);
	return hash;
}

static void
identify_basic(struct visit *visit, const char *encoded,
    caller_identified *then)
{
	char *pair = NULL, *password, *hash = NULL;
	struct caller_inquiry *inquiry;
	struct store_view *view;
	struct reason why;
	size_t len = 0;

	pair = base64_parse(encoded, strlen(encoded), &len);
	pair = x_realloc(pair, len + 1);
	pair[len] = '\0';
	password = memchr(pair, ':', len);
	if (password == NULL || strlen(pair) != len) {
		refuse_credentials(&why);
		then(visit, OUTCOME_PERMFAIL, &why);
		goto out;
	}
	*password++ = '\0';
	snprintf(visit->caller.name, sizeof(visit->caller.name), "%s", pair);
	view = store_read_begin(visit->mailboxd->store);
	if (view == NULL) {
		reason_set(&why, OUTCOME_TEMPFAIL, "unavailable", "the store");
		then(visit, OUTCOME_TEMPFAIL, &why);
		goto out;
	}
	inquiry = caller_inquiry_new(visit, then);
	hash = find_password(view, pair, inquiry->account);
	store_read_end(&view);
	if (password_worker_check(visit->mailboxd->passwords, password, hash,
		on_password, inquiry) == -1) {
		reason_set(&why, OUTCOME_TEMPFAIL, "busy",
		    "too many are waiting");
		caller_inquiry_end(inquiry, OUTCOME_TEMPFAIL, &why);
	}
out:
	sodium_memzero(pair, len);
	free(pair);
	free(hash);
}

/* ---- all ----------------------------------------------------------------- */

/* What follows the scheme, NULL if it is another. RFC 9110, 11.1: schemes
 * are compared without case. */
static const char *
after_scheme(const char *authorization, const char *scheme)
{
	size_t len = strlen(scheme);

	if (strncasecmp(authorization, scheme, len) != 0 ||
	    authorization[len] != ' ')
		return NULL;
	return authorization + len + strspn(authorization + len, " ");
}

#define ACCEPT_GRIP \
	(CALLER_ACCEPT_NOTIFY | CALLER_ACCEPT_GET | CALLER_ACCEPT_PUT | \
	    CALLER_ACCEPT_RELEASE)

void
caller_identify(struct visit *visit, unsigned accept, caller_identified *then)
{
	const char *field, *rest;
	struct reason why;

	if (http_exchange_door(visit->x) == DOOR_PULL &&
	    (accept & CALLER_ACCEPT_WORKER)) {
		visit->caller.kind = CALLER_WORKER;
		strcpy(visit->caller.name, "retrievald");
		then(visit, OUTCOME_OK, NULL);
		return;
	}
	if (accept & CALLER_ACCEPT_NOBODY) {
		then(visit, OUTCOME_OK, NULL);
		return;
	}
	field = http_request_get(visit->request, "authorization");
	if (field == NULL)
		field = "";
	if ((accept & ACCEPT_GRIP) &&
	    (rest = after_scheme(field, "GRIP")) != NULL)
		caller_identify_grip(visit, accept, rest, then);
	else if ((accept & CALLER_ACCEPT_BEARER) &&
	    (rest = after_scheme(field, "Bearer")) != NULL)
		identify_bearer(visit, rest, then);
	else if ((accept & CALLER_ACCEPT_BASIC) &&
	    (rest = after_scheme(field, "Basic")) != NULL)
		identify_basic(visit, rest, then);
	else {
		reason_set(&why, OUTCOME_PERMFAIL, "credentials",
		    "no Authorization that this path takes");
		then(visit, OUTCOME_PERMFAIL, &why);
	}
}

const char *
caller_claim(const struct caller *caller, const char *name)
{
	const char *text = json_string(caller->claims, name);

	return text != NULL ? text : "";
}

const char *
caller_inner(const struct caller *caller, const char *name)
{
	const char *text = json_string(caller->inner, name);

	return text != NULL ? text : "";
}

void
caller_clear(struct caller *caller)
{
	caller_claims_release(caller->verified);
	memset(caller, 0, sizeof(*caller));
}
