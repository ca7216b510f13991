/* SPDX-License-Identifier: ISC
 *
 * The requests of a release: see release_fetch.h.
 */
#include "release_fetch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cargo_api.h"
#include "cargo_placeholder.h"
#include "cargo_problem.h"
#include "grip_name.h"
#include "json_strict.h"
#include "mail_address.h"
#include "memory.h"
#include "mailbox_peer.h"
#include "notify.h"

#define ANSWER_MAX (256 * 1024) /* bytes of a message's description */
#define SLACK 10 /* seconds for the server beyond what it was given */

/* One request under way. */
struct asking {
	struct mailbox_peer *peer;
	const struct release_place *place;
	struct http_client *client;
	struct reason *why;
};

static enum outcome
get_token(struct asking *asking, const char *identity, char **token_r)
{
	const struct destination *destination = &asking->place->destination;
	struct grip_claims claims = {
		.aud = x_strdup(destination->url.host),
		.mailbox = x_strdup(destination->mailbox),
		.id = x_strdup(asking->place->message),
	};
	enum outcome outcome;

	outcome = mailbox_peer_token(asking->peer,
	    &(struct mailbox_peer_token){ &destination->url, identity,
		GRIP_RELEASE, &claims },
	    token_r, asking->why);
	grip_claims_free(&claims);
	return outcome;
}

static enum outcome
perform(struct asking *asking, const char *identity, struct http_call *call,
    const char *path, struct http_result *result)
{
	const struct service_url *server = &asking->place->destination.url;
	struct http_header_list *headers = x_malloc(sizeof(*headers));
	char *token = NULL, *url = NULL;
	enum outcome outcome;

	http_header_init(headers);
	outcome = get_token(asking, identity, &token);
	if (outcome == OUTCOME_OK) {
		http_header_add(headers, "Host", server->host);
		http_header_add_format(headers, "Authorization", "GRIP %s",
		    token);
		url = mailbox_peer_url(asking->peer, server, path);
		call->headers = headers;
		call->url = url;
		outcome = http_client_perform(asking->client, call, result,
		    asking->why);
	}
	free(token);
	free(url);
	free(headers);
	/* Neither gripd's no nor trouble on the way is for good. */
	if (outcome != OUTCOME_OK)
		return asking->why->outcome = OUTCOME_TEMPFAIL;
	if (result->status / 100 == 2)
		return OUTCOME_OK;
	return mailbox_peer_judge(server, result, asking->why);
}

static enum outcome
ask(void *context, const struct release_place *place, struct http_call *call,
    const char *path, struct http_result *result, struct reason *why)
{
	struct asking asking = { notify_get_peer(context), place, NULL, why };
	char identity[GRIP_NAME_SIZE];
	enum outcome outcome;

	snprintf(identity, sizeof(identity), "_cb.%s",
	    mail_address_domain(place->destination.mailbox));
	outcome = mailbox_peer_get(asking.peer, identity,
	    &place->destination.url, &asking.client, why);
	if (outcome != OUTCOME_OK)
		return why->outcome = OUTCOME_TEMPFAIL;
	return perform(&asking, identity, call, path, result);
}

/* ---- how it stands ----------------------------------------------------- */

static const char *
first_problem(const cJSON *message)
{
	const cJSON *resource;
	const char *problem;

	cJSON_ArrayForEach(resource, json_array(message, "resources"))
	{
		problem = json_string(resource, "problem");
		if (problem != NULL && cargo_problem_find(problem) != NULL)
			return problem;
	}
	return "refused";
}

static enum outcome
read_state(const struct release_place *place, const struct http_result *result,
    struct reason *why)
{
	cJSON *json =
	    json_parse(buffer_string(&result->body), result->body.len, NULL);
	const char *state = json_string(json, "state");
	enum outcome outcome = OUTCOME_OK;

	if (state == NULL)
		outcome = reason_set(why, OUTCOME_TEMPFAIL, "unavailable",
		    "%s does not say how the message stands",
		    place->destination.url.host);
	else if (strcmp(state, "pending") == 0)
		outcome = reason_set(why, OUTCOME_TEMPFAIL, "pending",
		    "the resources have not all come");
	else if (strcmp(state, "stored") != 0)
		outcome = reason_set(why, OUTCOME_PERMFAIL, first_problem(json),
		    "not all resources could be had");
	cJSON_Delete(json);
	return outcome;
}

static enum outcome
wait_for_message(void *context, const struct release_place *place,
    int64_t seconds, struct reason *why)
{
	int64_t wait =
	    seconds < CARGO_API_WAIT_MAX ? seconds : CARGO_API_WAIT_MAX;
	struct http_call call = {
		.method = HTTP_GET,
		.max_body = ANSWER_MAX,
		.wait_s = (unsigned)wait + SLACK,
		.total_ms = (unsigned)(wait + SLACK) * 1000,
	};
	char *path = x_asprintf("%s%s?wait=%d", CARGO_API_MESSAGE,
	    place->message, (int)wait);
	struct http_result result;
	enum outcome outcome;

	http_result_init(&result);
	outcome = ask(context, place, &call, path, &result, why);
	if (outcome == OUTCOME_OK)
		outcome = read_state(place, &result, why);
	http_result_free(&result);
	free(path);
	return outcome;
}

/* ---- its resources ----------------------------------------------------- */

static int
take(void *arg, const void *data, size_t len)
{
	spool_add(arg, data, len);
	return 0;
}

static enum outcome
fetch_resource(void *context, const struct release_place *place,
    const char *hash, int64_t seconds, struct spool *spool, struct reason *why)
{
	struct http_call call = {
		.method = HTTP_GET,
		.sink = take,
		.arg = spool,
		.max_body = CARGO_MAX_SIZE,
		.total_ms = (unsigned)seconds * 1000,
	};
	char *path = x_asprintf("%s%s", CARGO_API_RESOURCE, hash);
	struct http_result result;
	enum outcome outcome;

	http_result_init(&result);
	outcome = ask(context, place, &call, path, &result, why);
	http_result_free(&result);
	free(path);
	return outcome;
}

const struct release_source release_fetch_source = {
	wait_for_message,
	fetch_resource,
};
