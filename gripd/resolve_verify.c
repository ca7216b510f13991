/* SPDX-License-Identifier: ISC
 *
 * Verifying tokens. Reads what strangers sent to mailboxd. Cheap and local
 * checks first, the DNS last and for all tokens of the chain at once; a
 * verdict that was good is remembered for a while.
 */
#include "resolve_verify.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "encoding.h"
#include "grip_check.h"
#include "grip_protocol.h"
#include "json_strict.h"
#include "log.h"
#include "memory.h"
#include "resolve_metrics.h"
#include "resolve_names.h"

#define AUDIENCES_MAX 64
#define CHAIN_MAX 2 /* outer and inner */

struct verify {
	struct resolve_request *request;
	struct grip_check_input input;
	const char *audiences[AUDIENCES_MAX]; /* point into request->json */
	uint8_t *certificate;
	const char *text; /* the token; points into request->json */
	uint8_t key[CHAIN_KEY_LEN];
	struct grip_token *token;
	struct link {
		struct verify *owner;
		const struct grip_token *token;
		struct dns_lookup *lookup;
		struct grip_publication publication;
		struct grip_record records[DNS_RECORDS_MAX];
		char detail[80];
		uint32_t ttl;
	} links[CHAIN_MAX];
	size_t link_count;
};

static void
release(struct resolve_request *request)
{
	struct verify *verify = request->state;

	for (size_t i = 0; i < verify->link_count; i++)
		dns_lookup_cancel(&verify->links[i].lookup);
	grip_token_free(&verify->token);
	free(verify->certificate);
	free(verify);
}

/* ---- the request ---- */

static enum outcome
bad_request(struct reason *why, const char *text)
{
	return reason_set(why, OUTCOME_PERMFAIL, "form", "verify: %s", text);
}

static enum outcome
read_audiences(struct verify *verify, const cJSON *json, struct reason *why)
{
	const cJSON *list = json_array(json, "audiences"), *item;
	size_t count = 0;

	if (!cJSON_IsArray(list))
		return bad_request(why, "audiences is not an array");
	cJSON_ArrayForEach(item, list)
	{
		if (!cJSON_IsString(item) || count == AUDIENCES_MAX)
			return bad_request(why, "bad audiences");
		verify->audiences[count++] = item->valuestring;
	}
	verify->input.audiences = verify->audiences;
	verify->input.audience_count = count;
	return OUTCOME_OK;
}

/* How the client of mailboxd showed who it is: a certificate of TLS, or a
 * local socket of which only mailboxd can tell. */
static enum outcome
read_proof(struct verify *verify, const cJSON *json, struct reason *why)
{
	const cJSON *item =
	    cJSON_GetObjectItemCaseSensitive(json, "certificate");
	bool has_local =
	    cJSON_GetObjectItemCaseSensitive(json, "local") != NULL;
	int local = json_boolean(json, "local");
	const char *text;

	if (has_local && local == -1)
		return bad_request(why, "local is not a boolean");
	verify->input.local = local == 1;
	if (verify->input.local && verify->request->peer != PEER_MAILBOX)
		return bad_request(why, "only mailboxd may say local");
	if (item == NULL)
		return OUTCOME_OK;
	text = cJSON_GetStringValue(item);
	if (verify->input.local || text == NULL)
		return bad_request(why, "bad certificate");
	verify->certificate =
	    base64_parse(text, strlen(text), &verify->input.certificate_len);
	if (verify->certificate == NULL)
		return bad_request(why, "certificate is not base64");
	verify->input.certificate = verify->certificate;
	return OUTCOME_OK;
}

static enum outcome
read_request(struct verify *verify, const cJSON *json, struct reason *why)
{
	enum outcome outcome;

	if (grip_route_parse(json_string(json, "route"),
		&verify->input.route) != 0)
		return bad_request(why, "unknown route");
	verify->text = json_string(json, "token");
	if (verify->text == NULL)
		return bad_request(why, "token is not a string");
	verify->input.now = verify->request->world->now();
	outcome = read_audiences(verify, json, why);
	if (outcome == OUTCOME_OK)
		outcome = read_proof(verify, json, why);
	return outcome;
}

