/* SPDX-License-Identifier: ISC
 *
 * A notification on its way in: token (verified by gripd before this), agent
 * and account, body, digest, placeholder (in a child), placeholder's blob,
 * transaction, 202. The body is hostile throughout.
 */
#include <stdlib.h>
#include <string.h>

#include "access_release.h"
#include "cargo_api.h"
#include "clock.h"
#include "encoding.h"
#include "json_strict.h"
#include "log.h"
#include "memory.h"
#include "notification.h"
#include "notification_store.h"
#include "placeholder_worker.h"
#include "pull_server.h"
#include "service_url.h"
#include "store_upload.h"
#include "wait_list.h"

struct notifying {
	struct visit *visit; /* held while something is under way */
	struct cargo_notification *notification;
	struct notification_work work;
	char *token;
	struct store_upload *upload;
};

static void
notifying_free(void *state)
{
	struct notifying *notifying = state;

	cargo_notification_free(&notifying->notification);
	free(notifying->token);
	free(notifying);
}

/* ---- before the body ----------------------------------------------------- */

static bool
origin_is_own(const struct mailboxd_config *config,
    const struct service_url *origin)
{
	bool own = false;
	size_t i;
	char *url;

	for (i = 0; i < config->server_names.count && !own; i++) {
		url =
		    mailboxd_config_url(config, config->server_names.items[i]);
		own = strcmp(url, origin->text) == 0;
		free(url);
	}
	return own;
}

static int
take_claims(struct visit *visit, struct notifying *notifying)
{
	const struct caller *caller = &visit->caller;
	struct notification_claims *claims = &notifying->work.claims;
	const char *field;

	claims->iss = caller_claim(caller, "iss");
	claims->sender = caller_claim(caller, "sender");
	claims->recipient = caller_claim(caller, "recipient");
	claims->mailbox = caller_claim(caller, "mailbox");
	claims->origin = caller_claim(caller, "origin");
	claims->share = caller_claim(caller, "share");
	claims->message = caller_claim(caller, "message");
	claims->agent = caller_claim(caller, "agent");
	field = http_request_get(visit->request, "authorization");
	field += strcspn(field, " ");
	field += strspn(field, " ");
	notifying->token = x_strdup(field);
	claims->token = notifying->token;
	return json_integer(caller->claims, "exp", 0, JSON_MAX_INTEGER,
	    &claims->expires);
}

/* What the broker's Postfix calls the message, for our log. */
static void
take_queue_id(const struct visit *visit, struct notifying *notifying)
{
	const char *field =
	    http_request_get(visit->request, CARGO_API_QUEUE_ID);

	if (cargo_api_is_queue_id(field))
		strcpy(notifying->work.queue_id, field);
}

/* If-Match: "ID". The broker notifies again what we know already: nothing new
 * is to come of it. */
static int
take_known(struct visit *visit, struct notifying *notifying)
{
	const char *field = http_request_get(visit->request, "if-match");
	char *known = notifying->work.known;

	if (field == NULL)
		return 0;
	if (strlen(field) != STORE_ID_LEN + 2 || field[0] != '"' ||
	    field[STORE_ID_LEN + 1] != '"')
		return -1;
	memcpy(known, field + 1, STORE_ID_LEN);
	return store_id_valid(known) ? 0 : -1;
}

/* What the token alone decides. */
static enum outcome
check_token(struct visit *visit, struct notifying *notifying,
    struct reason *why)
{
	const struct mailboxd_config *config = visit->mailboxd->config;
	struct access_asked asked;
	const char *agent, *audience;
	struct service_url origin;
	struct store_view *view;
	enum outcome outcome;

