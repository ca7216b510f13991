/* SPDX-License-Identifier: ISC
 *
 * fsck, the rows of the queue: pulls, when they are due, and what is
 * reserved for them, added up by account.
 */
#include "store_check_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_strict.h"
#include "memory.h"

void
store_check_reserve(struct check *check, const struct store_account *account)
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
		store_check_found(check, "queue", check->key,
		    "in the wrong shard");
}

void
store_check_pull(struct check *check)
{
	const char *account = json_string(check->row, "account");
	int64_t due = store_check_member(check->row, "due");
	int64_t bytes = store_check_member(check->row, "reserved");
	struct reserved *reserved;
	struct store_key key;

	check_shard(check, check->parts[3]);
	if (account == NULL || due == -1 || bytes == -1) {
		store_check_found(check, "row", check->key,
		    "no account, due or reserved");
		return;
	}
	store_check_need(check, "queue",
	    store_key_due(&key, due, check->parts[3]));
	store_check_need(check, "queue",
	    store_key_message(&key, account, check->parts[3]));
	reserved = reserved_find(check, account);
	if (reserved != NULL)
		reserved->bytes -= bytes;
}

void
store_check_due(struct check *check)
{
	struct store_key key;
	int64_t when;
	cJSON *row;

	check_shard(check, check->parts[4]);
	if (store_key_number(check->key, 3, &when) == -1) {
		store_check_found(check, "row", check->key,
		    "no time in the key");
		return;
	}
	if (store_get_json(check->view, store_key_pull(&key, check->parts[4]),
		&row) != 1) {
		store_check_found(check, "queue", check->key, "no row %s",
		    key.text);
		return;
	}
	if (store_check_member(row, "due") != when)
		store_check_found(check, "queue", check->key,
		    "the pull is due at %lld",
		    (long long)store_check_member(row, "due"));
	cJSON_Delete(row);
}

void
store_check_reserved(struct check *check)
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
