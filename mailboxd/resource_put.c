/* SPDX-License-Identifier: ISC
 *
 * A resource comes in. Everything that can be refused is refused before the
 * body; then the bytes go to a disk thread that hashes them, and after the
 * last one: blob durable, one transaction, reply.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "clock.h"
#include "json_strict.h"
#include "keeper.h"
#include "log.h"
#include "memory.h"
#include "pull_server.h"
#include "quota.h"
#include "resource_commit.h"
#include "resource_keep.h"
#include "resource_put.h"
#include "store_upload.h"
#include "wait_list.h"

struct put {
	struct visit *visit;
	struct store_upload *upload; /* NULL before, and from finish on */
	struct resource_commit own; /* of an owner or a broker */
	struct account_make make; /* of own, if the account has to be made */
	struct pull_commit pull; /* under a lease: */
	char lease[PULL_LEASE_NAME_SIZE]; /* "" if there is none */
	int64_t from;
	int64_t given; /* bytes of this request so far */
	bool counted; /* lease->uploads counts it */
};

/* ---- under a lease ------------------------------------------------------- */

static struct pull_lease *
find_lease(const struct put *put)
{
	if (put->lease[0] == '\0')
		return NULL;
	return pull_queue_find(pull_server_queue(put->visit->mailboxd->pulls),
	    put->lease, clock_now());
}

/* The transfer begins: its lease lives as long as it. Time may have passed
 * since the lease was found. */
static void
count(struct put *put)
{
	struct pull_lease *lease = find_lease(put);

	put->counted = lease != NULL;
	if (lease != NULL)
		lease->uploads++;
}

/* The transfer is over, well or not. */
static void
uncount(struct put *put)
{
	struct pull_lease *lease = find_lease(put);

	if (put->counted && lease != NULL)
		lease->uploads--;
	put->counted = false;
}

/* Where the bytes begin; -1 after a refusal. The whole must have the size
 * that the message declared. */
static int
check_range(struct visit *visit, struct put *put, struct pull_item *item)
{
	const char *field;
	int64_t len, size;

	field = http_request_get(visit->request, "content-range");
	if (field == NULL) {
		size = len = visit->request->body_size;
		put->from = 0;
	} else if (http_parse_content_range(field, &put->from, &len, &size) ==
		-1 ||
	    put->from + len != size || len != visit->request->body_size) {
		visit_problem(visit, "malformed",
		    "Content-Range is bytes A-B/SIZE up to the last byte");
		return -1;
	}
	if (size != item->size) {
		item->wrong = true;
		visit_problem(visit, "wrong-size",
		    "the message says %lld bytes", (long long)item->size);
		return -1;
	}
	return 0;
}

static int
prepare_lease(struct visit *visit, struct put *put,
    struct store_upload_request *request)
{
	const char *name = visit_query(visit, "lease");
	struct pull_lease *lease;
	struct pull_item *item;

	snprintf(put->lease, sizeof(put->lease), "%s",
	    name != NULL ? name : "");
	lease = find_lease(put);
	if (lease == NULL) {
		put->lease[0] = '\0';
		visit_problem(visit, "lease", "the lease is not live");
		return -1;
	}
	item = pull_lease_item(lease, visit->subject);
	if (item == NULL || item->head) {
		visit_problem(visit, "not-allowed",
		    "the lease does not ask for these bytes");
		return -1;
	}
	if (check_range(visit, put, item) == -1)
		return -1;
	strcpy(put->pull.message, lease->message);
	strcpy(put->pull.hash, item->hash);
	put->pull.number = lease->number;
	store_upload_id(lease->account, lease->origin, item->hash,
	    put->pull.upload);
	strcpy(visit->caller.account, lease->account);
	request->size = item->size;
	request->from = put->from;
	request->id = put->pull.upload;
	request->account = lease->account;
	request->expires = lease->expires;
	return 0;
}

/* ---- an owner, or a broker for its user ---------------------------------- */

static int
prepare_account(struct visit *visit, struct put *put, struct store_view *view)
{
	const struct mailboxd_config *config = visit->mailboxd->config;
	struct caller *caller = &visit->caller;
	const struct access_asked asked = { caller_claim(caller, "user"),
		caller_claim(caller, "iss") };
	struct reason why;

	if (caller->kind != CALLER_BROKER)
		return 0;
	if (access_broker_or_new(view, config, &asked, caller->account, &why) !=
	    OUTCOME_OK) {
		visit_refuse(visit, &why);
		return -1;
	}
	if (caller->account[0] == '\0') {
		account_make_init(&put->make, config, asked.address,
		    asked.broker);
		put->own.make = &put->make;
	}
	snprintf(put->own.broker, sizeof(put->own.broker), "%s",
	    caller_claim(caller, "iss"));
	snprintf(put->own.share, sizeof(put->own.share), "%s",
	    caller_claim(caller, "share"));
	return 0;
}

