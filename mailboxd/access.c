/* SPDX-License-Identifier: ISC
 *
 * The only place that says yes. See access.h.
 */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "access.h"
#include "encoding.h"
#include "grip_name.h"
#include "json_strict.h"
#include "mail_address.h"
#include "row_cache.h"
#include "store_account.h"

/* Looked up in place of an account that does not exist, so that the same
 * rows are asked for. No account has it: ids are random. */
#define NO_ACCOUNT "00000000000000000000000000000000"
#define NO_HASH \
	"0000000000000000000000000000000000000000000000000000000000000000"

static enum outcome
trouble(struct reason *why)
{
	return reason_set(why, OUTCOME_TEMPFAIL, "unavailable",
	    "the store cannot be read");
}

int
access_address_hash(const char *address, char hash_r[SHA256_HEX_SIZE])
{
	uint8_t hash[crypto_hash_sha256_BYTES];
	char normal[MAIL_ADDRESS_SIZE];

	if (mail_address_normalise(address, normal) == -1)
		return -1;
	/* For so few bytes quicker than fetching OpenSSL's. */
	crypto_hash_sha256(hash, (const unsigned char *)normal, strlen(normal));
	hex_format(hash, sizeof(hash), hash_r);
	return 0;
}

int
access_find_account(struct store_view *view, const char *address,
    char account_r[STORE_ID_SIZE])
{
	char normal[MAIL_ADDRESS_SIZE];
	struct store_key key;
	const char *id;
	cJSON *row = NULL;
	int found;

	strcpy(account_r, NO_ACCOUNT);
	if (mail_address_normalise(address, normal) == -1)
		return 0;
	found = store_get_json(view, store_key_address(&key, normal), &row);
	if (found != 1)
		return found;
	id = json_string(row, "account");
	if (id != NULL && store_id_valid(id))
		strcpy(account_r, id);
	else
		found = -1;
	cJSON_Delete(row);
	return found;
}

int
access_account_active(struct store_view *view, const char *id)
{
	struct store_account account;
	int found = store_account_get(view, id, &account);

	if (found != 1)
		return found;
	found = strcmp(account.state, "active") == 0;
	store_account_clear(&account);
	return found;
}

enum outcome
access_account(struct store_view *view, const char *address,
    char account_r[STORE_ID_SIZE], struct reason *why)
{
	int found = access_find_account(view, address, account_r);

	int active = access_account_active(view, account_r);

	if (found == -1 || active == -1)
		return trouble(why);
	if (found == 0 || active == 0)
		return reason_set(why, OUTCOME_PERMFAIL, "no-account",
		    "no account has the address %s", address);
	return OUTCOME_OK;
}

/* Is an account made for this broker if the address has none? */
static bool
is_made(struct store_view *view, const struct mailboxd_config *config,
    const struct access_asked *asked)
{
	char normal[MAIL_ADDRESS_SIZE], account[STORE_ID_SIZE];
	const char *domain, *own;

	if (mail_address_normalise(asked->address, normal) == -1 ||
	    strchr(normal, '+') != NULL)
		return false;
	domain = mail_address_domain(normal);
	own = grip_name_is_service(asked->broker, "_cb") ?
	    grip_name_domain(asked->broker) :
	    NULL;
	return own != NULL && strcmp(own, domain) == 0 &&
	    config_list_has(&config->create_accounts, domain) &&
	    access_find_account(view, normal, account) == 0;
}

enum outcome
access_account_or_new(struct store_view *view,
    const struct mailboxd_config *config, const struct access_asked *asked,
    char account_r[STORE_ID_SIZE], struct reason *why)
{
	enum outcome outcome;

	outcome = access_account(view, asked->address, account_r, why);
	if (outcome != OUTCOME_PERMFAIL || !is_made(view, config, asked))
		return outcome;
	account_r[0] = '\0';
	return OUTCOME_OK;
}

enum outcome
access_own(struct store_view *view, const char *account, const char *hash,
    struct store_blob *blob_r, struct reason *why)
{
	struct store_key key;
	int held, stored;

	held = store_get(view, store_key_resource(&key, account, hash), NULL);
	stored = store_blob_get(view, hash, blob_r);
	if (held == -1 || stored == -1)
		return trouble(why);
	if (held == 0 || stored == 0)
		return reason_set(why, OUTCOME_PERMFAIL, "not-found",
		    "this account has no such resource");
	return OUTCOME_OK;
}

/* ---- shares -------------------------------------------------------------- */

