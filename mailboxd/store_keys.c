/* SPDX-License-Identifier: ISC
 *
 * The key layout: see store_keys.h. Parts may come from strangers (addresses,
 * origins): whatever they hold, they stay one part, and a key that would be
 * too long becomes "", which the store refuses to write and never finds.
 */
#include "store_keys.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

void
store_id_new(char id_r[STORE_ID_SIZE])
{
	uint8_t random[STORE_ID_LEN / 2];

	randombytes_buf(random, sizeof(random));
	hex_format(random, sizeof(random), id_r);
}

int
store_id_valid(const char *id)
{
	return strlen(id) == STORE_ID_LEN &&
	    strspn(id, "0123456789abcdef") == STORE_ID_LEN;
}

unsigned
store_shard(const char *hex)
{
	char digits[3] = { 0 };

	memcpy(digits, hex, strnlen(hex, 2));
	return (unsigned)strtoul(digits, NULL, 16) % STORE_SHARDS;
}

static bool
part_plain(unsigned char c)
{
	return c > ' ' && c < 0x7f && c != '/' && c != '%';
}

/* Appends one part, encoded; -1 if it is empty or does not fit. */
static int
key_part(struct store_key *key, size_t *len, const char *part)
{
	static const char digits[] = "0123456789ABCDEF";
	const unsigned char *at = (const unsigned char *)part;

	if (*at == '\0')
		return -1;
	for (; *at != '\0'; at++) {
		if (*len + 4 > STORE_KEY_MAX)
			return -1;
		if (part_plain(*at)) {
			key->text[(*len)++] = (char)*at;
			continue;
		}
		key->text[(*len)++] = '%';
		key->text[(*len)++] = digits[*at >> 4];
		key->text[(*len)++] = digits[*at & 15];
	}
	return 0;
}

#define KEY_PARTS 6

/* Joins the parts up to the first NULL with '/'; `all` ends it with one. */
static const char *
key_join(struct store_key *key, bool all, const char *const parts[KEY_PARTS])
{
	size_t len = 0;
	int i;

	for (i = 0; i < KEY_PARTS && parts[i] != NULL; i++) {
		if (i > 0)
			key->text[len++] = '/';
		if (key_part(key, &len, parts[i]) == -1) {
			key->text[0] = '\0';
			return key->text;
		}
	}
	if (all)
		key->text[len++] = '/';
	key->text[len] = '\0';
	return key->text;
}

#define KEY(key, all, ...) \
	key_join(key, all, (const char *const[KEY_PARTS]){ __VA_ARGS__ })

struct key_number {
	char text[17];
};

/* Negative numbers have no place in the order. */
static struct key_number
number(int64_t value)
{
	struct key_number number;

	snprintf(number.text, sizeof(number.text), "%016" PRIx64,
	    value < 0 ? 0 : (uint64_t)value);
	return number;
}

static struct key_number
shard_name(unsigned shard)
{
	struct key_number name;

	snprintf(name.text, sizeof(name.text), "%02x", shard % STORE_SHARDS);
	return name;
}

const char *
store_key_account(struct store_key *key_r, const char *account)
{
	return KEY(key_r, account == NULL, "account", account);
}

const char *
store_key_credential(struct store_key *key_r, const char *account,
    const char *name)
{
	return KEY(key_r, name == NULL, "account", account, "credential", name);
}

const char *
store_key_account_address(struct store_key *key_r, const char *account,
    const char *address)
{
	return KEY(key_r, address == NULL, "account", account, "address",
	    address);
}

const char *
store_key_resource(struct store_key *key_r, const char *account,
    const char *hash)
{
	return KEY(key_r, hash == NULL, "account", account, "resource", hash);
}

const char *
store_key_message(struct store_key *key_r, const char *account,
    const char *message)
{
	return KEY(key_r, message == NULL, "account", account, "message",
	    message);
}

const char *
store_key_timeline(struct store_key *key_r, const char *account, int64_t when,
    const char *message)
{
	return KEY(key_r, message == NULL, "account", account, "timeline",
	    number(when).text, message);
}

const char *
store_key_timeline_all(struct store_key *key_r, const char *account)
{
	return KEY(key_r, true, "account", account, "timeline");
}

const char *
store_key_use(struct store_key *key_r, const char *account, const char *hash,
    const char *id)
{
	return KEY(key_r, hash == NULL || id == NULL, "account", account, "use",
	    hash, id);
}

const char *
store_key_notice(struct store_key *key_r, const char *account, const char *hash)
{
	return KEY(key_r, hash == NULL, "account", account, "notice", hash);
}

const char *
store_key_share(struct store_key *key_r, const char *account, const char *share)
{
	return KEY(key_r, share == NULL, "account", account, "share", share);
}

const char *
store_key_share_to(struct store_key *key_r, const char *account,
    const char *share, const char *address_hash)
{
	return KEY(key_r, address_hash == NULL, "account", account, "share",
	    share, "to", address_hash);
}

const char *
store_key_failure(struct store_key *key_r, const char *account,
    const char *message, const char *hash)
{
	return KEY(key_r, message == NULL || hash == NULL, "account", account,
	    "failure", message, hash);
}

