/* SPDX-License-Identifier: ISC
 *
 * PUT and DELETE of shares: who asks, for which account, and the loop over
 * the transactions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "clock.h"
#include "log.h"
#include "memory.h"
#include "share.h"
#include "share_store.h"
#include "share_withdraw.h"
#include "wait_list.h"

struct sharing {
	struct visit *visit;
	struct share *share;
};

/* The share that the caller may work on; NULL after a refusal. A broker's
 * token says which user, which share. */
static struct share *
begin(struct visit *visit)
{
	struct caller *caller = &visit->caller;
	struct access_asked asked;
	struct store_view *view;
	enum outcome outcome;
	struct share *share;
	struct reason why;

	if (caller->kind == CALLER_BROKER) {
		if (strcmp(caller_claim(caller, "share"), visit->subject) !=
		    0) {
			visit_problem(visit, "not-allowed",
			    "the token is for another share");
			return NULL;
		}
		view = store_read_begin(visit->mailboxd->store);
		if (view == NULL) {
			visit_problem(visit, "unavailable", "the store");
			return NULL;
		}
		asked.address = caller_claim(caller, "user");
		asked.broker = caller_claim(caller, "iss");
		outcome = access_broker_or_new(view, visit->mailboxd->config,
		    &asked, caller->account, &why);
		store_read_end(&view);
		/* An account that is still to come has neither resources nor
		 * shares; a share does not bring it. */
		if (outcome == OUTCOME_OK && caller->account[0] == '\0')
			outcome = reason_set(&why, OUTCOME_PERMFAIL,
			    "not-found",
			    "nothing was put by who shares it, or there is no "
			    "such share");
		if (outcome != OUTCOME_OK) {
			visit_refuse(visit, &why);
			return NULL;
		}
	}
	share = x_calloc(1, sizeof(*share));
	strcpy(share->account, caller->account);
	strcpy(share->id, visit->subject);
	if (caller->kind == CALLER_BROKER) {
		snprintf(share->broker, sizeof(share->broker), "%s",
		    caller_claim(caller, "iss"));
		snprintf(share->user, sizeof(share->user), "%s",
		    caller_claim(caller, "user"));
	}
	share->now = clock_now();
	return share;
}

static void
end(struct sharing *sharing)
{
	share_free(sharing->share);
	visit_release(sharing->visit);
	free(sharing);
}

static void
log_share(const struct sharing *sharing, const char *verb)
{
	const struct share *share = sharing->share;
	struct log_line line;

	metrics_count(sharing->visit->mailboxd->metrics, MAILBOXD_SHARES,
	    strcmp(verb, "share") == 0 ? "made" : "other");
	log_begin(&line, LOG_INFO, sharing->visit->id, verb);
	log_string(&line, LOG_KEY_SHARE, share->id);
	log_string(&line, LOG_KEY_ACCOUNT, share->account);
	log_number(&line, LOG_KEY_RECIPIENTS, (int64_t)share->recipient_count);
	log_number(&line, LOG_KEY_RESOURCES, (int64_t)share->hash_count);
	if (share->page_count > 0)
		log_number(&line, LOG_KEY_PAGES, (int64_t)share->page_count);
	log_end(&line);
}

static enum outcome
put_work(struct store_txn *txn, void *arg)
{
	struct sharing *sharing = arg;

	return share_store_put(txn, sharing->share);
}

static void
on_put(void *arg, enum outcome outcome, const struct reason *why)
{
	struct sharing *sharing = arg;
	struct share *share = sharing->share;
	struct visit *visit = sharing->visit;

	if (outcome == OUTCOME_OK && !share->complete) {
		share_next(share);
		store_submit(visit->mailboxd->store, put_work, on_put, sharing);
		return;
	}
	if (outcome != OUTCOME_OK) {
		visit_refuse(visit, why);
	} else {
		if (share->made)
			log_share(sharing, "share");
		else if (share->page_count > 0)
			log_share(sharing, "share-pages");
		wait_list_poke(visit->mailboxd->messages);
		visit_reply_empty(visit, share->made ? 201 : 200);
	}
	end(sharing);
}

static void
put_body(struct visit *visit, const cJSON *body)
{
	struct share *share = begin(visit);
	struct sharing *sharing;
	struct reason why;

	if (share == NULL)
		return;
	if (share_parse(body, share, &why) != OUTCOME_OK) {
		visit_refuse(visit, &why);
		share_free(share);
		return;
	}
	if (share->page_count > 0 &&
	    visit->mailboxd->config->web_hosts.count == 0) {
		visit_problem(visit, "not-allowed", "there are no pages here");
		share_free(share);
		return;
	}
	if (visit->caller.kind == CALLER_BROKER &&
	    strcmp(share->message, caller_claim(&visit->caller, "message")) !=
		0) {
		visit_problem(visit, "not-allowed",
		    "the token is for another message");
		share_free(share);
		return;
	}
	sharing = x_calloc(1, sizeof(*sharing));
	sharing->visit = visit_hold(visit);
	sharing->share = share;
	store_submit(visit->mailboxd->store, put_work, on_put, sharing);
}

void
share_put_serve(struct visit *visit)
{
	visit_gather_json(visit, CARGO_API_BODY_MAX, put_body);
}

static void
on_withdrawn(void *arg, enum outcome outcome, const struct reason *why)
{
	struct visit *visit = arg;

	if (outcome == OUTCOME_OK)
		visit_reply_empty(visit, 204);
	else
		visit_refuse(visit, why);
	visit_release(visit);
}

void
share_delete_serve(struct visit *visit)
{
	struct share *share = begin(visit);

	if (share != NULL)
		share_withdraw(visit->mailboxd, share, visit->id, on_withdrawn,
		    visit_hold(visit));
}
