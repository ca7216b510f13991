/* SPDX-License-Identifier: ISC
 *
 * The chain of records and the account row.
 */
#include "record.h"

#include "json_strict.h"
#include "store_fixture.h"
#include "test.h"

#define ACCOUNT "0123456789abcdef0123456789abcdef"

static enum outcome
make_account(struct store_txn *txn, void *arg)
{
	struct store_account account;
	enum outcome outcome;

	store_account_init(&account, ACCOUNT, 1000);
	json_add_string(account.object, "release", "broker");
	outcome = store_account_put(txn, &account);
	store_account_clear(&account);
	(void)arg;
	return outcome;
}

static enum outcome
append(struct store_txn *txn, void *arg)
{
	struct store_account account;
	cJSON *leaf = cJSON_CreateObject(), *detail = NULL;
	enum outcome outcome;

	if (store_account_get(store_txn_view(txn), ACCOUNT, &account) != 1)
		return OUTCOME_TEMPFAIL;
	json_add_string(leaf, "message", arg);
	if (strcmp(arg, "m2") == 0) {
		detail = cJSON_CreateObject();
		json_add_string(detail, "sender", "alice@foo.test");
	}
	outcome = record_append(txn, &account, "stored", 1234, leaf, detail);
	account.used += 7;
	store_account_put(txn, &account);
	store_account_clear(&account);
	return outcome;
}

TEST(the_chain_is_what_the_manual_says)
{
	/* SHA-256 of 32 zero bytes and "{}", by openssl. */
	uint8_t head[SHA256_LEN] = { 0 };
	char hex[SHA256_HEX_SIZE], want[SHA256_HEX_SIZE];
	uint8_t all[34] = { 0 };

	memcpy(all + 32, "{}", 2);
	sha256_hex(all, sizeof(all), want);
	record_chain(head, "{}", 2, head);
	hex_format(head, SHA256_LEN, hex);
	CHECK_STRING(hex, want);
}

TEST(records_and_head_move_together)
{
	static char first[] = "m1", second[] = "m2";
	static const char leaves[2][64] = {
		"{\"time\":1234,\"kind\":\"stored\",\"message\":\"m1\"}",
		"{\"time\":1234,\"kind\":\"stored\",\"message\":\"m2\"}"
	};
	struct store_fixture fixture;
	struct store_account account;
	struct store_view *view;
	struct store_key key;
	struct buffer leaf;
	uint8_t head[SHA256_LEN] = { 0 };
	int i;

	fixture_init(&fixture);
	CHECK(store_run(fixture.store, make_account, NULL, NULL) == OUTCOME_OK);
	CHECK(store_run(fixture.store, append, first, NULL) == OUTCOME_OK);
	CHECK(store_run(fixture.store, append, second, NULL) == OUTCOME_OK);
	view = store_read_begin(fixture.store);
	buffer_init(&leaf, 1000);
	for (i = 0; i < 2; i++) {
		buffer_clear(&leaf);
		CHECK(store_get(view, store_key_record(&key, ACCOUNT, i),
			  &leaf) == 1);
		CHECK_STRING(buffer_string(&leaf), leaves[i]);
		record_chain(head, leaf.data, leaf.len, head);
	}
	CHECK(store_get(view, store_key_detail(&key, ACCOUNT, 0), NULL) == 0);
	CHECK(store_get(view, store_key_detail(&key, ACCOUNT, 1), NULL) == 1);
	CHECK(store_account_get(view, ACCOUNT, &account) == 1);
	CHECK(account.records == 2);
	CHECK(account.used == 14);
	CHECK(memcmp(account.head, head, SHA256_LEN) == 0);
	CHECK_STRING(json_string(account.object, "release"), "broker");
	store_account_clear(&account);
	CHECK(store_account_get(view, "", &account) == 0);
	CHECK(store_account_get(view, "ffffffffffffffffffffffffffffffff",
		  &account) == 0);
	store_read_end(&view);
	buffer_free(&leaf);
	fixture_free(&fixture);
}

int
main(void)
{
	RUN(the_chain_is_what_the_manual_says);
	RUN(records_and_head_move_together);
	return test_done();
}
