/* SPDX-License-Identifier: ISC
 *
 * The sender's mailbox: see origin.h.
 */
#include "origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cargo_api.h"
#include "clock.h"
#include "grip_name.h"
#include "json_strict.h"
#include "mail_address.h"
#include "mailbox_peer.h"
#include "memory.h"

/* A token is good for five minutes; its share's requests use it for less. */
#define TOKEN_SECONDS 120

#define WEB_SECONDS 300 /* before a mailbox is asked again for its pages */

/* After the last byte of a resource the mailbox still writes it to disk. */
#define COMMIT_SECONDS 300

struct origin {
	const struct broker_config *config;
	struct breaker *breaker;
	struct mailbox_peer *peer;
	/* Of the share last spoken of. */
	char *token;
	char token_for[SERVICE_URL_SIZE + CARGO_API_SHARE_ID_LEN + 2];
	int64_t token_until;
	/* Of the mailbox last asked. */
	char web_of[SERVICE_URL_SIZE];
	char web[SERVICE_URL_SIZE]; /* "": it has no pages */
	int64_t web_until;
};

/* One request. */
struct request {
	struct origin *origin;
	const struct origin_share *share;
	struct http_call call;
	struct http_header_list headers;
	struct http_result result;
	struct reason *why;
};

struct origin *
origin_new(const struct broker_config *config, struct breaker *breaker)
{
	struct origin *origin = x_calloc(1, sizeof(*origin));

	origin->config = config;
	origin->breaker = breaker;
	origin->peer = mailbox_peer_new(config);
	return origin;
}

void
origin_free(struct origin **origin)
{
	if (*origin == NULL)
		return;
	mailbox_peer_free(&(*origin)->peer);
	free((*origin)->token);
	x_free(origin);
}

/* ---- one request -------------------------------------------------------- */

static void
identity_of(const struct origin_share *share, char identity_r[GRIP_NAME_SIZE])
{
	snprintf(identity_r, GRIP_NAME_SIZE, "_cb.%s",
	    mail_address_domain(share->user));
}

/* Sets origin->token to one for this share. */
static enum outcome
get_token(const struct request *request)
{
	struct origin *origin = request->origin;
	const struct origin_share *share = request->share;
	char identity[GRIP_NAME_SIZE], what[sizeof(origin->token_for)];
	struct grip_claims claims = { .exp = 0 };
	int64_t now = clock_now();
	enum outcome outcome;

	snprintf(what, sizeof(what), "%s %s", share->id, share->url->text);
	if (origin->token != NULL && origin->token_until > now &&
	    strcmp(origin->token_for, what) == 0 &&
	    mailbox_peer_owns(origin->peer, share->url, origin->token))
		return OUTCOME_OK;
	free(origin->token);
	origin->token = NULL;
	claims.aud = x_strdup(share->url->host);
	claims.user = x_strdup(share->user);
	claims.share = x_strdup(share->id);
	claims.message = x_strdup(share->message);
	identity_of(share, identity);
	outcome = mailbox_peer_token(origin->peer,
	    &(struct mailbox_peer_token){ share->url, identity, GRIP_PUT,
		&claims },
	    &origin->token, request->why);
	grip_claims_free(&claims);
	if (outcome != OUTCOME_OK)
		/* gripd's no is our own configuration's. */
		return request->why->outcome = OUTCOME_TEMPFAIL;
	memcpy(origin->token_for, what, sizeof(what));
	origin->token_until = now + TOKEN_SECONDS;
	return OUTCOME_OK;
}

static void
request_init(struct request *request, struct origin *origin,
    const struct origin_share *share, struct reason *why)
{
	memset(request, 0, sizeof(*request));
	request->origin = origin;
	request->share = share;
	request->why = why;
	request->call.headers = &request->headers;
	request->call.max_body = 65536;
	http_header_init(&request->headers);
	http_result_init(&request->result);
	/* On its Unix socket the URL does not tell which name is meant. */
	if (mailbox_peer_is_local(origin->peer, share->url))
		http_header_add(&request->headers, "Host", share->url->host);
}

