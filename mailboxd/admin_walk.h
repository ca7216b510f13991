/* SPDX-License-Identifier: ISC
 *
 * A walk through the store for the administrator, and its answer: it is made
 * on a disk thread, so that the loop goes on, and sent in packets from the
 * loop.
 */
#ifndef ADMIN_WALK_H
#define ADMIN_WALK_H

#include "admin.h"
#include "mail_address.h"
#include "mailboxd.h"

struct admin_walk {
	struct mailboxd *mailboxd;
	struct control_connection *connection; /* NULL: nobody asked */
	void (*run)(struct admin_walk *walk); /* on the disk thread */
	const char *member; /* of the packets with items; NULL: none */
	cJSON *first; /* members of a packet before them; NULL: none */
	cJSON *items;
	cJSON *last; /* members of the last packet */
	struct store_view *view; /* of `run` */
	int64_t now;
	char subject[STORE_ID_SIZE]; /* what was asked for, or "" */
	char address[MAIL_ADDRESS_SIZE]; /* and whose */
	char account[STORE_ID_SIZE]; /* of whoever runs it */
	int64_t accounts, blobs, bytes, due, leased;
	enum outcome outcome;
	struct reason why;
};

struct admin_walk *
admin_walk_new(struct mailboxd *mailboxd, struct control_connection *connection,
    void (*run)(struct admin_walk *walk), const char *member);

/* Runs it; then `done` on the loop, NULL: admin_walk_reply. */
void admin_walk_start(struct admin_walk *walk, void (*done)(void *arg));

/* Sends the answer, arg struct admin_walk, and frees the walk. */
void admin_walk_reply(void *arg);
void admin_walk_free(struct admin_walk *walk);

/* In `run`: nothing comes of it. */
void admin_walk_refuse(struct admin_walk *walk, enum outcome outcome,
    const char *word, const char *detail);

/* Counts a row of "blob/" in walk->blobs and bytes; admin_store.c. */
enum store_step
admin_count_blob(void *arg, const char *key, const void *data, size_t len);

#endif
