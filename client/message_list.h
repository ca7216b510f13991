/* SPDX-License-Identifier: ISC
 *
 * What came and went at a mailbox, as its API lists it. The mailbox is
 * believed, but names and addresses in it come from strangers: escape them,
 * take base names only.
 */
#ifndef MESSAGE_LIST_H
#define MESSAGE_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "encoding.h"
#include "outcome.h"
#include "session.h"

enum message_state {
	MESSAGE_PENDING, /* will come */
	MESSAGE_STORED,
	MESSAGE_FAILED, /* will not come, or is gone again */
};

struct message_resource {
	char hash[SHA256_HEX_SIZE];
	int64_t size;
	char *type, *name, *problem; /* may be NULL */
	char *status; /* the mailbox's word for the state */
	enum message_state state;
};

struct message {
	char *id, *sender, *recipient, *share, *origin, *category; /* "" */
	int64_t time;
	char *status; /* the mailbox's word: pending, stored, revoked... */
	bool out; /* sent by this account */
	struct message_resource *resources;
	size_t count;
};

struct message_list {
	struct message *items;
	size_t count;
};

/* All messages (share NULL), page by page. */
enum outcome message_list_fetch(struct session *session,
    struct message_list *list_r, struct reason *why);

/* The messages that came under one share, after at most `wait` seconds in
 * which something of them is pending. */
enum outcome
message_list_fetch_share(struct session *session, const char *share, int wait,
    struct message_list *list_r, struct reason *why);

/* One message. `id` is hex. */
enum outcome message_list_fetch_one(struct session *session, const char *id,
    struct message_list *list_r, struct reason *why);

/* Reads one page, adding to the list; *next_r (the caller's) is where the
 * next one begins, NULL at the end. TEMPFAIL "protocol". */
enum outcome message_list_parse(const cJSON *page, struct message_list *list,
    char **next_r, struct reason *why);

void message_list_free(struct message_list *list);

/* 1 if it is a message id: lower-case hex, not as long as a hash. */
int message_id_is_valid(const char *id);

#endif
