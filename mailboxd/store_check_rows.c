/* SPDX-License-Identifier: ISC
 *
 * fsck, the rows: one pass in the order of the keys, within one snapshot;
 * each row is compared with the few others that it speaks of. Rows of one
 * account stand together, so its sums need no table; what is reserved for
 * pulls, which stand elsewhere, is added up by account.
 */
#include "store_check_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json_strict.h"
#include "memory.h"
#include "record.h"

/* Whether a row is there; trouble counts as there. */
static bool
there(struct check *check, const char *key)
{
	return store_get(check->view, key, NULL) != 0;
}

static int64_t
member(const cJSON *row, const char *name)
{
	int64_t value;

	return json_integer(row, name, 0, JSON_MAX_INTEGER, &value) == 0 ? value
									 : -1;
}

/* A row that must be there because of the one at hand. */
static void
need(struct check *check, const char *word, const char *key)
{
	if (!there(check, key))
		store_check_found(check, word, check->key, "no row %s", key);
}

/* ---- accounts ---- */

static void
account_end(struct check *check)
{
	struct store_account *account = &check->account;
	struct store_key key;

	if (account->id[0] == '\0')
		return;
	store_key_account(&key, account->id);
	if (account->used != check->used)
		store_check_found(check, "quota", key.text,
		    "used is %lld, its resources are %lld",
		    (long long)account->used, (long long)check->used);
	if (account->records != check->records)
		store_check_found(check, "record", key.text,
		    "%lld records, not %lld", (long long)check->records,
		    (long long)account->records);
	else if (memcmp(account->head, check->head, SHA256_LEN) != 0)
		store_check_found(
		    check, "record", key.text, "the chain ends elsewhere");
	store_account_clear(account);
	memset(account, 0, sizeof(*account));
}

static void
reserved_add(struct check *check, const struct store_account *account)
{
	struct reserved *entry;

	if (check->reserved_count == check->reserved_size) {
		check->reserved_size = check->reserved_size * 2 + 64;
		check->reserved = x_realloc(check->reserved,
		    check->reserved_size * sizeof(*check->reserved));
	}
	entry = &check->reserved[check->reserved_count++];
	strcpy(entry->account, account->id);
	entry->bytes = account->reserved;
}

static void
check_account(struct check *check)
{
	check->result->accounts++;
	check->used = check->records = 0;
	memset(check->head, 0, sizeof(check->head));
	if (store_account_get(check->view, check->parts[1], &check->account) !=
	    1) {
		store_check_found(check, "row", check->key, "torn");
		memset(&check->account, 0, sizeof(check->account));
		return;
	}
	reserved_add(check, &check->account);
}

static void
check_account_address(struct check *check)
{
	struct store_key key;
	const char *account;
	cJSON *row;

	if (store_get_json(check->view,
		store_key_address(&key, check->parts[3]), &row) != 1) {
		store_check_found(
		    check, "address", check->key, "no row %s", key.text);
		return;
	}
	account = json_string(row, "account");
	if (account == NULL || strcmp(account, check->parts[1]) != 0)
		store_check_found(check, "address", check->key,
		    "%s is of another account", key.text);
	cJSON_Delete(row);
}

static void
check_resource(struct check *check)
{
	int64_t size = member(check->row, "size");
	struct store_blob blob;
	struct store_key key;

	if (size == -1) {
		store_check_found(check, "row", check->key, "no size");
		return;
	}
	check->used += size;
	need(check, "holder",
	    store_key_holder(&key, check->parts[3], check->parts[1]));
	if (store_blob_get(check->view, check->parts[3], &blob) != 1)
		store_check_found(
		    check, "blob-missing", check->key, "no blob row");
	else if (blob.size != size)
		store_check_found(check, "resource-size", check->key,
		    "%lld bytes, the blob has %lld", (long long)size,
		    (long long)blob.size);
}

/* What came in and is no longer pending: each resource of the message was
 * stored (its use row stays, whatever the owner does later) or failed. */
static void
check_outcomes(struct check *check, const cJSON *resources)
{
	const char *account = check->parts[1], *message = check->parts[3];
	const char *direction = json_string(check->row, "direction"), *hash;
	struct store_key key;
	const cJSON *item;

	if (direction == NULL || strcmp(direction, "in") != 0 ||
	    there(check, store_key_pull(&key, message)))
		return;
	cJSON_ArrayForEach(item, resources)
	{
		hash = json_string(item, "hash");
		if (hash == NULL)
			store_check_found(check, "row", check->key,
			    "a resource without hash");
		else if (!there(check,
			     store_key_use(&key, account, hash, message)) &&
		    !there(check,
			store_key_failure(&key, account, message, hash)))
			store_check_found(check, "message", check->key,
			    "%s is neither stored, failed nor pending", hash);
	}
}

