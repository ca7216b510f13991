/* SPDX-License-Identifier: ISC
 *
 * The key layout (STORE_LAYOUT 1), in one place: composes every key and
 * names the members of every value that the store itself looks at. Text
 * keys; ids and hashes in lower-case hex, numbers as %016x; a part that may
 * hold other bytes (address, origin, credential name) is written with %XX
 * for '/', '%', controls, space, and bytes above 126, so '/' only separates.
 *
 * Values are JSON objects; members that the store does not know are kept.
 *
 *  account/<id>                 {"state", "quota", "used", "reserved",
 *                               "records", "head", ...}: store_account.h
 *   ./credential/<name>         {...}
 *   ./address/<address>         {...}
 *   ./resource/<hash>           {"size", ...}: the account holds it
 *   ./message/<id>              {"time", "resources":[{"hash","size",..}],
 *                               ...}: immutable
 *   ./timeline/<time>/<id>      {...}: `time` is the message's "time"
 *   ./use/<hash>/<id>           {...}: id of a message, or of a share that a
 *                               broker put it for: {"broker", "due"}
 *   ./notice/<hash>             {"message"}
 *   ./share/<id>                {"resources":[..hashes], "expires", ...}
 *   ./share/<id>/to/<hash>      {...}
 *   ./failure/<message>/<hash>  {"problem", "time", ...}
 *   ./record/<n>                the leaf, chained: record.h
 *   ./detail/<n>                {...}: erasable
 *  address/<address>            {"account"}
 *  blob/<hash>                  {"size", "locator"}
 *   ./holder/<account>          {}
 *   ./source/<origin>/<share>   {}
 *  created/<domain>             {"since", "count"}: account_make.h
 *  due/<time>/page/<hash>       {}: when the page's row goes; `time` is its
 *                               "due"
 *  due/<time>/share/<account>/<share>  {}: withdrawn then (its "revoked"), and
 *                               what was put for it is not yet let go
 *  due/<time>/use/<account>/<hash>/<share>  {}: when it is asked whether the
 *                               share still uses it; `time` is the use row's
 *                               "due"
 *  garbage/<00-3f>/<due>/<locator>  {"size"}: garbage.h
 *  origin/<host>                {...}
 *  page/key/<hash>             {"account", "share", "recipient", "sender",
 *                               "expires", "due", "downloads"}; <hash> is that
 *                               of the secret
 *  queue/<00-3f>/pull/<message> {"account", "due", "reserved", ...}
 *  queue/<00-3f>/due/<time>/<message>  {}: `time` is the pull's "due"; a
 *                               lease moves this row to the lease's end
 *  store/version                {"layout"}
 *  upload/<id>                  {"account", "hash", "size", "offset",
 *                               "expires"}: store_upload.h
 *
 * Sums that fsck checks: account "used" = the sizes of its resource rows;
 * "reserved" = the "reserved" of its pull rows.
 */
#ifndef STORE_KEYS_H
#define STORE_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "encoding.h"

#define STORE_KEY_MAX 511
#define STORE_ID_LEN 32 /* 128 random bits in hex */
#define STORE_ID_SIZE (STORE_ID_LEN + 1)
#define STORE_LOCATOR_SIZE 96
#define STORE_SHARDS 64

/* On the caller's stack. A key that would be too long, or has an empty part
 * before its end, becomes "", which is never there and cannot be written. */
struct store_key {
	char text[STORE_KEY_MAX + 1];
};

/* A new random id in hex. */
void store_id_new(char id_r[STORE_ID_SIZE]);

/* 1 if `id` is 32 lower-case hex digits. */
int store_id_valid(const char *id);

/* 0..63: the shard of a message id, hash or locator (hex). */
unsigned store_shard(const char *hex);

/*
 * Each returns key_r->text. NULL for the last part gives the prefix of all
 * such rows (with its final '/'), for a scan: store_key_message(&key, id,
 * NULL) is "account/<id>/message/".
 */
const char *store_key_account(struct store_key *key_r, const char *account);
const char *store_key_credential(struct store_key *key_r, const char *account,
    const char *name);
const char *store_key_account_address(struct store_key *key_r,
    const char *account, const char *address);
const char *store_key_resource(struct store_key *key_r, const char *account,
    const char *hash);
const char *store_key_message(struct store_key *key_r, const char *account,
    const char *message);
const char *store_key_timeline(struct store_key *key_r, const char *account,
    int64_t when, const char *message);
/* All of an account: "account/<id>/timeline/". */
const char *
store_key_timeline_all(struct store_key *key_r, const char *account);
const char *store_key_use(struct store_key *key_r, const char *account,
    const char *hash, const char *id);
const char *store_key_notice(struct store_key *key_r, const char *account,
    const char *hash);
const char *store_key_share(struct store_key *key_r, const char *account,
    const char *share);
const char *store_key_share_to(struct store_key *key_r, const char *account,
    const char *share, const char *address_hash);
const char *store_key_failure(struct store_key *key_r, const char *account,
    const char *message, const char *hash);
const char *
store_key_record(struct store_key *key_r, const char *account, int64_t number);
const char *store_key_record_all(struct store_key *key_r, const char *account);
const char *
store_key_detail(struct store_key *key_r, const char *account, int64_t number);
const char *store_key_address(struct store_key *key_r, const char *address);
const char *store_key_blob(struct store_key *key_r, const char *hash);
const char *store_key_holder(struct store_key *key_r, const char *hash,
    const char *account);
const char *store_key_source(struct store_key *key_r, const char *hash,
    const char *origin, const char *share);
const char *store_key_garbage(struct store_key *key_r, unsigned shard,
    int64_t due, const char *locator);
/* All of a shard. */
const char *store_key_garbage_all(struct store_key *key_r, unsigned shard);
const char *store_key_origin(struct store_key *key_r, const char *host);
/* Of a mail domain whose accounts come by themselves. */
const char *store_key_created(struct store_key *key_r, const char *domain);
const char *store_key_page(struct store_key *key_r, const char *hash);
const char *
store_key_page_due(struct store_key *key_r, int64_t when, const char *hash);
const char *store_key_share_due(struct store_key *key_r, int64_t when,
    const char *account, const char *share);
const char *store_key_use_due(struct store_key *key_r, int64_t when,
    const char *account, const char *hash, const char *share);
/* Those three, "due/": rows in order of time, which is part 1. */
const char *store_key_times_all(struct store_key *key_r);
const char *store_key_pull(struct store_key *key_r, const char *message);
const char *store_key_pull_all(struct store_key *key_r, unsigned shard);
const char *
store_key_due(struct store_key *key_r, int64_t when, const char *message);
/* "queue/<shard>/due/": rows in order of time. */
const char *store_key_due_all(struct store_key *key_r, unsigned shard);
const char *store_key_version(struct store_key *key_r);
const char *store_key_upload(struct store_key *key_r, const char *id);

/* The part of a key after its last '/', undecoded; within `key`. */
const char *store_key_last(const char *key);

/* Part `index` (0 is "account" or the like) decoded into `part_r` of `size`
 * bytes: its length, or -1 if there is none or it does not fit. */
int store_key_part(const char *key, unsigned index, char *part_r, size_t size);

/* The number in part `index` (%016x): 0, or -1. */
int store_key_number(const char *key, unsigned index, int64_t *number_r);

#endif
