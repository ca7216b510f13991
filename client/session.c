/* SPDX-License-Identifier: ISC
 *
 * Authentication and requests of cargomail(1).
 */
#include "session.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cargo_api.h"
#include "cargo_problem.h"
#include "encoding.h"
#include "json_strict.h"
#include "memory.h"
#include "password.h"
#include "token_cache.h"

#define JSON_MAX_BODY (8 * 1024 * 1024) /* a long list of messages */

struct session {
	const struct client_config *config;
	const struct client_mailbox *mailbox;
	struct http_client_trust *trust;
	struct http_client *http;
	char *token;
};

struct session *
session_open(const struct client_config *config,
    const struct client_mailbox *mailbox, struct reason *why)
{
	struct session *session = x_calloc(1, sizeof(*session));
	struct http_client_options options = {
		.user_agent = "cargomail/" VERSION,
		.low_speed_s = 60,
	};

	session->config = config;
	session->mailbox = mailbox;
	session->trust = http_client_trust_load(config->ca_bundle, why);
	options.trust = session->trust;
	if (session->trust != NULL)
		session->http = http_client_new(&options, why);
	if (session->http == NULL)
		session_close(&session);
	return session;
}

void
session_close(struct session **session)
{
	if (*session == NULL)
		return;
	http_client_free(&(*session)->http);
	http_client_trust_free(&(*session)->trust);
	password_free(&(*session)->token);
	x_free(session);
}

void
session_use_token(struct session *session, const char *token)
{
	password_free(&session->token);
	session->token = x_strdup(token);
}

const struct client_mailbox *
session_mailbox(const struct session *session)
{
	return session->mailbox;
}

enum outcome
session_refused(const struct http_result *result, struct reason *why)
{
	const struct cargo_problem *problem;

	problem = cargo_problem_find(result->problem);
	if (problem == NULL)
		return reason_set(why, OUTCOME_TEMPFAIL, "unavailable",
		    "the mailbox answered %u", result->status);
	return reason_set(why,
	    problem->permanent ? OUTCOME_PERMFAIL : OUTCOME_TEMPFAIL,
	    problem->name, "%s%s%s", problem->title,
	    result->detail[0] != '\0' ? ": " : "", result->detail);
}

/* "Basic" and name and password; RFC 7617 has no way to write a colon in
 * a name. */
static enum outcome
add_basic(const struct client_mailbox *mailbox,
    struct http_header_list *headers, struct reason *why)
{
	char *password = NULL, *both, *encoded;
	enum outcome outcome;

	if (strchr(mailbox->user, ':') != NULL)
		return reason_set(why, OUTCOME_PERMFAIL, "credentials",
		    "mailbox %s: user may not contain a colon", mailbox->name);
	outcome = password_run(mailbox->password_command, &password, why);
	if (outcome != OUTCOME_OK)
		return outcome;
	both = x_asprintf("%s:%s", mailbox->user, password);
	encoded = base64_format(both, strlen(both));
	if (encoded != NULL)
		http_header_add_format(headers, "Authorization", "Basic %s",
		    encoded);
	password_free(&password);
	password_free(&both);
	password_free(&encoded);
	return OUTCOME_OK;
}

/* Keeps the token of the answer. */
static enum outcome
take_token(struct session *session, const struct http_result *result,
    struct reason *why)
{
	const struct client_mailbox *mailbox = session->mailbox;
	const char *token;
	cJSON *json;

	if (result->status / 100 != 2)
		return session_refused(result, why);
	json = json_parse(buffer_string(&result->body), result->body.len, NULL);
	token = json_string(json, "token");
	if (token != NULL && token[0] != '\0') {
		session->token = x_strdup(token);
		token_cache_write(mailbox->url, mailbox->user, token);
	}
	cJSON_Delete(json);
	if (session->token == NULL)
		return reason_set(why, OUTCOME_TEMPFAIL, "protocol",
		    "the mailbox gave no token");
	return OUTCOME_OK;
}