/* ---- the cache's key ---- */

static void
add_to_hash(crypto_hash_sha256_state *hash, const void *data, size_t len)
{
	uint64_t size = len;

	crypto_hash_sha256_update(hash, (const uint8_t *)&size, sizeof(size));
	crypto_hash_sha256_update(hash, data, len);
}

/* Over the whole certificate, not only its key: `subject` hangs on its CN.
 * Each part with its length, so that no two requests run together. */
static void
compute_key(struct verify *verify)
{
	const struct grip_check_input *input = &verify->input;
	crypto_hash_sha256_state hash;
	uint8_t local = input->local;

	crypto_hash_sha256_init(&hash);
	add_to_hash(&hash, verify->text, strlen(verify->text));
	add_to_hash(&hash, &local, 1);
	add_to_hash(&hash,
	    input->certificate_len > 0 ? (const void *)input->certificate : "",
	    input->certificate_len);
	for (size_t i = 0; i < input->audience_count; i++)
		add_to_hash(&hash, input->audiences[i],
		    strlen(input->audiences[i]));
	crypto_hash_sha256_final(&hash, verify->key);
}

/* ---- the end ---- */

static void
log_verdict(const struct verify *verify, const struct grip_token *token,
    const struct reason *why, bool secure)
{
	struct log_line line;

	log_begin(&line, why == NULL ? LOG_INFO : LOG_WARNING,
	    token != NULL ? token->claims.jti : "-", "verify");
	log_string(&line, LOG_KEY_CLIENT, peer_user(verify->request->peer));
	if (token != NULL) {
		log_string(&line, LOG_KEY_TYPE, grip_type_name(token->type));
		log_string(&line, LOG_KEY_IDENTITY, token->claims.iss);
		log_string(&line, LOG_KEY_AUDIENCE, token->claims.aud);
	}
	if (why != NULL) {
		log_reason(&line, why);
	} else {
		log_string(&line, LOG_KEY_OUTCOME, outcome_name(OUTCOME_OK));
		log_number(&line, LOG_KEY_SECURE, secure);
	}
	log_end(&line);
}

static void
refuse(struct verify *verify, const struct grip_token *token,
    const struct reason *why)
{
	struct metrics *metrics = verify->request->world->metrics;

	metrics_count(metrics, RESOLVE_VERDICTS, "refused");
	metrics_count(metrics, RESOLVE_REFUSALS, why->word);
	log_verdict(verify, token, why, false);
	resolve_request_finish(verify->request, why->outcome, why, NULL);
}

static void
accept_token(struct verify *verify, const struct grip_token *token, bool secure,
    int64_t until)
{
	cJSON *fields = cJSON_CreateObject();

	json_add_item(fields, "claims",
	    cJSON_Duplicate(token->jws->payload, true));
	if (token->inner != NULL)
		json_add_item(fields, "inner",
		    cJSON_Duplicate(token->inner->jws->payload, true));
	json_add_boolean(fields, "secure", secure);
	json_add_integer(fields, "until", until);
	metrics_count(verify->request->world->metrics, RESOLVE_VERDICTS,
	    "verified");
	log_verdict(verify, token, NULL, secure);
	resolve_request_finish(verify->request, OUTCOME_OK, NULL, fields);
}

/* ---- published ---- */

static int64_t
least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* How long the verdict may be used again. */
static int64_t
compute_until(const struct verify *verify)
{
	int64_t now = verify->input.now;
	int64_t until = now + verify->request->world->verdict_lifetime;

	for (size_t i = 0; i < verify->link_count; i++) {
		until = least(until, verify->links[i].token->claims.exp);
		until = least(until, now + verify->links[i].ttl);
	}
	return until;
}

