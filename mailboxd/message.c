/* SPDX-License-Identifier: ISC
 *
 * An owner asks what came and went, or waits for something to be complete;
 * a broker, whether a message that it notified is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access_release.h"
#include "cargo_placeholder.h"
#include "clock.h"
#include "json_strict.h"
#include "memory.h"
#include "message.h"

#define PAGE_MAX 50 /* messages of one answer */
#define PAGE_RESOURCES 1000 /* and their resources */
#define LATE 60 /* seconds from a message's time to the disk */

/* What a visitor asked; kept while it waits. */
struct asking {
	char id[STORE_ID_SIZE]; /* one message, or */
	char share[CARGO_SHARE_LEN + 1]; /* those of a share, or a page */
	char after[STORE_ID_SIZE]; /* that follows this one */
	int64_t since; /* nothing of the share is older, as was seen */
};

struct page {
	struct asking *asking;
	struct store_view *view;
	const char *account;
	cJSON *list;
	char last[STORE_ID_SIZE];
	int64_t first; /* time of the first of a share */
	int count, resources;
	bool more, pending, trouble;
};

static int
add_message(struct page *page, const char *id)
{
	cJSON *message = NULL;
	bool pending = false;
	int found;

	found = message_describe(page->view, page->account, id, clock_now(),
	    &message, &pending);
	if (found != 1)
		return found;
	page->pending |= pending;
	page->count++;
	page->resources += cJSON_GetArraySize(
	    cJSON_GetObjectItemCaseSensitive(message, "resources"));
	snprintf(page->last, sizeof(page->last), "%s", id);
	cJSON_AddItemToArray(page->list, message);
	return 1;
}

/* The timeline says which share, so that others need not be read. */
static bool
row_matches(const struct page *page, const char *key, const void *data,
    size_t len)
{
	const char *share;
	cJSON *row;
	bool matches;

	if (strcmp(store_key_last(key), page->asking->after) == 0)
		return false; /* the page follows this one */
	if (page->asking->share[0] == '\0')
		return true;
	/* Nothing in a share's id is escaped: most rows need no parsing. */
	if (memmem(data, len, page->asking->share, CARGO_SHARE_LEN) == NULL)
		return false;
	row = store_row_json(key, data, len);
	share = json_string(row, "share");
	matches = share != NULL && strcmp(share, page->asking->share) == 0;
	cJSON_Delete(row);
	return matches;
}

static enum store_step
look_at_timeline(void *arg, const char *key, const void *data, size_t len)
{
	struct page *page = arg;

	if (!row_matches(page, key, data, len))
		return STORE_NEXT;
	if (page->count == PAGE_MAX || page->resources > PAGE_RESOURCES) {
		page->more = true;
		return STORE_STOP;
	}
	if (page->count == 0)
		(void)store_key_number(key, 3, &page->first);
	if (add_message(page, store_key_last(key)) == -1)
		page->trouble = true;
	return page->trouble ? STORE_STOP : STORE_NEXT;
}

/* Where the page begins: at the time of the message it follows. 0, -1. */
static int
find_start(struct page *page, struct store_key *from)
{
	struct store_key key;
	cJSON *row = NULL;
	int64_t when;
	int result = -1;

	if (store_get_json(page->view,
		store_key_message(&key, page->account, page->asking->after),
		&row) == 1 &&
	    json_integer(row, "time", 0, JSON_MAX_INTEGER, &when) == 0) {
		store_key_timeline(from, page->account, when,
		    page->asking->after);
		result = 0;
	}
	cJSON_Delete(row);
	return result;
}

static int
fill_page(struct page *page)
{
	struct store_key prefix, from;
	bool paged = page->asking->after[0] != '\0';

	if (paged && find_start(page, &from) == -1)
		return 0;
	if (page->asking->since > 0)
		store_key_timeline(&from, page->account, page->asking->since,
		    "0");
	return store_scan(page->view,
	    store_key_timeline_all(&prefix, page->account),
	    paged || page->asking->since > 0 ? from.text : NULL,
	    look_at_timeline, page);
}