static bool
list_has(const cJSON *list, const char *text)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, list) if (cJSON_IsString(item) &&
	    strcmp(item->valuestring, text) == 0) return true;
	return false;
}

/* Everything that the answer depends on, all of it looked up whatever the
 * first lookups say. */
struct shared {
	int account, active, share, recipient, held, stored;
	const cJSON *row, *to;
};

/* The account of the sender's address, and whether it is active. */
static void
look_up_sender(struct store_view *view, const struct access_claim *claim,
    char account_r[STORE_ID_SIZE], struct shared *found_r)
{
	const char *id, *state;
	char normal[MAIL_ADDRESS_SIZE];
	const cJSON *row = NULL;
	struct store_key key;

	strcpy(account_r, NO_ACCOUNT);
	if (mail_address_normalise(claim->sender, normal) == -1)
		strcpy(normal, "-");
	found_r->account = row_cache_get(claim->rows, view,
	    store_key_address(&key, normal), &row);
	id = json_string(row, "account");
	if (id != NULL && store_id_valid(id))
		strcpy(account_r, id);
	else if (found_r->account == 1)
		found_r->account = -1;
	found_r->active = row_cache_get(claim->rows, view,
	    store_key_account(&key, account_r), &row);
	state = json_string(row, "state");
	if (found_r->active == 1)
		found_r->active = state != NULL && strcmp(state, "active") == 0;
}

static void
look_up(struct store_view *view, const struct access_claim *claim,
    const char *hash, struct shared *found_r, struct store_blob *blob_r)
{
	char account[STORE_ID_SIZE], address[SHA256_HEX_SIZE];
	struct store_key key;

	memset(found_r, 0, sizeof(*found_r));
	if (access_address_hash(claim->recipient, address) == -1)
		strcpy(address, NO_HASH);
	look_up_sender(view, claim, account, found_r);
	found_r->share = row_cache_get(claim->rows, view,
	    store_key_share(&key, account, claim->share), &found_r->row);
	found_r->recipient = row_cache_get(claim->rows, view,
	    store_key_share_to(&key, account, claim->share, address),
	    &found_r->to);
	found_r->held =
	    store_get(view, store_key_resource(&key, account, hash), NULL);
	found_r->stored = store_blob_get(view, hash, blob_r);
}

/* The recipient's row counts only if it was written for this very content:
 * one that a broken attempt with other recipients left behind does not. */
static bool
entitled(const struct shared *found, const char *hash)
{
	const char *content = json_string(found->row, "content");
	const char *written = json_string(found->to, "content");

	return found->account == 1 && found->active == 1 && found->share == 1 &&
	    found->recipient == 1 && content != NULL && written != NULL &&
	    strcmp(content, written) == 0 &&
	    list_has(json_array(found->row, "resources"), hash);
}

static enum outcome
decide(const struct shared *found, const char *hash, int64_t now,
    struct reason *why)
{
	int64_t expires = 0, revoked;

	if (found->account == -1 || found->active == -1 || found->share == -1 ||
	    found->recipient == -1 || found->held == -1 || found->stored == -1)
		return trouble(why);
	if (!entitled(found, hash))
		return reason_set(why, OUTCOME_PERMFAIL, "not-shared",
		    "not here, or not shared with this recipient");
	if (json_integer(found->row, "revoked", 0, JSON_MAX_INTEGER,
		&revoked) == 0)
		return reason_set(why, OUTCOME_PERMFAIL, "revoked",
		    "the sender has withdrawn the share");
	if (json_integer(found->row, "expires", 0, JSON_MAX_INTEGER,
		&expires) == -1 ||
	    now >= expires)
		return reason_set(why, OUTCOME_PERMFAIL, "expired",
		    "the share has expired");
	if (found->held == 0 || found->stored == 0)
		return reason_set(why, OUTCOME_PERMFAIL, "not-shared",
		    "not here, or not shared with this recipient");
	return OUTCOME_OK;
}

enum outcome
access_shared(struct store_view *view, const struct access_claim *claim,
    const char *hash, int64_t now, struct store_blob *blob_r,
    struct reason *why)
{
	struct access_claim own = *claim;
	struct shared found;
	enum outcome outcome;

	if (own.rows == NULL)
		own.rows = row_cache_new();
	look_up(view, &own, hash, &found, blob_r);
	outcome = decide(&found, hash, now, why);
	row_cache_release(own.rows);
	if (claim->rows == NULL)
		row_cache_free(&own.rows);
	return outcome;
}