/* All names were asked. The outer token is judged first. */
static void
judge(struct verify *verify)
{
	struct resolve_world *world = verify->request->world;
	uint8_t key[CHAIN_KEY_LEN];
	struct grip_token *token;
	struct reason why;
	bool secure = true, remember;
	int64_t until = compute_until(verify);

	for (size_t i = 0; i < verify->link_count; i++) {
		if (grip_check_published(verify->links[i].token,
			i == 0 ? &verify->input : NULL,
			&verify->links[i].publication, world->require_secure,
			&why) != OUTCOME_OK) {
			refuse(verify, verify->token, &why);
			return;
		}
		secure = secure && verify->links[i].publication.secure;
	}
	remember = until > verify->input.now;
	memcpy(key, verify->key, sizeof(key));
	token = verify->token;
	verify->token = NULL;
	/* This ends the request and frees what hangs on it. */
	accept_token(verify, token, secure, until);
	if (remember)
		chain_cache_add(world->cache, key, &token, secure, until);
	else
		grip_token_free(&token);
}

static void
on_published(void *arg, const struct dns_answer *answer)
{
	struct link *link = arg;
	struct verify *verify = link->owner;
	struct grip_publication *publication = &link->publication;

	link->lookup = NULL;
	link->ttl = answer->ttl;
	publication->outcome = OUTCOME_OK;
	if (answer->status == DNS_FAILED) {
		memcpy(link->detail, answer->detail, sizeof(link->detail));
		publication->outcome = OUTCOME_TEMPFAIL;
		publication->detail = link->detail;
	}
	publication->present = answer->status == DNS_DATA;
	publication->secure = answer->secure;
	memcpy(publication->target, answer->target,
	    sizeof(publication->target));
	publication->count =
	    resolve_records(answer, link->records, DNS_RECORDS_MAX);
	publication->records = link->records;
	for (size_t i = 0; i < verify->link_count; i++)
		if (verify->links[i].lookup != NULL)
			return;
	judge(verify);
}

static void
ask_published(struct verify *verify)
{
	const struct grip_token *chain[CHAIN_MAX] = { verify->token,
		verify->token->inner };
	struct link *link;

	for (size_t i = 0; i < CHAIN_MAX && chain[i] != NULL; i++) {
		link = &verify->links[verify->link_count++];
		link->owner = verify;
		link->token = chain[i];
		link->lookup = dns_client_lookup(verify->request->world->dns,
		    chain[i]->claims.iss, DNS_TXT, on_published, link);
	}
}

/* ---- start ---- */

/* True if a remembered verdict answered the request. What time and route may
 * have changed since is checked again; the audiences are in the key. */
static bool
answer_from_cache(struct verify *verify)
{
	struct resolve_world *world = verify->request->world;
	const struct chain_verdict *verdict;
	struct reason why;

	verdict =
	    chain_cache_find(world->cache, verify->key, verify->input.now);
	if (verdict == NULL)
		return false;
	metrics_count(world->metrics, RESOLVE_CACHE_HITS, NULL);
	if (grip_check_again(verdict->token, &verify->input, &why) !=
	    OUTCOME_OK)
		refuse(verify, verdict->token, &why);
	else
		accept_token(verify, verdict->token, verdict->secure,
		    verdict->until);
	return true;
}

void
resolve_verify_start(struct resolve_request *request)
{
	struct verify *verify = x_calloc(1, sizeof(*verify));
	struct reason why;

	verify->request = request;
	request->state = verify;
	request->release = release;
	if (read_request(verify, request->json, &why) != OUTCOME_OK) {
		refuse(verify, NULL, &why);
		return;
	}
	compute_key(verify);
	if (answer_from_cache(verify))
		return;
	if (grip_token_parse(verify->text, strlen(verify->text), &verify->token,
		&why) != OUTCOME_OK ||
	    grip_check_local(verify->token, &verify->input, &why) !=
		OUTCOME_OK) {
		refuse(verify, verify->token, &why);
		return;
	}
	ask_published(verify);
}