const char *
store_key_record(struct store_key *key_r, const char *account, int64_t n)
{
	return KEY(key_r, false, "account", account, "record", number(n).text);
}

const char *
store_key_record_all(struct store_key *key_r, const char *account)
{
	return KEY(key_r, true, "account", account, "record");
}

const char *
store_key_detail(struct store_key *key_r, const char *account, int64_t n)
{
	return KEY(key_r, false, "account", account, "detail", number(n).text);
}

const char *
store_key_address(struct store_key *key_r, const char *address)
{
	return KEY(key_r, address == NULL, "address", address);
}

const char *
store_key_blob(struct store_key *key_r, const char *hash)
{
	return KEY(key_r, hash == NULL, "blob", hash);
}

const char *
store_key_holder(struct store_key *key_r, const char *hash, const char *account)
{
	return KEY(key_r, account == NULL, "blob", hash, "holder", account);
}

const char *
store_key_source(struct store_key *key_r, const char *hash, const char *origin,
    const char *share)
{
	return KEY(key_r, origin == NULL || share == NULL, "blob", hash,
	    "source", origin, share);
}

/* The locator's own '/' stays one: it is the tail of the key. */
const char *
store_key_garbage(struct store_key *key_r, unsigned shard, int64_t due,
    const char *locator)
{
	snprintf(key_r->text, sizeof(key_r->text), "garbage/%s/%s/%s",
	    shard_name(shard).text, number(due).text, locator);
	return key_r->text;
}

const char *
store_key_garbage_all(struct store_key *key_r, unsigned shard)
{
	return KEY(key_r, true, "garbage", shard_name(shard).text);
}

const char *
store_key_origin(struct store_key *key_r, const char *host)
{
	return KEY(key_r, host == NULL, "origin", host);
}

const char *
store_key_created(struct store_key *key_r, const char *domain)
{
	return KEY(key_r, domain == NULL, "created", domain);
}

const char *
store_key_page(struct store_key *key_r, const char *hash)
{
	return KEY(key_r, hash == NULL, "page", "key", hash);
}

const char *
store_key_page_due(struct store_key *key_r, int64_t when, const char *hash)
{
	return KEY(key_r, false, "due", number(when).text, "page", hash);
}

const char *
store_key_share_due(struct store_key *key_r, int64_t when, const char *account,
    const char *share)
{
	return KEY(key_r, false, "due", number(when).text, "share", account,
	    share);
}

const char *
store_key_use_due(struct store_key *key_r, int64_t when, const char *account,
    const char *hash, const char *share)
{
	return KEY(key_r, false, "due", number(when).text, "use", account, hash,
	    share);
}

const char *
store_key_times_all(struct store_key *key_r)
{
	return KEY(key_r, true, "due");
}

const char *
store_key_pull(struct store_key *key_r, const char *message)
{
	return KEY(key_r, false, "queue", shard_name(store_shard(message)).text,
	    "pull", message);
}

const char *
store_key_pull_all(struct store_key *key_r, unsigned shard)
{
	return KEY(key_r, true, "queue", shard_name(shard).text, "pull");
}

const char *
store_key_due(struct store_key *key_r, int64_t when, const char *message)
{
	return KEY(key_r, false, "queue", shard_name(store_shard(message)).text,
	    "due", number(when).text, message);
}

const char *
store_key_due_all(struct store_key *key_r, unsigned shard)
{
	return KEY(key_r, true, "queue", shard_name(shard).text, "due");
}

const char *
store_key_version(struct store_key *key_r)
{
	return KEY(key_r, false, "store", "version");
}

const char *
store_key_upload(struct store_key *key_r, const char *id)
{
	return KEY(key_r, id == NULL, "upload", id);
}

/* ---- taking keys apart ---- */

const char *
store_key_last(const char *key)
{
	const char *slash = strrchr(key, '/');

	return slash != NULL ? slash + 1 : key;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int
store_key_part(const char *key, unsigned index, char *part_r, size_t size)
{
	size_t len = 0;

	for (; index > 0; index--) {
		key = strchr(key, '/');
		if (key == NULL)
			return -1;
		key++;
	}
	for (; *key != '\0' && *key != '/'; key++) {
		if (len + 1 >= size)
			return -1;
		if (*key != '%') {
			part_r[len++] = *key;
			continue;
		}
		if (hex_digit(key[1]) == -1 || hex_digit(key[2]) == -1)
			return -1;
		part_r[len++] =
		    (char)(hex_digit(key[1]) << 4 | hex_digit(key[2]));
		key += 2;
	}
	part_r[len] = '\0';
	return (int)len;
}

int
store_key_number(const char *key, unsigned index, int64_t *number_r)
{
	char part[17], *end;
	unsigned long long value;

	if (store_key_part(key, index, part, sizeof(part)) != 16 ||
	    strspn(part, "0123456789abcdef") != 16)
		return -1;
	value = strtoull(part, &end, 16);
	if (value > INT64_MAX)
		return -1;
	*number_r = (int64_t)value;
	return 0;
}