static void
check_message(struct check *check)
{
	const cJSON *resources = json_array(check->row, "resources");
	struct store_key key;
	int64_t when = member(check->row, "time");

	if (when == -1 || resources == NULL) {
		store_check_found(check, "row", check->key,
		    "no time or resources");
		return;
	}
	need(check, "message",
	    store_key_timeline(&key, check->parts[1], when,
		check->parts[3]));
	check_outcomes(check, resources);
}

static void
check_timeline(struct check *check)
{
	struct store_key key;
	int64_t when;
	cJSON *row;

	if (store_key_number(check->key, 3, &when) == -1) {
		store_check_found(
		    check, "row", check->key, "no time in the key");
		return;
	}
	if (store_get_json(check->view,
		store_key_message(&key, check->parts[1], check->parts[4]),
		&row) != 1) {
		store_check_found(
		    check, "message", check->key, "no row %s", key.text);
		return;
	}
	if (member(row, "time") != when)
		store_check_found(check, "message", check->key,
		    "%s has another time", key.text);
	cJSON_Delete(row);
}

/* The id is a message's, or a share's that may yet be made. */
static void
check_use(struct check *check)
{
	struct store_key key;

	if (store_id_valid(check->parts[4]))
		need(check, "message",
		    store_key_message(&key, check->parts[1], check->parts[4]));
}

static void
check_notice(struct check *check)
{
	const char *message = json_string(check->row, "message");
	struct store_key key;

	if (message == NULL)
		store_check_found(check, "row", check->key, "no message");
	else
		need(check, "message",
		    store_key_message(&key, check->parts[1], message));
}

static void
check_failure(struct check *check)
{
	struct store_key key;

	need(check, "message",
	    store_key_message(&key, check->parts[1], check->parts[3]));
}

static void
check_record(struct check *check)
{
	int64_t number;

	check->result->records++;
	if (store_key_number(check->key, 3, &number) == -1 ||
	    number != check->records)
		store_check_found(check, "record", check->key,
		    "number %lld is missing", (long long)check->records);
	check->records++;
	record_chain(check->head, check->data, check->len, check->head);
}

static void
check_detail(struct check *check)
{
	struct store_key key;
	int64_t number;

	if (store_key_number(check->key, 3, &number) == -1)
		store_check_found(
		    check, "row", check->key, "no number in the key");
	else
		need(check, "record",
		    store_key_record(&key, check->parts[1], number));
}

/* ---- addresses, blobs, garbage, queue, uploads ---- */

static void
check_address(struct check *check)
{
	const char *account = json_string(check->row, "account");
	struct store_key key;

	if (account == NULL) {
		store_check_found(check, "row", check->key, "no account");
		return;
	}
	need(check, "address", store_key_account(&key, account));
	need(check, "address",
	    store_key_account_address(&key, account, check->parts[1]));
}

/* Reads and hashes; -1 if it cannot be read. */
static int
hash_file(struct check *check, int fd, char hex_r[SHA256_HEX_SIZE])
{
	EVP_MD_CTX *digest = EVP_MD_CTX_new();
	uint8_t hash[EVP_MAX_MD_SIZE];
	const size_t size = 256 << 10;
	char *data = x_malloc(size);
	ssize_t n = -1;

	if (digest != NULL &&
	    EVP_DigestInit_ex2(digest, check->store->sha256, NULL) == 1) {
		while ((n = read(fd, data, size)) > 0 ||
		       (n == -1 && errno == EINTR)) {
			if (n > 0)
				EVP_DigestUpdate(digest, data, (size_t)n);
		}
		EVP_DigestFinal_ex(digest, hash, NULL);
		hex_format(hash, SHA256_LEN, hex_r);
	}
	EVP_MD_CTX_free(digest);
	free(data);
	return n == 0 ? 0 : -1;
}

/* True if a fresh snapshot still names this file for the blob. */
static bool
still_named(struct check *check, const struct store_blob *blob)
{
	struct store_view *view = store_read_begin(check->store);
	struct store_blob now;
	bool named;

	if (view == NULL)
		return true;
	named = store_blob_get(view, blob->hash, &now) == 1 &&
		strcmp(now.locator, blob->locator) == 0;
	store_read_end(&view);
	return named;
}