static enum outcome
log_in(struct session *session, struct reason *why)
{
	struct http_header_list headers;
	struct http_result result;
	struct http_call call = { .method = HTTP_POST,
		.headers = &headers,
		.body = "{}",
		.body_len = 2,
		.wait_s = 60 };
	enum outcome outcome;
	char *url;

	http_header_init(&headers);
	http_header_add(&headers, "Content-Type", "application/json");
	outcome = add_basic(session->mailbox, &headers, why);
	if (outcome != OUTCOME_OK)
		return outcome;
	http_result_init(&result);
	url = x_asprintf("%s" CARGO_API_SESSIONS, session->mailbox->url);
	call.url = url;
	outcome = http_client_perform(session->http, &call, &result, why);
	if (outcome == OUTCOME_OK)
		outcome = take_token(session, &result, why);
	explicit_bzero(&headers, sizeof(headers));
	free(url);
	http_result_free(&result);
	return outcome;
}

/* One attempt with the token at hand. `headers` stays as it was. */
static enum outcome
attempt(struct session *session, struct http_call *call,
    const struct http_header_list *headers, struct http_result *result_r,
    struct reason *why)
{
	struct http_header_list all;
	enum outcome outcome;

	if (headers != NULL)
		all = *headers;
	else
		http_header_init(&all);
	http_header_add_format(&all, "Authorization", "Bearer %s",
	    session->token);
	call->headers = &all;
	outcome = http_client_perform(session->http, call, result_r, why);
	call->headers = NULL;
	explicit_bzero(&all, sizeof(all));
	return outcome;
}

enum outcome
session_call(struct session *session, struct http_call *call, const char *path,
    struct http_header_list *headers, struct http_result *result_r,
    struct reason *why)
{
	const struct client_mailbox *mailbox = session->mailbox;
	enum outcome outcome = OUTCOME_OK;
	bool fresh = false;
	char *url;

	if (session->token == NULL)
		session->token = token_cache_read(mailbox->url, mailbox->user);
	if (session->token == NULL) {
		outcome = log_in(session, why);
		fresh = true;
	}
	if (outcome != OUTCOME_OK)
		return outcome;
	url = x_asprintf("%s%s", mailbox->url, path);
	call->url = url;
	outcome = attempt(session, call, headers, result_r, why);
	if (outcome == OUTCOME_OK && result_r->status == 401 && !fresh &&
	    call->read == NULL) {
		/* Expired or withdrawn: the password buys another. */
		token_cache_remove(mailbox->url, mailbox->user);
		password_free(&session->token);
		outcome = log_in(session, why);
		if (outcome == OUTCOME_OK)
			outcome =
			    attempt(session, call, headers, result_r, why);
	}
	call->url = NULL;
	free(url);
	return outcome;
}

enum outcome
session_json(struct session *session, enum http_method method, const char *path,
    const char *body, cJSON **answer_r, struct reason *why)
{
	struct http_header_list headers;
	struct http_result result;
	struct http_call call = { .method = method,
		.body = body,
		.max_body = JSON_MAX_BODY,
		.wait_s = CARGO_API_WAIT_MAX };
	const char *error = "";
	enum outcome outcome;

	*answer_r = NULL;
	http_header_init(&headers);
	if (body != NULL) {
		call.body_len = (int64_t)strlen(body);
		http_header_add(&headers, "Content-Type", "application/json");
	}
	http_result_init(&result);
	outcome = session_call(session, &call, path, &headers, &result, why);
	if (outcome == OUTCOME_OK && result.status / 100 != 2) {
		outcome = session_refused(&result, why);
	} else if (outcome == OUTCOME_OK && result.body.len > 0) {
		*answer_r = json_parse(buffer_string(&result.body),
		    result.body.len, &error);
		if (*answer_r == NULL)
			outcome = reason_set(why, OUTCOME_TEMPFAIL, "protocol",
			    "the mailbox's answer: %s", error);
	}
	http_result_free(&result);
	return outcome;
}