/* Does the account hold it, as far as the caller may know? What a broker's
 * user has is no business of the broker: bytes that it did not put itself
 * for this share are demanded of it, quota and answer are as for any new
 * ones. 1, 0, -1 trouble. */
static int
has_it(struct visit *visit, const struct put *put, struct store_view *view)
{
	const struct access_put by = { put->own.broker, put->own.share };

	if (put->own.make != NULL)
		return 0;
	return access_knows(view, visit->caller.account,
	    put->own.broker[0] != '\0' ? &by : NULL, visit->subject);
}

static int
check_quota(struct visit *visit, const struct put *put, struct store_view *view,
    int64_t size)
{
	struct store_account account;
	int64_t left;

	if (put->own.make != NULL)
		left = put->make.quota;
	else if (store_account_get(view, visit->caller.account, &account) ==
	    1) {
		left = quota_left(&account);
		store_account_clear(&account);
	} else {
		visit_problem(visit, "unavailable", "the account");
		return -1;
	}
	if (size > left) {
		visit_problem(visit, "quota", "%lld bytes are left",
		    (long long)left);
		return -1;
	}
	return 0;
}

/* What the client says about it; both are hostile text. */
static void
take_labels(struct visit *visit, struct put *put)
{
	const char *type = http_request_get(visit->request, "content-type");
	const char *name = visit_query(visit, "name");

	if (type == NULL || !resource_type_valid(type))
		type = "application/octet-stream";
	snprintf(put->own.type, sizeof(put->own.type), "%s", type);
	if (name != NULL && strlen(name) <= RESOURCE_NAME_MAX)
		strcpy(put->own.name, name);
}

static void
serve_existing(struct visit *visit)
{
	visit_reply_empty(visit, 200);
}

/* It is here. That an owner wants it is news if it only came along. */
static void
answer_existing(struct visit *visit, struct store_view *view)
{
	const struct caller *caller = &visit->caller;
	int unkept = 0;

	if (caller->kind == CALLER_OWNER)
		unkept = resource_unkept(view, caller->account, visit->subject,
		    NULL);
	if (unkept == -1)
		visit_problem(visit, "unavailable", "the store");
	else if (unkept == 1)
		keeper_serve(visit, serve_existing);
	else
		serve_existing(visit);
}

static int
prepare_own_in(struct visit *visit, struct put *put, struct store_view *view)
{
	int64_t size = visit->request->body_size;
	int has;

	if (prepare_account(visit, put, view) == -1)
		return -1;
	if (http_request_get(visit->request, "content-range") != NULL) {
		visit_problem(visit, "malformed", "no Content-Range here");
		return -1;
	}
	has = has_it(visit, put, view);
	if (has == -1)
		visit_problem(visit, "unavailable", "the store");
	else if (has == 1)
		answer_existing(visit, view);
	if (has != 0)
		return -1;
	if (size > visit->mailboxd->config->resource_max) {
		visit_problem(visit, "too-large",
		    "a resource may have %lld "
		    "bytes",
		    (long long)visit->mailboxd->config->resource_max);
		return -1;
	}
	if (check_quota(visit, put, view, size) == -1)
		return -1;
	take_labels(visit, put);
	strcpy(put->own.account, visit->caller.account);
	return 0;
}

static int
prepare_own(struct visit *visit, struct put *put)
{
	struct store_view *view = store_read_begin(visit->mailboxd->store);
	int result;

	if (view == NULL) {
		visit_problem(visit, "unavailable", "the store");
		return -1;
	}
	result = prepare_own_in(visit, put, view);
	store_read_end(&view);
	return result;
}

/* ---- the end ------------------------------------------------------------- */

/* The store's words are problem types. */
static void
refuse_upload(struct put *put, const struct reason *why)
{
	struct pull_lease *lease = find_lease(put);
	struct pull_item *item =
	    lease == NULL ? NULL : pull_lease_item(lease, put->pull.hash);

	if (item != NULL &&
	    (reason_is(why, "wrong-hash") || reason_is(why, "wrong-size")))
		item->wrong = true;
	visit_refuse(put->visit, why);
}

static void
log_stored(const struct put *put)
{
	const struct store_blob *blob =
	    put->lease[0] != '\0' ? &put->pull.blob : &put->own.blob;
	struct log_line line;

	log_begin(&line, LOG_INFO,
	    put->lease[0] != '\0' ? put->pull.message : put->visit->id,
	    "stored");
	log_string(&line, LOG_KEY_HASH, blob->hash);
	log_number(&line, LOG_KEY_BYTES, blob->size - put->from);
	log_string(&line, LOG_KEY_ACCOUNT, put->visit->caller.account);
	log_end(&line);
}