static void
check_blob_file(struct check *check, const struct store_blob *blob)
{
	char hex[SHA256_HEX_SIZE] = "";
	struct stat st;
	int fd = store_blob_open(check->store, blob->locator);

	int error = errno;

	if (fd == -1) {
		if (still_named(check, blob))
			store_check_found(check, "blob-missing", check->key,
			    "%s: %s", blob->locator, strerror(error));
		return;
	}
	if (fstat(fd, &st) == -1 || st.st_size != blob->size)
		store_check_found(check, "blob-size", check->key,
		    "%lld bytes, not %lld", (long long)st.st_size,
		    (long long)blob->size);
	else if (check->options->deep && hash_file(check, fd, hex) == -1)
		store_check_found(check, "blob-hash", check->key,
		    "%s cannot be read", blob->locator);
	else if (check->options->deep && strcmp(hex, blob->hash) != 0)
		store_check_found(
		    check, "blob-hash", check->key, "the hash is %s", hex);
	close(fd);
}

static enum store_step
any_row(void *arg, const char *key, const void *data, size_t len)
{
	(void)key;
	(void)data;
	(void)len;
	*(bool *)arg = true;
	return STORE_STOP;
}

static void
check_blob(struct check *check)
{
	struct store_blob blob;
	struct store_key key;
	bool any = false;

	if (store_blob_get(check->view, check->parts[1], &blob) != 1) {
		store_check_found(check, "row", check->key, "torn");
		return;
	}
	check->result->blobs++;
	check->result->bytes += blob.size;
	store_scan(check->view, store_key_holder(&key, blob.hash, NULL), NULL,
	    any_row, &any);
	if (!any)
		store_check_found(
		    check, "holder", check->key, "nobody holds it");
	check_blob_file(check, &blob);
}

static void
check_holder(struct check *check)
{
	struct store_key key;

	need(check, "holder",
	    store_key_resource(&key, check->parts[3], check->parts[1]));
	need(check, "holder", store_key_blob(&key, check->parts[1]));
}

static void
check_garbage(struct check *check)
{
	char hash[SHA256_HEX_SIZE], locator[STORE_LOCATOR_SIZE];
	struct store_blob blob;
	int64_t due;

	snprintf(locator, sizeof(locator), "%.2s/%.90s", check->parts[3],
	    check->parts[4]);
	snprintf(hash, sizeof(hash), "%.64s", check->parts[4]);
	if (store_key_number(check->key, 2, &due) == -1 ||
	    !hex_is_sha256(hash)) {
		store_check_found(
		    check, "row", check->key, "no time or locator");
		return;
	}
	if (store_blob_get(check->view, hash, &blob) == 1 &&
	    strcmp(blob.locator, locator) == 0)
		store_check_found(
		    check, "blob-orphan", check->key, "is in use");
}

/* Entries are in order of the account, as the keys are. */
static int
reserved_compare(const void *a, const void *b)
{
	return strcmp(((const struct reserved *)a)->account,
	    ((const struct reserved *)b)->account);
}

static struct reserved *
reserved_find(struct check *check, const char *account)
{
	struct reserved wanted = { 0 };

	snprintf(wanted.account, sizeof(wanted.account), "%s", account);
	if (check->reserved_count == 0)
		return NULL;
	return bsearch(&wanted, check->reserved, check->reserved_count,
	    sizeof(wanted), reserved_compare);
}

static void
check_shard(struct check *check, const char *message)
{
	char shard[3];

	snprintf(shard, sizeof(shard), "%02x", store_shard(message) & 0xff);
	if (strcmp(shard, check->parts[1]) != 0)
		store_check_found(
		    check, "queue", check->key, "in the wrong shard");
}

static void
check_pull(struct check *check)
{
	const char *account = json_string(check->row, "account");
	int64_t due = member(check->row, "due");
	int64_t bytes = member(check->row, "reserved");
	struct reserved *reserved;
	struct store_key key;

	check_shard(check, check->parts[3]);
	if (account == NULL || due == -1 || bytes == -1) {
		store_check_found(
		    check, "row", check->key, "no account, due or reserved");
		return;
	}
	need(check, "queue", store_key_due(&key, due, check->parts[3]));
	need(check, "queue", store_key_message(&key, account, check->parts[3]));
	reserved = reserved_find(check, account);
	if (reserved != NULL)
		reserved->bytes -= bytes;
}

static void
check_due(struct check *check)
{
	struct store_key key;
	int64_t when;
	cJSON *row;

	check_shard(check, check->parts[4]);
	if (store_key_number(check->key, 3, &when) == -1) {
		store_check_found(
		    check, "row", check->key, "no time in the key");
		return;
	}
	if (store_get_json(check->view, store_key_pull(&key, check->parts[4]),
		&row) != 1) {
		store_check_found(
		    check, "queue", check->key, "no row %s", key.text);
		return;
	}
	if (member(row, "due") != when)
		store_check_found(check, "queue", check->key,
		    "the pull is due at %lld", (long long)member(row, "due"));
	cJSON_Delete(row);
}