/* The call itself, and the breaker's report. */
static enum outcome
transfer(struct request *request, struct http_client *client, const char *path)
{
	struct origin *origin = request->origin;
	const struct service_url *url = request->share->url;
	char *full = mailbox_peer_url(origin->peer, url, path);
	enum outcome outcome;

	request->call.url = full;
	outcome = http_client_perform(client, &request->call, &request->result,
	    request->why);
	free(full);
	/* A status of its own says more than a connection that broke while
	 * the body was still on its way. */
	if (request->result.status >= 400)
		outcome = OUTCOME_OK;
	/* 507: this account is full, or for once the server is. */
	breaker_report(origin->breaker, url->host,
	    outcome == OUTCOME_OK &&
		(request->result.status < 500 || request->result.status == 507),
	    clock_now());
	if (outcome != OUTCOME_OK)
		return request->why->outcome = OUTCOME_TEMPFAIL;
	if (request->result.status / 100 != 2)
		return mailbox_peer_judge(url, &request->result, request->why);
	return OUTCOME_OK;
}

/* OK only for a status of 2xx. */
static enum outcome
perform(struct request *request, const char *path, bool is_public)
{
	struct origin *origin = request->origin;
	const struct service_url *url = request->share->url;
	char identity[GRIP_NAME_SIZE];
	struct http_client *client = NULL;
	enum outcome outcome;

	if (!breaker_allows(origin->breaker, url->host, clock_now()))
		return reason_set(request->why, OUTCOME_TEMPFAIL, "breaker",
		    "%s is down, not tried", url->host);
	identity_of(request->share, identity);
	outcome = mailbox_peer_get(origin->peer, identity, url, &client,
	    request->why);
	if (outcome == OUTCOME_OK && !is_public) {
		outcome = get_token(request);
		if (outcome == OUTCOME_OK)
			http_header_add_format(&request->headers,
			    "Authorization", "GRIP %s", origin->token);
	}
	if (outcome == OUTCOME_OK)
		outcome = transfer(request, client, path);
	return outcome;
}

/* ---- resources ---------------------------------------------------------- */

enum outcome
origin_put(struct origin *origin, const struct origin_share *share,
    const struct origin_resource *resource, struct reason *why)
{
	char *path = cargo_api_resource_path(resource->hash, resource->name);
	struct request request;
	enum outcome outcome;

	request_init(&request, origin, share, why);
	request.call.method = HTTP_PUT;
	request.call.body_len = resource->size;
	request.call.wait_s = COMMIT_SECONDS;
	if (resource->size > 0) {
		request.call.read = resource->read;
		request.call.arg = resource->arg;
	} else
		request.call.body = "";
	http_header_add(&request.headers, "Content-Type",
	    resource->type != NULL ? resource->type :
				     "application/octet-stream");
	/* A refusal comes before the bytes go out. */
	http_header_add(&request.headers, "Expect", "100-continue");
	outcome = perform(&request, path, false);
	http_result_free(&request.result);
	free(path);
	return outcome;
}

/* ---- shares ------------------------------------------------------------- */

static cJSON *
list_texts(const char *const *texts, size_t count)
{
	cJSON *list = cJSON_CreateArray();

	for (size_t i = 0; i < count; i++)
		cJSON_AddItemToArray(list, cJSON_CreateString(texts[i]));
	return list;
}

static cJSON *
list_pages(const struct origin_share *share)
{
	cJSON *list = cJSON_CreateArray();

	for (size_t i = 0; i < share->page_count; i++) {
		cJSON *page = cJSON_CreateObject();

		json_add_string(page, "recipient", share->pages[i].recipient);
		json_add_string(page, "key", share->pages[i].key);
		cJSON_AddItemToArray(list, page);
	}
	return list;
}

