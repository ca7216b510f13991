/* SPDX-License-Identifier: ISC
 *
 * The story of one pull. Reads what an origin answers, which a stranger
 * named: length and status are compared with what the lease declares before
 * a byte is passed on, and mailboxd hashes what does pass.
 */
#include "retrieve.h"

#include <stdlib.h>
#include <string.h>

#include "cargo_api.h"
#include "cargo_peer.h"
#include "clock.h"
#include "grip_client.h"
#include "http_pipe.h"
#include "log.h"
#include "memory.h"
#include "peer_list.h"
#include "pull_client.h"
#include "service_url.h"

/* A token is used only if it lives this much longer (seconds): the origin's
 * clock is another one, and connecting takes time. */
#define TOKEN_RESERVE_S 60

struct retrieve {
	const struct retrievald_config *config;
	const char *pull_socket;
	struct pull_client *mailboxd;
	struct cargo_peer *peer;
	bool (*give_way)(void *arg, bool sliced);
	void *arg;
};

/* What one pull needs while it lasts. */
struct pull {
	struct retrieve *retrieve;
	const struct lease *lease;
	struct service_url origin;
	struct http_client *client;
	char *token; /* A */
	int64_t token_expires;
	int64_t bytes;
	int64_t started; /* monotonic, ms */
	bool lost; /* mailboxd no longer knows the lease */
};

struct retrieve *
retrieve_new(const struct retrievald_config *config,
    bool (*give_way)(void *arg, bool sliced), void *arg, struct reason *why)
{
	struct retrieve *retrieve = x_calloc(1, sizeof(*retrieve));
	struct cargo_peer_options options = {
		.self = PEER_RETRIEVAL,
		.role = GRIP_ROLE_AGENT,
		.user_agent = "Cargomail-retrievald/" VERSION,
		.outward = &config->outward,
		.gripd_timeout = config->gripd_timeout,
		.connect_timeout = config->connect_timeout,
		.minimum_rate = config->minimum_rate,
		.stall_timeout = config->stall_timeout,
	};

	retrieve->config = config;
	retrieve->give_way = give_way;
	retrieve->arg = arg;
	retrieve->pull_socket = peer_socket_path(PEER_MAILBOX, PEER_RETRIEVAL);
	retrieve->peer = cargo_peer_new(&options, why);
	if (retrieve->peer != NULL)
		retrieve->mailboxd =
		    pull_client_new(retrieve->pull_socket, why);
	if (retrieve->mailboxd == NULL)
		retrieve_free(&retrieve);
	return retrieve;
}

void
retrieve_free(struct retrieve **retrieve)
{
	if (*retrieve == NULL)
		return;
	cargo_peer_free(&(*retrieve)->peer);
	pull_client_free(&(*retrieve)->mailboxd);
	x_free(retrieve);
}

enum outcome
retrieve_lease(struct retrieve *retrieve, struct lease **lease_r,
    struct reason *why)
{
	return pull_client_lease(retrieve->mailboxd,
	    retrieve->config->lease_wait, lease_r, why);
}

/* A token A that is good for a while yet. */
static enum outcome
renew_token(struct pull *pull, struct reason *why)
{
	struct grip_claims claims = {
		.aud = pull->origin.host,
		.token = pull->lease->token,
	};
	struct grip_token *parsed = NULL;
	enum outcome outcome;

	if (pull->token != NULL &&
	    pull->token_expires - clock_now() > TOKEN_RESERVE_S)
		return OUTCOME_OK;
	x_free(&pull->token);
	outcome = cargo_peer_token(pull->retrieve->peer, pull->lease->agent,
	    GRIP_GET, &claims, &pull->token, why);
	if (outcome != OUTCOME_OK)
		return outcome;
	/* Policy may have made it shorter than the type allows. */
	outcome =
	    grip_token_parse(pull->token, strlen(pull->token), &parsed, why);
	if (outcome == OUTCOME_OK)
		pull->token_expires = parsed->claims.exp;
	grip_token_free(&parsed);
	return outcome;
}

/* The facts of trouble on our own side: never permanent, and by a problem
 * without a status not the origin's. */
static void
set_local_facts(struct lease_facts *facts, const struct reason *why)
{
	facts->authenticated = false;
	facts->status = 0;
	if (facts->problem[0] == '\0')
		strcpy(facts->problem, "unavailable");
	strcpy(facts->word, why->word);
	lease_facts_set_detail(facts, why->text);
}

