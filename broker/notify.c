/* SPDX-License-Identifier: ISC
 *
 * Notifications: see notify.h.
 */
#include "notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cargo_api.h"
#include "clock.h"
#include "encoding.h"
#include "grip_name.h"
#include "json_strict.h"
#include "mail_address.h"
#include "memory.h"
#include "mailbox_peer.h"

#define AGENTS_MAX 16
#define AGENT_SECONDS 300 /* before a destination's agent is asked again */

/* Of a message id, as the claim `id` of a token has it. */
#define ID_CHARACTERS \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

struct agent {
	char url[SERVICE_URL_SIZE];
	char name[GRIP_NAME_SIZE];
	int64_t until;
};

struct notify {
	const struct broker_config *config;
	struct breaker *breaker;
	struct mailbox_peer *peer;
	struct agent agents[AGENTS_MAX];
	size_t next_agent;
};

/* One notification under way. */
struct attempt {
	struct notify *notify;
	const struct notify_message *message;
	const struct destination *destination;
	const char *recipient;
	struct notify_answer *answer;
	char identity[GRIP_NAME_SIZE];
	struct http_client *client;
	struct reason *why;
};

struct notify *
notify_new(const struct broker_config *config, struct breaker *breaker)
{
	struct notify *notify = x_calloc(1, sizeof(*notify));

	notify->config = config;
	notify->breaker = breaker;
	notify->peer = mailbox_peer_new(config);
	return notify;
}

void
notify_free(struct notify **notify)
{
	if (*notify == NULL)
		return;
	mailbox_peer_free(&(*notify)->peer);
	x_free(notify);
}

struct mailbox_peer *
notify_get_peer(struct notify *notify)
{
	return notify->peer;
}

/* A request to the destination; reports to the breaker whether it is there.
 * OK only for a status of 2xx. */
static enum outcome
perform(struct attempt *attempt, struct http_call *call, const char *path,
    struct http_result *result)
{
	struct notify *notify = attempt->notify;
	char *url =
	    mailbox_peer_url(notify->peer, &attempt->destination->url, path);
	enum outcome outcome;

	call->url = url;
	call->total_ms = (unsigned)notify->config->notify_timeout * 1000;
	outcome =
	    http_client_perform(attempt->client, call, result, attempt->why);
	free(url);
	/* 507: this account is full, or for once the server is. */
	breaker_report(notify->breaker, attempt->destination->url.host,
	    outcome == OUTCOME_OK &&
		(result->status < 500 || result->status == 507),
	    clock_now());
	/* Trouble on the way is never the message's fault. */
	if (outcome != OUTCOME_OK)
		return attempt->why->outcome = OUTCOME_TEMPFAIL;
	if (result->status / 100 != 2)
		return mailbox_peer_judge(&attempt->destination->url, result,
		    attempt->why);
	return OUTCOME_OK;
}

/* Header fields of a request, owned by the caller. The server may have many
 * names; on its Unix socket the URL does not tell which is meant. */
static struct http_header_list *
new_headers(const struct attempt *attempt)
{
	struct http_header_list *headers = x_malloc(sizeof(*headers));

	http_header_init(headers);
	if (mailbox_peer_is_local(attempt->notify->peer,
		&attempt->destination->url))
		http_header_add(headers, "Host",
		    attempt->destination->url.host);
	return headers;
}

/* ---- the destination's agent ------------------------------------------- */

static struct agent *
find_agent(struct notify *notify, const char *url, int64_t now)
{
	for (size_t i = 0; i < AGENTS_MAX; i++)
		if (strcmp(notify->agents[i].url, url) == 0 &&
		    notify->agents[i].until > now)
			return &notify->agents[i];
	return NULL;
}

static enum outcome
read_agent(struct attempt *attempt, const struct http_result *result,
    struct agent **agent_r)
{
	struct notify *notify = attempt->notify;
	const char *url = attempt->destination->url.text;
	cJSON *json =
	    json_parse(buffer_string(&result->body), result->body.len, NULL);
	const char *name = json != NULL ? json_string(json, "agent") : NULL;
	struct agent *agent;

	if (name == NULL || !grip_name_is_service(name, "_rra")) {
		cJSON_Delete(json);
		return reason_set(attempt->why, OUTCOME_TEMPFAIL, "unavailable",
		    "%s names no retrieval agent", url);
	}
	agent = &notify->agents[notify->next_agent++ % AGENTS_MAX];
	snprintf(agent->url, sizeof(agent->url), "%s", url);
	snprintf(agent->name, sizeof(agent->name), "%s", name);
	agent->until = clock_now() + AGENT_SECONDS;
	cJSON_Delete(json);
	*agent_r = agent;
	return OUTCOME_OK;
}