/* The body; owned by the caller, NULL for want of memory. */
static char *
format_share(const struct origin_share *share)
{
	cJSON *json = cJSON_CreateObject();
	char *text;

	json_add_string(json, "message", share->message);
	json_add_item(json, "recipients",
	    list_texts((const char *const *)share->recipients,
		share->recipient_count));
	json_add_item(json, "resources",
	    list_texts(share->hashes, share->hash_count));
	json_add_string(json, "category",
	    share->category != NULL ? share->category : "");
	json_add_integer(json, "expires", share->expires);
	if (share->page_count > 0)
		json_add_item(json, "pages", list_pages(share));
	text = json_format(json);
	cJSON_Delete(json);
	return text;
}

enum outcome
origin_share(struct origin *origin, const struct origin_share *share,
    struct reason *why)
{
	char *path = x_asprintf(CARGO_API_SHARE "%s", share->id);
	char *body = format_share(share);
	struct request request;
	enum outcome outcome;

	request_init(&request, origin, share, why);
	request.call.method = HTTP_PUT;
	request.call.body = body;
	request.call.body_len = body != NULL ? (int64_t)strlen(body) : 0;
	request.call.total_ms = (unsigned)origin->config->notify_timeout * 1000;
	http_header_add(&request.headers, "Content-Type", "application/json");
	if (body == NULL)
		outcome =
		    reason_set(why, OUTCOME_TEMPFAIL, "local", "out of memory");
	else
		outcome = perform(&request, path, false);
	http_result_free(&request.result);
	free(body);
	free(path);
	return outcome;
}

enum outcome
origin_withdraw(struct origin *origin, const struct origin_share *share,
    struct reason *why)
{
	char *path = x_asprintf(CARGO_API_SHARE "%s", share->id);
	struct request request;
	enum outcome outcome;

	request_init(&request, origin, share, why);
	request.call.method = HTTP_DELETE;
	request.call.total_ms = (unsigned)origin->config->notify_timeout * 1000;
	outcome = perform(&request, path, false);
	http_result_free(&request.result);
	free(path);
	if (outcome == OUTCOME_PERMFAIL && reason_is(why, "not-found"))
		return OUTCOME_OK;
	return outcome;
}

/* ---- pages -------------------------------------------------------------- */

static void
read_web(struct origin *origin, const struct request *request)
{
	const struct buffer *body = &request->result.body;
	cJSON *json = json_parse(buffer_string(body), body->len, NULL);
	const char *web = json != NULL ? json_string(json, "web") : NULL;
	struct service_url url;

	origin->web[0] = '\0';
	if (web != NULL &&
	    service_url_parse(web, &origin->config->outward.port_list, &url) ==
		0)
		memcpy(origin->web, url.text, sizeof(origin->web));
	memcpy(origin->web_of, request->share->url->text,
	    sizeof(origin->web_of));
	origin->web_until = clock_now() + WEB_SECONDS;
	cJSON_Delete(json);
}

enum outcome
origin_web(struct origin *origin, const struct origin_share *share,
    char web_r[SERVICE_URL_SIZE], struct reason *why)
{
	struct request request;
	enum outcome outcome = OUTCOME_OK;

	web_r[0] = '\0';
	if (strcmp(origin->web_of, share->url->text) != 0 ||
	    origin->web_until <= clock_now()) {
		request_init(&request, origin, share, why);
		request.call.method = HTTP_GET;
		request.call.total_ms =
		    (unsigned)origin->config->notify_timeout * 1000;
		outcome = perform(&request, CARGO_API_WELL_KNOWN, true);
		if (outcome == OUTCOME_OK)
			read_web(origin, &request);
		http_result_free(&request.result);
	}
	if (outcome != OUTCOME_OK)
		return why->outcome = OUTCOME_TEMPFAIL;
	if (origin->web[0] == '\0')
		return reason_set(why, OUTCOME_PERMFAIL, "no-web",
		    "%s has no pages for people", share->url->host);
	memcpy(web_r, origin->web, SERVICE_URL_SIZE);
	return OUTCOME_OK;
}