	take_queue_id(visit, notifying);
	if (take_claims(visit, notifying) == -1)
		return reason_set(why, OUTCOME_PERMFAIL, "form", "no exp");
	/* What retrievald would never ask is not taken on. */
	if (service_url_parse(notifying->work.claims.origin,
		&config->origin_ports, &origin) == -1)
		return reason_set(why, OUTCOME_PERMFAIL, "placeholder",
		    "%s is no origin, or names a port that is not allowed",
		    notifying->work.claims.origin);
	audience = caller_claim(&visit->caller, "aud");
	agent = mailboxd_config_agent(config, audience);
	if (strcmp(agent, notifying->work.claims.agent) != 0)
		return reason_set(why, OUTCOME_PERMFAIL, "agent",
		    "the agent of %s is %s", audience, agent);
	view = store_read_begin(visit->mailboxd->store);
	if (view == NULL)
		return reason_set(why, OUTCOME_TEMPFAIL, "unavailable",
		    "the store cannot be read");
	asked.address = notifying->work.claims.mailbox;
	asked.broker = notifying->work.claims.iss;
	outcome = access_account_or_new(view, config, &asked,
	    notifying->work.placeholder.account, why);
	store_read_end(&view);
	if (outcome == OUTCOME_OK &&
	    notifying->work.placeholder.account[0] == '\0')
		account_make_init(&notifying->work.make, config, asked.address,
		    asked.broker);
	notifying->work.local = origin_is_own(config, &origin);
	return outcome;
}

/* ---- the end ------------------------------------------------------------- */

static void
log_notified(const struct notifying *notifying)
{
	const struct notification_work *work = &notifying->work;
	struct log_line line;

	metrics_count(notifying->visit->mailboxd->metrics,
	    MAILBOXD_NOTIFICATIONS, work->existed ? "again" : "new");
	log_begin(&line, LOG_INFO, work->id,
	    work->existed ? "notify-again" : "notify");
	if (work->queue_id[0] != '\0')
		log_string(&line, LOG_KEY_ORIG_QUEUE_ID, work->queue_id);
	log_string(&line, LOG_KEY_IDENTITY, work->claims.iss);
	log_string(&line, LOG_KEY_SENDER, work->claims.sender);
	log_string(&line, LOG_KEY_RECIPIENT, work->claims.recipient);
	log_string(&line, LOG_KEY_MAILBOX, work->claims.mailbox);
	log_string(&line, LOG_KEY_MESSAGE_ID, work->claims.message);
	log_string(&line, LOG_KEY_ORIGIN, work->claims.origin);
	log_string(&line, LOG_KEY_SHARE, work->claims.share);
	log_number(&line, LOG_KEY_RESOURCES,
	    (int64_t)notifying->notification->count);
	log_end(&line);
}

/* What the broker may hope for: see access_release.h. While that cannot be
 * told, it is to ask, and to be answered then: a no is for good. */
static bool
is_released(struct mailboxd *mailboxd, const char *account)
{
	struct store_view *view = store_read_begin(mailboxd->store);
	bool released;

	if (view == NULL)
		return true;
	released = access_releases(view, mailboxd->config, account) != 0;
	store_read_end(&view);
	return released;
}

static void
on_committed(void *arg, enum outcome outcome, const struct reason *why)
{
	struct notifying *notifying = arg;
	struct visit *visit = notifying->visit;
	struct mailboxd *mailboxd = visit->mailboxd;
	cJSON *body;

	if (outcome != OUTCOME_OK || notifying->work.existed)
		store_blob_discard(mailboxd->store,
		    notifying->work.placeholder.blob.locator);
	if (outcome != OUTCOME_OK) {
		visit_refuse(visit, why);
	} else {
		account_make_tell(&notifying->work.make, notifying->work.id,
		    mailboxd);
		log_notified(notifying);
		pull_server_poke(mailboxd->pulls);
		wait_list_poke(mailboxd->messages);
		body = cJSON_CreateObject();
		json_add_string(body, "message", notifying->work.id);
		json_add_boolean(body, "release",
		    is_released(mailboxd, notifying->work.placeholder.account));
		visit_reply_json(visit, 202, body);
	}
	visit_release(visit);
}

static enum outcome
commit_work(struct store_txn *txn, void *arg)
{
	struct notifying *notifying = arg;

	return notification_store_work(txn, &notifying->work);
}

static void
on_stored(void *arg, enum outcome outcome, const struct reason *why,
    const struct store_blob *blob)
{
	struct notifying *notifying = arg;

	if (outcome != OUTCOME_OK) {
		visit_refuse(notifying->visit, why);
		visit_release(notifying->visit);
		return;
	}
	notifying->work.placeholder.blob = *blob;
	notifying->work.placeholder.now = clock_now();
	store_submit(notifying->visit->mailboxd->store, commit_work,
	    on_committed, notifying);
}