static enum outcome
get_agent(struct attempt *attempt, struct agent **agent_r)
{
	struct http_header_list *headers;
	struct http_call call = { .method = HTTP_GET, .max_body = 65536 };
	struct http_result result;
	enum outcome outcome;

	*agent_r = find_agent(attempt->notify, attempt->destination->url.text,
	    clock_now());
	if (*agent_r != NULL)
		return OUTCOME_OK;
	call.headers = headers = new_headers(attempt);
	http_result_init(&result);
	outcome = perform(attempt, &call, CARGO_API_WELL_KNOWN, &result);
	if (outcome == OUTCOME_OK)
		outcome = read_agent(attempt, &result, agent_r);
	http_result_free(&result);
	free(headers);
	if (outcome == OUTCOME_OK)
		return OUTCOME_OK;
	/* Nothing that this page says can be about the message. */
	return attempt->why->outcome = OUTCOME_TEMPFAIL;
}

/* ---- the notification -------------------------------------------------- */

static enum outcome
get_token(struct attempt *attempt, const char *agent, char **token_r)
{
	const struct notify_message *message = attempt->message;
	const struct cargo_placeholder *placeholder = message->placeholder;
	char digest[SHA256_HEX_SIZE];
	struct grip_claims claims = {
		.exp = message->expires,
		.aud = x_strdup(attempt->destination->url.host),
		.sender = x_strdup(message->sender),
		.recipient = x_strdup(attempt->recipient),
		.mailbox = x_strdup(attempt->destination->mailbox),
		.share = x_strdup(placeholder->share),
		.message = x_strdup(placeholder->message_id),
		.origin = x_strdup(placeholder->origin),
		.agent = x_strdup(agent),
	};
	enum outcome outcome;

	sha256_hex(message->body, message->len, digest);
	claims.digest = x_strdup(digest);
	outcome = mailbox_peer_token(attempt->notify->peer,
	    &(struct mailbox_peer_token){ &attempt->destination->url,
		attempt->identity, GRIP_NOTIFY, &claims },
	    token_r, attempt->why);
	grip_claims_free(&claims);
	if (outcome == OUTCOME_OK)
		return OUTCOME_OK;
	/* gripd's no is our own configuration's: the message can wait. */
	return attempt->why->outcome = OUTCOME_TEMPFAIL;
}

/* It is taken, whatever stands in the answer; without a good id nothing can
 * be read back. */
static void
read_answer(const struct http_result *result, struct notify_answer *answer_r)
{
	cJSON *json =
	    json_parse(buffer_string(&result->body), result->body.len, NULL);
	const char *id = json_string(json, "message");

	if (id != NULL && id[0] != '\0' &&
	    strlen(id) < sizeof(answer_r->message) &&
	    strspn(id, ID_CHARACTERS) == strlen(id)) {
		strcpy(answer_r->message, id);
		answer_r->release = json_boolean(json, "release") == 1;
	}
	cJSON_Delete(json);
}

static enum outcome
post(struct attempt *attempt, const char *token)
{
	struct http_header_list *headers = new_headers(attempt);
	struct http_call call = {
		.method = HTTP_POST,
		.headers = headers,
		.body = attempt->message->body,
		.body_len = (int64_t)attempt->message->len,
		.max_body = 65536,
	};
	struct http_result result;
	enum outcome outcome;

	http_header_add(headers, "Content-Type", "application/json");
	http_header_add_format(headers, "Authorization", "GRIP %s", token);
	if (attempt->message->known != NULL)
		http_header_add_format(headers, "If-Match", "\"%s\"",
		    attempt->message->known);
	if (cargo_api_is_queue_id(attempt->message->queue_id))
		http_header_add(headers, CARGO_API_QUEUE_ID,
		    attempt->message->queue_id);
	http_result_init(&result);
	outcome = perform(attempt, &call, CARGO_API_NOTIFICATIONS, &result);
	if (outcome == OUTCOME_OK)
		read_answer(&result, attempt->answer);
	http_result_free(&result);
	free(headers);
	return outcome;
}

enum outcome
notify_send(struct notify *notify, const struct notify_message *message,
    const struct destination *destination, const char *recipient,
    struct notify_answer *answer_r, struct reason *why)
{
	struct attempt attempt = { notify, message, destination, recipient,
		answer_r, .why = why };
	struct agent *agent = NULL;
	enum outcome outcome;
	char *token = NULL;

	*answer_r = (struct notify_answer){ .release = false };
	snprintf(attempt.identity, sizeof(attempt.identity), "_cb.%s",
	    mail_address_domain(destination->mailbox));
	if (!breaker_allows(notify->breaker, destination->url.host,
		clock_now()))
		return reason_set(why, OUTCOME_TEMPFAIL, "breaker",
		    "%s is down, not tried", destination->url.host);
	outcome = mailbox_peer_get(notify->peer, attempt.identity,
	    &destination->url, &attempt.client, why);
	if (outcome == OUTCOME_OK)
		outcome = get_agent(&attempt, &agent);
	if (outcome == OUTCOME_OK)
		outcome = get_token(&attempt, agent->name, &token);
	if (outcome == OUTCOME_OK)
		outcome = post(&attempt, token);
	free(token);
	return outcome;
}