/* What the origin answered, or how the attempt ended without an answer. */
static void
set_origin_facts(struct lease_facts *facts, const struct http_result *result,
    const struct reason *why)
{
	facts->status = (int)result->status;
	facts->authenticated = result->authenticated;
	memcpy(facts->problem, result->problem, sizeof(result->problem));
	strcpy(facts->word, why != NULL ? why->word : result->problem);
	lease_facts_set_detail(facts, why != NULL ? why->text : result->detail);
}

/* An authenticated origin that offers another length than was notified. */
static void
set_wrong_size(struct lease_facts *facts, const struct http_result *result)
{
	facts->status = (int)result->status;
	facts->authenticated = result->authenticated;
	strcpy(facts->problem, "wrong-size");
	strcpy(facts->word, facts->problem);
	lease_facts_set_detail(facts, "the origin announces another length");
}

/* What mailboxd said to the bytes; OK if it holds the resource now. */
static enum outcome
judge_put(struct pull *pull, const struct http_result *put, bool authenticated,
    struct lease_facts *facts)
{
	struct reason why;

	if (put->status == 200 || put->status == 201 || put->status == 204)
		return OUTCOME_OK;
	if (put->status == 409) {
		pull->lost = true;
	} else if (put->status == 422) {
		facts->authenticated = authenticated;
		memcpy(facts->problem, put->problem, sizeof(put->problem));
		strcpy(facts->word, facts->problem);
		lease_facts_set_detail(facts, put->detail);
		return OUTCOME_PERMFAIL;
	}
	reason_set(&why, OUTCOME_TEMPFAIL, "mailboxd", "%u %s %s", put->status,
	    put->problem, put->detail);
	memcpy(facts->problem, put->problem, sizeof(put->problem));
	set_local_facts(facts, &why);
	return OUTCOME_TEMPFAIL;
}

static void
add_token(const struct pull *pull, struct http_header_list *headers)
{
	http_header_init(headers);
	http_header_add_format(headers, "Authorization", "GRIP %s",
	    pull->token);
}

static void
begin_get(const struct pull *pull, const struct lease_resource *resource,
    struct http_header_list *headers)
{
	add_token(pull, headers);
	if (resource->have == 0)
		return;
	http_header_add_format(headers, "Range", "bytes=%lld-",
	    (long long)resource->have);
	http_header_add_format(headers, "If-Range", "\"%s\"", resource->hash);
}

static void
begin_put(const struct lease_resource *resource,
    struct http_header_list *headers)
{
	http_header_init(headers);
	http_header_add(headers, "Content-Type", "application/octet-stream");
	if (resource->have > 0)
		http_header_add_format(headers, "Content-Range",
		    "bytes %lld-%lld/%lld", (long long)resource->have,
		    (long long)resource->size - 1, (long long)resource->size);
}

static bool
has_had_enough(void *arg)
{
	const struct pull *pull = arg;
	const struct retrieve *retrieve = pull->retrieve;

	return retrieve->give_way(retrieve->arg,
	    clock_monotonic_ms() - pull->started >
		retrieve->config->slice * 1000);
}

/* The bytes, from where a broken transfer stopped, into mailboxd. *whole_r:
 * the origin does not do ranges, it would send all of it. */
static enum outcome
get_bytes_from(struct pull *pull, const struct lease_resource *resource,
    const char *url, struct lease_facts *facts, bool *whole_r)
{
	struct http_header_list get_headers, put_headers;
	unsigned expected = resource->have > 0 ? 206 : 200;
	struct http_result results[2];
	struct reason why = { 0 };
	struct http_call get = { .method = HTTP_GET,
		.url = url,
		.headers = &get_headers };
	struct http_pipe_put put = {
		.unix_socket = pull->retrieve->pull_socket,
		.headers = &put_headers,
		.size = resource->size - resource->have,
		.enough = has_had_enough,
		.arg = pull,
	};
	enum outcome outcome;
	char *path;

	begin_get(pull, resource, &get_headers);
	begin_put(resource, &put_headers);
	path = x_asprintf(CARGO_API_RESOURCE "%s?lease=%s", resource->hash,
	    pull->lease->id);
	put.path = path;
	http_result_init(&results[0]);
	http_result_init(&results[1]);
	outcome =
	    http_client_pipe(pull->client, &get, expected, &put, results, &why);
	*whole_r = outcome == OUTCOME_OK && results[0].status == 200 &&
	    expected == 206;
	if (results[0].status == expected)
		pull->bytes += results[0].bytes;
	if (results[1].status != 0) {
		outcome = judge_put(pull, &results[1], results[0].authenticated,
		    facts);
	} else if (outcome == OUTCOME_OK) {
		set_origin_facts(facts, &results[0], NULL);
		outcome = OUTCOME_TEMPFAIL;
	} else if (reason_is(&why, "size")) {
		set_wrong_size(facts, &results[0]);
	} else if (reason_is(&why, "local") || reason_is(&why, "enough")) {
		set_local_facts(facts, &why);
	} else {
		set_origin_facts(facts, &results[0], &why);
	}
	http_result_free(&results[0]);
	http_result_free(&results[1]);
	free(path);
	return outcome;
}

