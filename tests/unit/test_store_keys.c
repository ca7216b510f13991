/* SPDX-License-Identifier: ISC
 *
 * The key layout: every key as design and manual write it, hostile parts.
 */
#include "store_keys.h"

#include "test.h"

#define ACCOUNT "0123456789abcdef0123456789abcdef"
#define HASH "aa77668a00000000000000000000000000000000000000000000000032b2f91f"

TEST(every_key)
{
	struct store_key key;
	const char *const account = ACCOUNT;

	CHECK_STRING(store_key_account(&key, account), "account/" ACCOUNT);
	CHECK_STRING(store_key_account(&key, NULL), "account/");
	CHECK_STRING(store_key_credential(&key, account, "p"),
	    "account/" ACCOUNT "/credential/p");
	CHECK_STRING(store_key_account_address(&key, account, "b@bar.test"),
	    "account/" ACCOUNT "/address/b@bar.test");
	CHECK_STRING(store_key_resource(&key, account, HASH),
	    "account/" ACCOUNT "/resource/" HASH);
	CHECK_STRING(store_key_message(&key, account, NULL),
	    "account/" ACCOUNT "/message/");
	CHECK_STRING(store_key_timeline(&key, account, 255, "m"),
	    "account/" ACCOUNT "/timeline/00000000000000ff/m");
	CHECK_STRING(store_key_timeline_all(&key, account),
	    "account/" ACCOUNT "/timeline/");
	CHECK_STRING(store_key_use(&key, account, HASH, NULL),
	    "account/" ACCOUNT "/use/" HASH "/");
	CHECK_STRING(store_key_notice(&key, account, HASH),
	    "account/" ACCOUNT "/notice/" HASH);
	CHECK_STRING(store_key_share(&key, account, "s"),
	    "account/" ACCOUNT "/share/s");
	CHECK_STRING(store_key_share_to(&key, account, "s", HASH),
	    "account/" ACCOUNT "/share/s/to/" HASH);
	CHECK_STRING(store_key_failure(&key, account, "m", HASH),
	    "account/" ACCOUNT "/failure/m/" HASH);
	CHECK_STRING(store_key_record(&key, account, 0),
	    "account/" ACCOUNT "/record/0000000000000000");
	CHECK_STRING(store_key_detail(&key, account, 16),
	    "account/" ACCOUNT "/detail/0000000000000010");
	CHECK_STRING(store_key_address(&key, "b@bar.test"),
	    "address/b@bar.test");
	CHECK_STRING(store_key_blob(&key, HASH), "blob/" HASH);
	CHECK_STRING(store_key_holder(&key, HASH, account),
	    "blob/" HASH "/holder/" ACCOUNT);
	CHECK_STRING(store_key_source(&key, HASH, "https://o.test", "s"),
	    "blob/" HASH "/source/https:%2F%2Fo.test/s");
	CHECK_STRING(store_key_garbage(&key, 1, 2, "ab/c.d"),
	    "garbage/01/0000000000000002/ab/c.d");
	CHECK_STRING(store_key_garbage_all(&key, 63), "garbage/3f/");
	CHECK_STRING(store_key_origin(&key, "o.test"), "origin/o.test");
	CHECK_STRING(store_key_pull(&key, "ffee"), "queue/3f/pull/ffee");
	CHECK_STRING(store_key_due(&key, 1, "41aa"),
	    "queue/01/due/0000000000000001/41aa");
	CHECK_STRING(store_key_due_all(&key, 1), "queue/01/due/");
	CHECK_STRING(store_key_version(&key), "store/version");
	CHECK_STRING(store_key_upload(&key, "1f"), "upload/1f");
}

TEST(hostile_parts_stay_one_part)
{
	static const char *const parts[] = { "a/b@foo.test", "%2F", "a b",
		"\x01", "\xc3\xa9@foo.test", "../../x", "/", "%" };
	struct store_key key;
	char part[512];
	size_t i;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		store_key_address(&key, parts[i]);
		CHECK_FOR(strchr(key.text + 8, '/') == NULL, "%zu", i);
		CHECK(store_key_part(key.text, 1, part, sizeof(part)) ==
		    (int)strlen(parts[i]));
		CHECK_STRING(part, parts[i]);
	}
}

TEST(too_long_or_empty_is_no_key)
{
	char text[600];
	struct store_key key;
	size_t len;

	for (len = 480; len < 599; len++) {
		memset(text, 'a', len);
		text[len] = '\0';
		store_key_address(&key, text);
		CHECK_FOR(strlen(key.text) <= STORE_KEY_MAX, "%zu", len);
		CHECK_FOR(key.text[0] == '\0' || strlen(key.text) == len + 8,
		    "%zu", len);
		store_key_source(&key, text, NULL, NULL);
		CHECK_FOR(strlen(key.text) <= STORE_KEY_MAX, "%zu", len);
	}
	CHECK_STRING(store_key_address(&key, text), "");
	CHECK_STRING(store_key_address(&key, ""), "");
	CHECK_STRING(store_key_share_to(&key, "", "s", "h"), "");
}

TEST(numbers_and_shards)
{
	struct store_key key;
	int64_t number;
	char id[STORE_ID_SIZE];

	store_key_due(&key, 1234567890, "41aa");
	CHECK(store_key_number(key.text, 3, &number) == 0);
	CHECK(number == 1234567890);
	CHECK_STRING(store_key_last(key.text), "41aa");
	CHECK(store_key_number(key.text, 4, &number) == -1);
	CHECK(store_key_number("a/ffffffffffffffff", 1, &number) == -1);
	CHECK(store_key_number("a/00000000000000FF", 1, &number) == -1);
	CHECK(store_shard("3f") == 63);
	CHECK(store_shard("40") == 0);
	CHECK(store_shard("") == 0);
	store_id_new(id);
	CHECK(store_id_valid(id));
	CHECK(!store_id_valid("0123"));
	CHECK(!store_id_valid("0123456789ABCDEF0123456789abcdef"));
}

int
main(void)
{
	RUN(every_key);
	RUN(hostile_parts_stay_one_part);
	RUN(too_long_or_empty_is_no_key);
	RUN(numbers_and_shards);
	return test_done();
}