static void
reply_page(struct visit *visit, struct page *page)
{
	cJSON *body = cJSON_CreateObject();

	json_add_item(body, "messages", page->list);
	if (page->more)
		json_add_string(body, "next", page->last);
	page->list = NULL;
	visit_reply_json(visit, 200, body);
}

/* Answers if there is nothing to wait for (or no more time). */
static bool
answer(struct visit *visit, struct page *page, bool last)
{
	int found;

	found = page->asking->id[0] != '\0' ?
	    add_message(page, page->asking->id) :
	    fill_page(page);
	if (found == -1 || page->trouble) {
		visit_problem(visit, "unavailable", "the store");
		return true;
	}
	if (page->asking->id[0] != '\0' && found == 0) {
		visit_problem(visit, "not-found",
		    "this account has no such message");
		return true;
	}
	/* A share that is not known yet may be on its way. */
	if (!last &&
	    (page->pending ||
		(page->asking->share[0] != '\0' && page->count == 0))) {
		/* Who waits asks again and again, and not all of it. */
		page->asking->since =
		    page->count > 0 ? page->first : clock_now() - LATE;
		return false;
	}
	if (page->asking->id[0] == '\0')
		reply_page(visit, page);
	else
		visit_reply_json(visit, 200,
		    cJSON_DetachItemFromArray(page->list, 0));
	return true;
}

/* A broker asks for a message of somebody's account: whose, is looked up
 * each time, since the owner may change their mind while it waits. */
static enum outcome
find_released(struct visit *visit, struct store_view *view, struct reason *why)
{
	const struct access_release claim = {
		.broker = caller_claim(&visit->caller, "iss"),
		.mailbox = caller_claim(&visit->caller, "mailbox"),
		.message = caller_claim(&visit->caller, "id"),
	};
	const struct asking *asking = visit->state;

	if (strcmp(claim.message, asking->id) != 0)
		return reason_set(why, OUTCOME_PERMFAIL, "not-found",
		    "the token is for another message");
	return access_release_message(view, visit->mailboxd->config, &claim,
	    clock_now(), visit->caller.account, why);
}

bool
message_try(struct visit *visit, bool last)
{
	struct page page = { .asking = visit->state,
		.account = visit->caller.account };
	bool answered = true;
	struct reason why;

	page.view = store_read_begin(visit->mailboxd->store);
	if (page.view == NULL) {
		visit_problem(visit, "unavailable", "the store");
		return true;
	}
	if (visit->caller.kind == CALLER_BROKER &&
	    find_released(visit, page.view, &why) != OUTCOME_OK) {
		visit_refuse(visit, &why);
		store_read_end(&page.view);
		return true;
	}
	page.list = cJSON_CreateArray();
	answered = answer(visit, &page, last);
	cJSON_Delete(page.list);
	store_read_end(&page.view);
	return answered;
}

static struct asking *
ask(struct visit *visit)
{
	struct asking *asking = x_calloc(1, sizeof(*asking));

	visit->state = asking;
	visit->state_free = free;
	return asking;
}

static void
wait_or_answer(struct visit *visit)
{
	int seconds = visit_wait(visit);

	if (seconds == -1 || message_try(visit, seconds == 0))
		return;
	wait_list_add(visit->mailboxd->messages, visit, seconds);
}

void
message_get_serve(struct visit *visit)
{
	struct asking *asking = ask(visit);

	strcpy(asking->id, visit->subject);
	wait_or_answer(visit);
}

void
message_list_serve(struct visit *visit)
{
	const char *share = visit_query(visit, "share");
	const char *after = visit_query(visit, "after");
	struct asking *asking = ask(visit);

	if ((share != NULL && !cargo_share_valid(share)) ||
	    (after != NULL && !store_id_valid(after))) {
		visit_problem(visit, "malformed",
		    "share is a share id, after a message id");
		return;
	}
	if (share != NULL)
		strcpy(asking->share, share);
	if (after != NULL)
		strcpy(asking->after, after);
	if (share == NULL) {
		message_try(visit, true);
		return;
	}
	wait_or_answer(visit);
}
