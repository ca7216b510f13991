/* SPDX-License-Identifier: ISC
 *
 * Walks through the store. See admin_walk.h.
 */
#include <stdlib.h>
#include <string.h>

#include "admin_walk.h"
#include "clock.h"
#include "json_strict.h"
#include "memory.h"

struct admin_walk *
admin_walk_new(struct mailboxd *mailboxd, struct control_connection *connection,
    void (*run)(struct admin_walk *walk), const char *member)
{
	struct admin_walk *walk = x_calloc(1, sizeof(*walk));

	walk->mailboxd = mailboxd;
	walk->connection = connection;
	walk->run = run;
	walk->member = member;
	walk->items = cJSON_CreateArray();
	walk->last = cJSON_CreateObject();
	walk->now = clock_now();
	return walk;
}

void
admin_walk_free(struct admin_walk *walk)
{
	cJSON_Delete(walk->first);
	cJSON_Delete(walk->items);
	cJSON_Delete(walk->last);
	free(walk);
}

void
admin_walk_refuse(struct admin_walk *walk, enum outcome outcome,
    const char *word, const char *detail)
{
	walk->outcome = reason_set(&walk->why, outcome, word, "%s", detail);
}

static void
walk_run(void *arg)
{
	struct admin_walk *walk = arg;

	walk->view = store_read_begin(walk->mailboxd->store);
	if (walk->view == NULL) {
		admin_walk_refuse(walk, OUTCOME_TEMPFAIL, "unavailable",
		    "the store cannot be read");
		return;
	}
	walk->run(walk);
	store_read_end(&walk->view);
}

void
admin_walk_start(struct admin_walk *walk, void (*done)(void *arg))
{
	store_background(walk->mailboxd->store, walk_run,
	    done != NULL ? done : admin_walk_reply, walk);
}

static void
send_items(struct admin_walk *walk)
{
	if (walk->first != NULL) {
		json_add_string(walk->first, "outcome", "ok");
		control_reply(walk->connection, walk->first, 0);
		walk->first = NULL;
	}
	if (walk->member == NULL)
		return;
	control_reply_items(walk->connection, walk->member, walk->items);
	walk->items = NULL;
}

void
admin_walk_reply(void *arg)
{
	struct admin_walk *walk = arg;

	if (walk->outcome == OUTCOME_OK)
		send_items(walk);
	admin_reply(walk->connection, walk->outcome, &walk->why, walk->last);
	walk->last = NULL;
	admin_walk_free(walk);
}