/* A server may answer a range with the whole (RFC 9110, 14.2): then from the
 * start, which drops what mailboxd has of it. */
static enum outcome
get_bytes(struct pull *pull, const struct lease_resource *resource,
    const char *url, struct lease_facts *facts)
{
	struct lease_resource all = *resource;
	enum outcome outcome;
	bool whole;

	outcome = get_bytes_from(pull, resource, url, facts, &whole);
	if (!whole)
		return outcome;
	memset(facts, 0, sizeof(*facts));
	memcpy(facts->hash, resource->hash, sizeof(facts->hash));
	all.have = 0;
	return get_bytes_from(pull, &all, url, facts, &whole);
}

/* What a refused HEAD cannot say, since it has no body: the problem. A GET is
 * refused for the same reason; one byte, in case it is not. */
static void
ask_why(struct pull *pull, const char *url, struct http_header_list *headers,
    struct http_result *result)
{
	struct http_call call = { .method = HTTP_GET,
		.url = url,
		.headers = headers };
	unsigned status = result->status;
	struct reason why;

	http_header_add(headers, "Range", "bytes=0-0");
	if (http_client_perform(pull->client, &call, result, &why) ==
		OUTCOME_OK &&
	    result->status / 100 == 4)
		return;
	http_result_clear(result);
	result->status = status;
}

/* mailboxd has the bytes: is this recipient entitled to them? */
static enum outcome
ask_head(struct pull *pull, const struct lease_resource *resource,
    const char *url, struct lease_facts *facts)
{
	struct http_header_list headers;
	struct http_call call = { .method = HTTP_HEAD,
		.url = url,
		.headers = &headers };
	struct http_result result;
	struct reason why = { 0 };
	enum outcome outcome;
	char length[24];

	add_token(pull, &headers);
	http_result_init(&result);
	outcome = http_client_perform(pull->client, &call, &result, &why);
	if (outcome != OUTCOME_OK) {
		set_origin_facts(facts, &result, &why);
	} else if (result.status != 200) {
		if (result.status / 100 == 4)
			ask_why(pull, url, &headers, &result);
		set_origin_facts(facts, &result, NULL);
		outcome = OUTCOME_TEMPFAIL;
	} else if (http_result_header(&result, "content-length", length,
		       sizeof(length)) == NULL ||
	    strtoll(length, NULL, 10) != resource->size) {
		set_wrong_size(facts, &result);
		outcome = OUTCOME_PERMFAIL;
	} else {
		outcome = pull_client_entitled(pull->retrieve->mailboxd,
		    pull->lease, resource->hash, &why);
		if (outcome != OUTCOME_OK)
			set_local_facts(facts, &why);
	}
	http_result_free(&result);
	return outcome;
}

static void
log_queue_id(struct log_line *line, const struct lease *lease)
{
	if (lease->queue_id[0] != '\0')
		log_string(line, LOG_KEY_ORIG_QUEUE_ID, lease->queue_id);
}

static void
log_resource(const struct pull *pull, const struct lease_resource *resource,
    int64_t bytes, int64_t duration)
{
	struct log_line line;

	log_begin(&line, LOG_INFO, pull->lease->message,
	    resource->mode == LEASE_HEAD ? "entitled" : "retrieved");
	log_string(&line, LOG_KEY_HASH, resource->hash);
	log_queue_id(&line, pull->lease);
	log_string(&line, LOG_KEY_ORIGIN, pull->lease->origin);
	log_number(&line, LOG_KEY_SIZE, resource->size);
	log_number(&line, LOG_KEY_BYTES, bytes);
	log_number(&line, LOG_KEY_DURATION, duration);
	log_end(&line);
}

static enum outcome
get_resource(struct pull *pull, const struct lease_resource *resource,
    struct lease_facts *facts)
{
	int64_t started = clock_monotonic_ms(), before = pull->bytes;
	struct reason why = { 0 };
	enum outcome outcome;
	char *url;

