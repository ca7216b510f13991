/* SPDX-License-Identifier: ISC
 *
 * A resource goes out, to its owner or to the agent of who it was shared
 * with. Its content is whatever somebody put there, so a browser must not
 * run it: fixed type for strangers, nosniff, a sandbox, and always as a file
 * to be saved.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "access_release.h"
#include "clock.h"
#include "json_strict.h"
#include "keeper.h"
#include "lapse.h"
#include "resource_commit.h"
#include "resource_get.h"
#include "resource_reply.h"

#define LIST_MAX 200 /* resources of one answer */

/* A broker reads back what it notified. */
static enum outcome
may_release(struct visit *visit, struct store_view *view,
    struct store_blob *blob_r, struct reason *why)
{
	const struct access_release claim = {
		.broker = caller_claim(&visit->caller, "iss"),
		.mailbox = caller_claim(&visit->caller, "mailbox"),
		.message = caller_claim(&visit->caller, "id"),
	};

	return access_release_resource(view, visit->mailboxd->config, &claim,
	    visit->subject, clock_now(), blob_r, why);
}

static enum outcome
may_read(struct visit *visit, struct store_view *view,
    struct store_blob *blob_r, struct reason *why)
{
	const struct caller *caller = &visit->caller;
	struct access_claim claim;

	if (caller->kind == CALLER_OWNER)
		return access_own(view, caller->account, visit->subject, blob_r,
		    why);
	if (caller->kind == CALLER_BROKER)
		return may_release(visit, view, blob_r, why);
	claim.sender = caller_inner(caller, "sender");
	claim.recipient = caller_inner(caller, "recipient");
	claim.share = caller_inner(caller, "share");
	claim.rows = visit->mailboxd->rows;
	return access_shared(view, &claim, visit->subject, clock_now(), blob_r,
	    why);
}

/* Type and name as the owner gave them. */
static void
add_labels(struct visit *visit, struct store_view *view,
    struct http_header_list *headers)
{
	const char *type = NULL, *name = NULL;
	struct store_key key;
	cJSON *row = NULL;

	if (visit->caller.kind == CALLER_OWNER &&
	    store_get_json(view,
		store_key_resource(&key, visit->caller.account, visit->subject),
		&row) == 1) {
		type = json_string(row, "type");
		name = json_string(row, "name");
	}
	http_header_add(headers, "Content-Type",
	    type != NULL && resource_type_valid(type) ?
		type :
		"application/octet-stream");
	resource_reply_name(headers, name);
	cJSON_Delete(row);
}

/* OK with the open file; what was let go of since the look is not there. */
static enum outcome
open_resource(struct visit *visit, struct store_view *view,
    struct store_blob *blob_r, int *fd_r, struct reason *why)
{
	enum outcome outcome = may_read(visit, view, blob_r, why);

	if (outcome != OUTCOME_OK)
		return outcome;
	*fd_r = store_blob_open(visit->mailboxd->store, blob_r->locator);
	if (*fd_r == -1)
		return reason_set(why, OUTCOME_TEMPFAIL, "unavailable",
		    "the resource cannot be opened: %s", strerror(errno));
	return OUTCOME_OK;
}

static void
serve(struct visit *visit)
{
	struct http_header_list headers;
	struct store_view *view;
	struct store_blob blob;
	enum outcome outcome;
	struct reason why;
	int fd = -1;

	view = store_read_begin(visit->mailboxd->store);
	if (view == NULL) {
		visit_problem(visit, "unavailable", "the store");
		return;
	}
	http_header_init(&headers);
	outcome = open_resource(visit, view, &blob, &fd, &why);
	if (outcome == OUTCOME_OK)
		add_labels(visit, view, &headers);
	store_read_end(&view);
	if (outcome != OUTCOME_OK) {
		visit_refuse(visit, &why);
		return;
	}
	resource_reply_headers(&headers, blob.hash);
	http_header_add(&headers, "Cache-Control", "private, no-cache");
	if (resource_reply_matches(http_request_get(visit->request,
				       "if-none-match"),
		blob.hash)) {
		close(fd);
		visit_reply_headers(visit, 304, &headers);
		return;
	}
	resource_reply(visit, &blob, &headers, fd);
}

/* Who fetches what his broker put wants to have it. */
void
resource_get_serve(struct visit *visit)
{
	const struct caller *caller = &visit->caller;
	struct store_view *view;
	int threatened = 0;

	if (caller->kind == CALLER_OWNER &&
	    visit->request->method == HTTP_GET) {
		view = store_read_begin(visit->mailboxd->store);
		threatened = view == NULL ?
		    -1 :
		    lapse_threatens(view, caller->account, visit->subject);
		store_read_end(&view);
	}
	if (threatened == -1)
		visit_problem(visit, "unavailable", "the store");
	else if (threatened == 1)
		keeper_serve(visit, serve);
	else
		serve(visit);
}

/* ---- the owner's list ---------------------------------------------------- */

struct listing {
	cJSON *list;
	const char *after;
	char last[SHA256_HEX_SIZE];
	int count;
	bool more;
};

static enum store_step
list_row(void *arg, const char *key, const void *data, size_t len)
{
	const char *hash = store_key_last(key);
	struct listing *listing = arg;
	cJSON *row;

	if (!hex_is_sha256(hash) ||
	    (listing->after != NULL && strcmp(hash, listing->after) == 0))
		return STORE_NEXT;
	if (listing->count == LIST_MAX) {
		listing->more = true;
		return STORE_STOP;
	}
	row = store_row_json(key, data, len);
	if (row == NULL)
		return STORE_NEXT;
	json_add_string(row, "hash", hash);
	cJSON_AddItemToArray(listing->list, row);
	strcpy(listing->last, hash);
	listing->count++;
	return STORE_NEXT;
}

void
resource_list_serve(struct visit *visit)
{
	const char *account = visit->caller.account;
	struct listing listing = { .after = visit_query(visit, "after") };
	struct store_key prefix, from;
	struct store_view *view;
	cJSON *body;

	if (listing.after != NULL && !hex_is_sha256(listing.after)) {
		visit_problem(visit, "malformed", "after is a hash");
		return;
	}
	view = store_read_begin(visit->mailboxd->store);
	listing.list = cJSON_CreateArray();
	if (view == NULL ||
	    store_scan(view, store_key_resource(&prefix, account, NULL),
		listing.after != NULL ?
		    store_key_resource(&from, account, listing.after) :
		    NULL,
		list_row, &listing) == -1) {
		visit_problem(visit, "unavailable", "the store");
		cJSON_Delete(listing.list);
	} else {
		body = cJSON_CreateObject();
		json_add_item(body, "resources", listing.list);
		if (listing.more)
			json_add_string(body, "next", listing.last);
		visit_reply_json(visit, 200, body);
	}
	if (view != NULL)
		store_read_end(&view);
}