static void
check_upload(struct check *check)
{
	if (!store_id_valid(check->parts[1]) ||
	    json_string(check->row, "account") == NULL ||
	    json_string(check->row, "hash") == NULL ||
	    member(check->row, "size") == -1 ||
	    member(check->row, "expires") == -1 ||
	    member(check->row, "offset") == -1)
		store_check_found(check, "row", check->key, "torn");
}

/* ---- the pass over the rows ---- */

/* Every kind of row: fixed parts, "*" for the others. */
static const struct row_kind {
	const char *parts[CHECK_PARTS];
	void (*check)(struct check *check);
} row_kinds[] = {
	{ { "account", "*" }, check_account },
	{ { "account", "*", "credential", "*" }, NULL },
	{ { "account", "*", "address", "*" }, check_account_address },
	{ { "account", "*", "resource", "*" }, check_resource },
	{ { "account", "*", "message", "*" }, check_message },
	{ { "account", "*", "timeline", "*", "*" }, check_timeline },
	{ { "account", "*", "use", "*", "*" }, check_use },
	{ { "account", "*", "notice", "*" }, check_notice },
	{ { "account", "*", "share", "*" }, NULL },
	{ { "account", "*", "share", "*", "to", "*" }, NULL },
	{ { "account", "*", "failure", "*", "*" }, check_failure },
	{ { "account", "*", "record", "*" }, check_record },
	{ { "account", "*", "detail", "*" }, check_detail },
	{ { "address", "*" }, check_address },
	{ { "blob", "*" }, check_blob },
	{ { "blob", "*", "holder", "*" }, check_holder },
	{ { "blob", "*", "source", "*", "*" }, NULL },
	{ { "garbage", "*", "*", "*", "*" }, check_garbage },
	{ { "origin", "*" }, NULL },
	{ { "queue", "*", "pull", "*" }, check_pull },
	{ { "queue", "*", "due", "*", "*" }, check_due },
	{ { "store", "version" }, NULL },
	{ { "upload", "*" }, check_upload },
};

static bool
kind_fits(const struct row_kind *kind, const struct check *check)
{
	unsigned i;

	for (i = 0; i < check->count; i++) {
		if (kind->parts[i] == NULL ||
		    (strcmp(kind->parts[i], "*") != 0 &&
			strcmp(kind->parts[i], check->parts[i]) != 0))
			return false;
	}
	return i < CHECK_PARTS && kind->parts[i] == NULL;
}

static void
row_split(struct check *check, const char *key)
{
	check->key = key;
	check->count = 0;
	while (check->count < CHECK_PARTS &&
	       store_key_part(key, check->count, check->parts[check->count],
		   sizeof(check->parts[0])) > 0)
		check->count++;
}

/* A row of an account must stand below that account's own row. */
static void
row_owner(struct check *check)
{
	if (strcmp(check->parts[0], "account") != 0 || check->count == 2) {
		account_end(check);
		return;
	}
	if (strcmp(check->account.id, check->parts[1]) != 0)
		store_check_found(check, "row", check->key, "no account row");
}

static enum metadata_step
check_row(void *arg, const char *key, const struct metadata_value *value)
{
	struct check *check = arg;
	const struct row_kind *kind = row_kinds, *end;

	check->result->rows++;
	check->data = value->data;
	check->len = value->len;
	row_split(check, key);
	end = kind + sizeof(row_kinds) / sizeof(row_kinds[0]);
	while (kind < end && !kind_fits(kind, check))
		kind++;
	if (kind == end) {
		store_check_found(check, "row", key, "unknown");
		return METADATA_NEXT;
	}
	row_owner(check);
	check->row = json_parse(value->data, value->len, NULL);
	if (!cJSON_IsObject(check->row))
		store_check_found(check, "row", key, "torn");
	else if (kind->check != NULL)
		kind->check(check);
	cJSON_Delete(check->row);
	check->row = NULL;
	return METADATA_NEXT;
}

static void
check_reserved(struct check *check)
{
	struct store_key key;
	size_t i;

	for (i = 0; i < check->reserved_count; i++) {
		if (check->reserved[i].bytes != 0)
			store_check_found(check, "quota",
			    store_key_account(&key, check->reserved[i].account),
			    "reserved is %lld more than its pulls need",
			    (long long)check->reserved[i].bytes);
	}
}

int
store_check_rows(struct check *check, struct reason *why)
{
	if (check->store->metadata->ops->scan(check->view->txn, "", NULL,
		check_row, check, why) != OUTCOME_OK)
		return -1;
	account_end(check);
	check_reserved(check);
	return 0;
}