/* ---- brokers ------------------------------------------------------------- */

enum outcome
access_broker(struct store_view *view, const struct mailboxd_config *config,
    const char *user, const char *broker, char account_r[STORE_ID_SIZE],
    struct reason *why)
{
	char normal[MAIL_ADDRESS_SIZE];
	struct store_key key;
	cJSON *row = NULL;
	int found, active, enrolled = 0;

	found = access_find_account(view, user, account_r);
	active = access_account_active(view, account_r);
	if (found == 1 && mail_address_normalise(user, normal) == 0) {
		enrolled = store_get_json(view,
		    store_key_account_address(&key, account_r, normal), &row);
		if (enrolled == 1)
			enrolled =
			    list_has(json_array(row, "brokers"), broker) ||
			    mailboxd_config_enrolled(config, broker,
				mail_address_domain(normal));
		cJSON_Delete(row);
	}
	if (found == -1 || active == -1 || enrolled == -1)
		return trouble(why);
	if (found == 0 || active == 0 || enrolled == 0)
		return reason_set(why, OUTCOME_PERMFAIL, "not-enrolled",
		    "no account of %s has enrolled %s", user, broker);
	return OUTCOME_OK;
}

enum outcome
access_broker_or_new(struct store_view *view,
    const struct mailboxd_config *config, const struct access_asked *asked,
    char account_r[STORE_ID_SIZE], struct reason *why)
{
	enum outcome outcome;

	outcome = access_broker(view, config, asked->address, asked->broker,
	    account_r, why);
	if (outcome != OUTCOME_PERMFAIL || !is_made(view, config, asked) ||
	    !mailboxd_config_enrolled(config, asked->broker,
		grip_name_domain(asked->broker)))
		return outcome;
	account_r[0] = '\0';
	return OUTCOME_OK;
}

/* 1 if this broker put it for this share, 0, -1. */
static int
put_by(struct store_view *view, const char *account,
    const struct access_put *put, const char *hash)
{
	struct store_key key;
	const char *broker;
	cJSON *row = NULL;
	int found;

	found = store_get_json(view,
	    store_key_use(&key, account, hash, put->share), &row);
	broker = json_string(row, "broker");
	if (found == 1)
		found = broker != NULL && strcmp(broker, put->broker) == 0;
	cJSON_Delete(row);
	return found;
}

int
access_knows(struct store_view *view, const char *account,
    const struct access_put *put, const char *hash)
{
	struct store_blob blob;
	enum outcome outcome;
	struct reason why;
	int by = 1;

	outcome = access_own(view, account, hash, &blob, &why);
	if (put != NULL)
		by = put_by(view, account, put, hash);
	if (outcome == OUTCOME_TEMPFAIL || by == -1)
		return -1;
	return outcome == OUTCOME_OK && by == 1;
}

enum outcome
access_may_share(struct store_view *view, const char *account,
    const struct access_put *put, const char *hash, struct reason *why)
{
	int knows = access_knows(view, account, put, hash);

	if (knows == -1)
		return trouble(why);
	if (knows == 0)
		return reason_set(why, OUTCOME_PERMFAIL, "not-found",
		    "resource %.12s... was not put by who shares it", hash);
	return OUTCOME_OK;
}

/* ---- bytes that are here already ----------------------------------------- */

struct use_search {
	const char *origin;
	bool found;
};

static enum store_step
look_at_use(void *arg, const char *key, const void *data, size_t len)
{
	struct use_search *search = arg;
	cJSON *row = store_row_json(key, data, len);
	const char *origin = json_string(row, "origin");

	search->found = origin != NULL && strcmp(origin, search->origin) == 0;
	cJSON_Delete(row);
	return search->found ? STORE_STOP : STORE_NEXT;
}

int
access_came_before(struct store_view *view, const struct access_source *source,
    const char *hash, int64_t size)
{
	struct use_search search = { source->origin, false };
	struct store_blob blob;
	struct store_key key;
	int found;

	found = store_blob_get(view, hash, &blob);
	if (found != 1)
		return found;
	if (blob.size != size)
		return 0;
	found = store_get(view,
	    store_key_source(&key, hash, source->origin, source->share), NULL);
	if (found != 0)
		return found;
	found = store_get(view, store_key_resource(&key, source->account, hash),
	    NULL);
	if (found != 1)
		return found;
	if (store_scan(view, store_key_use(&key, source->account, hash, NULL),
		NULL, look_at_use, &search) == -1)
		return -1;
	return search.found;
}
