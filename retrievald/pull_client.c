/* SPDX-License-Identifier: ISC
 *
 * The requests that carry no bytes of resources.
 */
#include "pull_client.h"

#include <stdlib.h>
#include <string.h>

#include "cargo_api.h"
#include "json_strict.h"
#include "memory.h"

#define BASE "http://localhost"
/* Beyond a long poll's own time: mailboxd may be busy with its disk. */
#define PATIENCE_S 15

struct pull_client {
	char *socket_path;
	struct http_client *http;
};

struct pull_client *
pull_client_new(const char *socket_path, struct reason *why)
{
	struct pull_client *client = x_calloc(1, sizeof(*client));
	struct http_client_options options = { 0 };

	client->socket_path = x_strdup(socket_path);
	options.unix_socket = client->socket_path;
	client->http = http_client_new(&options, why);
	if (client->http == NULL)
		pull_client_free(&client);
	return client;
}

void
pull_client_free(struct pull_client **client)
{
	if (*client == NULL)
		return;
	http_client_free(&(*client)->http);
	free((*client)->socket_path);
	x_free(client);
}

static enum outcome
post(struct pull_client *client, const char *url, const char *body,
    int64_t wait, struct http_result *result, struct reason *why)
{
	struct http_header_list headers;
	struct http_call call = {
		.method = HTTP_POST,
		.url = url,
		.headers = &headers,
		.body = body,
		.body_len = (int64_t)strlen(body),
		.max_body = LEASE_MAX_BODY,
		.wait_s = (unsigned)wait + PATIENCE_S,
	};

	http_header_init(&headers);
	http_header_add(&headers, "Content-Type", "application/json");
	return http_client_perform(client->http, &call, result, why);
}

/* What the log tells with the lease; mailboxd may be of before and not say. */
static void
take_queue_id(const struct http_result *result, struct lease *lease)
{
	char text[CARGO_API_QUEUE_ID_SIZE];

	if (cargo_api_is_queue_id(http_result_header(result, CARGO_API_QUEUE_ID,
		text, sizeof(text))))
		strcpy(lease->queue_id, text);
}

enum outcome
pull_client_lease(struct pull_client *client, int64_t wait,
    struct lease **lease_r, struct reason *why)
{
	struct http_result result;
	enum outcome outcome;
	char *url;

	*lease_r = NULL;
	http_result_init(&result);
	url = x_asprintf(BASE CARGO_API_PULLS_LEASE "?wait=%lld",
	    (long long)wait);
	outcome = post(client, url, "{}", wait, &result, why);
	free(url);
	if (outcome == OUTCOME_OK && result.status == 200)
		outcome = lease_parse(buffer_string(&result.body),
		    result.body.len, lease_r, why);
	else if (outcome == OUTCOME_OK && result.status != 204)
		outcome = reason_set(why, OUTCOME_TEMPFAIL,
		    result.problem[0] != '\0' ? result.problem : "mailboxd",
		    "mailboxd answered %u %s", result.status, result.detail);
	if (*lease_r != NULL)
		take_queue_id(&result, *lease_r);
	http_result_free(&result);
	return outcome;
}

static enum outcome
report(struct pull_client *client, const struct lease *lease, const char *what,
    const char *body, struct reason *why)
{
	struct http_result result;
	enum outcome outcome;
	char *url;

	http_result_init(&result);
	url = x_asprintf(BASE CARGO_API_PULL "%s/%s", lease->id, what);
	outcome = post(client, url, body, 0, &result, why);
	free(url);
	if (outcome == OUTCOME_OK && result.status / 100 != 2)
		outcome = reason_set(why, OUTCOME_TEMPFAIL,
		    result.problem[0] != '\0' ? result.problem : "mailboxd",
		    "mailboxd answered %u to %s", result.status, what);
	http_result_free(&result);
	return outcome == OUTCOME_OK ? OUTCOME_OK : OUTCOME_TEMPFAIL;
}

enum outcome
pull_client_done(struct pull_client *client, const struct lease *lease,
    struct reason *why)
{
	return report(client, lease, "done", "{}", why);
}

enum outcome
pull_client_entitled(struct pull_client *client, const struct lease *lease,
    const char *hash, struct reason *why)
{
	/* A hash is hex: nothing to escape. */
	char *body = x_asprintf("{\"hash\":\"%s\"}", hash);
	enum outcome outcome = report(client, lease, "entitled", body, why);

	free(body);
	return outcome;
}

enum outcome
pull_client_failed(struct pull_client *client, const struct lease *lease,
    const struct lease_facts *facts, struct reason *why)
{
	char *body = lease_facts_format(facts);
	enum outcome outcome = report(client, lease, "failed", body, why);

	free(body);
	return outcome;
}