static void
on_committed(void *arg, enum outcome outcome, const struct reason *why)
{
	struct put *put = arg;
	struct visit *visit = put->visit;
	struct mailboxd *mailboxd = visit->mailboxd;
	struct pull_lease *lease = find_lease(put);
	struct pull_item *item;
	bool leased = put->lease[0] != '\0';

	uncount(put);
	if (outcome != OUTCOME_OK) {
		store_blob_discard(mailboxd->store,
		    leased ? put->pull.blob.locator : put->own.blob.locator);
		visit_refuse(visit, why);
	} else {
		if (put->own.make != NULL) {
			strcpy(visit->caller.account, put->own.account);
			account_make_tell(&put->make, visit->id, mailboxd);
		}
		log_stored(put);
		if (lease != NULL) {
			item = pull_lease_item(lease, put->pull.hash);
			item->stored = true;
			pull_queue_renew(pull_server_queue(mailboxd->pulls),
			    lease, clock_now());
			pull_server_poke(mailboxd->pulls);
		}
		wait_list_poke(mailboxd->messages);
		visit_reply_empty(visit,
		    !leased && put->own.existed ? 200 : 201);
	}
	visit_release(visit);
}

static enum outcome
commit_work(struct store_txn *txn, void *arg)
{
	struct put *put = arg;

	return put->lease[0] != '\0' ? pull_store_commit(txn, &put->pull) :
				       resource_commit_work(txn, &put->own);
}

static void
on_stored(void *arg, enum outcome outcome, const struct reason *why,
    const struct store_blob *blob)
{
	struct put *put = arg;
	struct visit *visit = put->visit;

	if (outcome != OUTCOME_OK) {
		refuse_upload(put, why);
		uncount(put);
		visit_release(visit);
		return;
	}
	put->own.blob = put->pull.blob = *blob;
	put->own.now = put->pull.now = clock_now();
	store_submit(visit->mailboxd->store, commit_work, on_committed, put);
}

/* ---- the body ------------------------------------------------------------ */

static void
on_ready(void *arg)
{
	struct put *put = arg;

	if (put->visit->x != NULL)
		http_exchange_resume_body(put->visit->x);
}

static void
on_failed(void *arg, const struct reason *why)
{
	struct put *put = arg;

	uncount(put);
	store_upload_abort(&put->upload);
	refuse_upload(put, why);
}

static const struct store_upload_handler upload_handler = { on_ready,
	on_failed };

static void
on_body(struct visit *visit, const void *data, size_t len)
{
	struct put *put = visit->state;
	struct pull_lease *lease;
	struct pull_item *item;

	if (put->upload == NULL)
		return; /* refused meanwhile */
	lease = find_lease(put);
	if (lease != NULL) {
		pull_queue_renew(pull_server_queue(visit->mailboxd->pulls),
		    lease, clock_now());
		put->given += (int64_t)len;
		item = pull_lease_item(lease, put->pull.hash);
		if (item != NULL && put->from + put->given > item->reached)
			item->reached = put->from + put->given;
	}
	if (!store_upload_write(put->upload, data, len))
		http_exchange_pause_body(visit->x);
}

static void
on_body_end(struct visit *visit)
{
	struct put *put = visit->state;

	if (put->upload == NULL)
		return;
	visit_hold(visit); /* until committed */
	store_upload_finish(&put->upload, on_stored);
}

static void
on_gone(struct visit *visit)
{
	struct put *put = visit->state;

	if (put->upload == NULL)
		return;
	/* In the middle of the body. What came by a lease is kept. */
	uncount(put);
	store_upload_break(&put->upload);
	if (put->lease[0] != '\0')
		pull_server_broken(visit->mailboxd->pulls, put->lease);
}

void
resource_put_serve(struct visit *visit)
{
	struct store_upload_request request = { .hash = visit->subject,
		.size = visit->request->body_size };
	bool worker = visit->caller.kind == CALLER_WORKER;
	struct put *put;
	struct reason why;

	if (!visit->request->has_length) {
		visit_problem(visit, "length-required", "no Content-Length");
		return;
	}
	put = x_calloc(1, sizeof(*put));
	put->visit = visit;
	visit->state = put;
	visit->state_free = free;
	if ((worker ? prepare_lease(visit, put, &request) :
		      prepare_own(visit, put)) == -1)
		return;
	put->upload = store_upload_begin(visit->mailboxd->store, &request,
	    &upload_handler, put, &why);
	if (put->upload == NULL) {
		refuse_upload(put, &why);
		return;
	}
	if (worker)
		count(put);
	visit->on_body = on_body;
	visit->on_body_end = on_body_end;
	visit->on_gone = on_gone;
	http_exchange_accept_body(visit->x);
}