	memset(facts, 0, sizeof(*facts));
	memcpy(facts->hash, resource->hash, sizeof(facts->hash));
	outcome = renew_token(pull, &why);
	if (outcome != OUTCOME_OK) {
		set_local_facts(facts, &why);
		return outcome;
	}
	url = x_asprintf("%s" CARGO_API_RESOURCE "%s", pull->origin.text,
	    resource->hash);
	outcome = resource->mode == LEASE_HEAD ?
	    ask_head(pull, resource, url, facts) :
	    get_bytes(pull, resource, url, facts);
	free(url);
	if (outcome == OUTCOME_OK)
		log_resource(pull, resource, pull->bytes - before,
		    clock_monotonic_ms() - started);
	return outcome;
}

/* A line about the pull as a whole. */
static void
begin_line(struct log_line *line, enum log_level level,
    const struct lease *lease, const char *verb)
{
	log_begin(line, level, lease->message, verb);
	log_string(line, LOG_KEY_LEASE, lease->id);
	log_queue_id(line, lease);
}

static void
log_begin_pull(const struct lease *lease)
{
	struct log_line line;

	begin_line(&line, LOG_INFO, lease, "leased");
	log_string(&line, LOG_KEY_AGENT, lease->agent);
	log_string(&line, LOG_KEY_ORIGIN, lease->origin);
	log_string(&line, LOG_KEY_SHARE, lease->share);
	log_number(&line, LOG_KEY_RESOURCES, (int64_t)lease->count);
	log_end(&line);
}

static void
log_facts(const struct lease *lease, const struct lease_facts *facts)
{
	struct log_line line;

	begin_line(&line, LOG_WARNING, lease, "failed");
	log_string(&line, LOG_KEY_ORIGIN, lease->origin);
	if (facts->hash[0] != '\0')
		log_string(&line, LOG_KEY_HASH, facts->hash);
	log_number(&line, LOG_KEY_STATUS, facts->status);
	log_string(&line, LOG_KEY_REASON, facts->word);
	log_string(&line, LOG_KEY_DETAIL, facts->detail);
	log_end(&line);
}

static void
log_done(const struct pull *pull, int64_t duration)
{
	struct log_line line;

	begin_line(&line, LOG_INFO, pull->lease, "done");
	log_number(&line, LOG_KEY_RESOURCES, (int64_t)pull->lease->count);
	log_number(&line, LOG_KEY_BYTES, pull->bytes);
	log_number(&line, LOG_KEY_DURATION, duration);
	log_end(&line);
}

/* A report that mailboxd did not take is only logged: the lease lapses and
 * the pull becomes due by itself. */
static void
log_lost(const struct lease *lease, const struct reason *why)
{
	struct log_line line;

	begin_line(&line, LOG_WARNING, lease, "lost");
	log_reason(&line, why);
	log_end(&line);
}

static enum outcome
prepare(struct pull *pull, struct lease_facts *facts)
{
	const struct retrieve *retrieve = pull->retrieve;
	struct reason why = { 0 };
	enum outcome outcome;

	memset(facts, 0, sizeof(*facts));
	if (service_url_parse(pull->lease->origin,
		&retrieve->config->outward.port_list, &pull->origin) < 0)
		outcome = reason_set(&why, OUTCOME_PERMFAIL, "url",
		    "the origin's URL is not one we speak to");
	else
		outcome = cargo_peer_get(retrieve->peer, pull->lease->agent,
		    &pull->client, &why);
	if (outcome != OUTCOME_OK)
		set_local_facts(facts, &why);
	return outcome;
}

enum outcome
retrieve_pull(struct retrieve *retrieve, const struct lease *lease,
    int64_t *bytes_r)
{
	struct pull pull = { .retrieve = retrieve,
		.lease = lease,
		.started = clock_monotonic_ms() };
	struct lease_facts facts;
	struct reason why = { 0 };
	enum outcome outcome;
	size_t i;

	log_begin_pull(lease);
	outcome = prepare(&pull, &facts);
	/* In turn, over one connection; the first that fails ends it, and
	 * mailboxd leases out again what is still missing. */
	for (i = 0; i < lease->count && outcome == OUTCOME_OK; i++)
		outcome = get_resource(&pull, &lease->resources[i], &facts);
	if (outcome == OUTCOME_OK) {
		outcome = pull_client_done(retrieve->mailboxd, lease, &why);
		if (outcome == OUTCOME_OK)
			log_done(&pull, clock_monotonic_ms() - pull.started);
		else
			log_lost(lease, &why);
	} else {
		log_facts(lease, &facts);
		if (!pull.lost &&
		    pull_client_failed(retrieve->mailboxd, lease, &facts,
			&why) != OUTCOME_OK)
			log_lost(lease, &why);
	}
	free(pull.token);
	*bytes_r = pull.bytes;
	return outcome;
}