/* The placeholder itself is a resource. */
static void
store_placeholder(struct notifying *notifying)
{
	static const struct store_upload_handler handler = { NULL, NULL };
	const struct cargo_notification *notification = notifying->notification;
	struct store_upload_request request = {
		.size = (int64_t)notification->placeholder_len
	};
	char hash[SHA256_HEX_SIZE];
	struct reason why;

	sha256_hex(notification->placeholder, notification->placeholder_len,
	    hash);
	request.hash = hash;
	notifying->upload =
	    store_upload_begin(notifying->visit->mailboxd->store, &request,
		&handler, notifying, &why);
	if (notifying->upload == NULL) {
		visit_refuse(notifying->visit, &why);
		visit_release(notifying->visit);
		return;
	}
	(void)store_upload_write(notifying->upload, notification->placeholder,
	    notification->placeholder_len);
	store_upload_finish(&notifying->upload, on_stored);
}

static void
on_judged(void *arg, const cJSON *answer)
{
	struct notifying *notifying = arg;
	const struct notification_claims *claims = &notifying->work.claims;
	struct placeholder_facts facts;
	enum outcome outcome;
	struct reason why;

	outcome = placeholder_worker_read(answer, &facts, &why);
	if (outcome == OUTCOME_OK &&
	    (strcmp(facts.origin, claims->origin) != 0 ||
		strcmp(facts.share, claims->share) != 0))
		outcome = reason_set(&why, OUTCOME_PERMFAIL, "placeholder",
		    "token and placeholder name different shares");
	if (outcome == OUTCOME_OK) {
		store_placeholder(notifying);
		return;
	}
	visit_refuse(notifying->visit, &why);
	visit_release(notifying->visit);
}

/* ---- the body ------------------------------------------------------------ */

static enum outcome
parse_body(struct notifying *notifying, const char *body, size_t len,
    struct reason *why)
{
	char digest[SHA256_HEX_SIZE];
	enum outcome outcome;

	sha256_hex(body, len, digest);
	if (strcmp(digest, caller_claim(&notifying->visit->caller, "digest")) !=
	    0)
		return reason_set(why, OUTCOME_PERMFAIL, "digest",
		    "the body is not what the token says");
	outcome =
	    cargo_notification_parse(body, len, &notifying->notification, why);
	if (outcome == OUTCOME_PERMFAIL)
		strcpy(why->word,
		    reason_is(why, "limit") ? "too-large" : "malformed");
	notifying->work.notification = notifying->notification;
	return outcome;
}

static void
on_body_end(struct visit *visit)
{
	struct notifying *notifying = visit->state;
	const char *body;
	struct reason why;
	size_t len;

	body = http_exchange_gathered(visit->x, &len);
	if (parse_body(notifying, body, len, &why) != OUTCOME_OK) {
		visit_refuse(visit, &why);
		return;
	}
	visit_hold(visit);
	if (placeholder_worker_ask(visit->mailboxd->placeholders, body, len,
		on_judged, notifying) == -1) {
		visit_problem(visit, "busy", "too many are waiting");
		visit_release(visit);
	}
}

void
notification_serve(struct visit *visit)
{
	struct notifying *notifying;
	struct reason why;

	if (!visit->request->has_length) {
		visit_problem(visit, "length-required", "no Content-Length");
		return;
	}
	notifying = x_calloc(1, sizeof(*notifying));
	notifying->visit = visit;
	visit->state = notifying;
	visit->state_free = notifying_free;
	if (check_token(visit, notifying, &why) != OUTCOME_OK) {
		visit_refuse(visit, &why);
		return;
	}
	if (http_exchange_gather_body(visit->x, CARGO_API_NOTIFICATION_MAX) ==
	    -1) {
		visit_problem(visit, "too-large",
		    "a notification may have %d bytes",
		    CARGO_API_NOTIFICATION_MAX);
		return;
	}
	if (take_known(visit, notifying) == -1) {
		visit_problem(visit, "malformed", "If-Match: one message id");
		return;
	}
	notification_work_init(&notifying->work);
	visit->on_body_end = on_body_end;
}
