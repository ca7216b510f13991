/* SPDX-License-Identifier: ISC
 *
 * Who asks by a token of GRIP: gripd's verdicts, and those kept with a
 * connection. Of a token (hostile) only the type is read here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "caller_private.h"
#include "clock.h"
#include "encoding.h"
#include "grip_check.h"
#include "grip_protocol.h"
#include "json_strict.h"
#include "memory.h"
#include "visit.h"

#define VERDICTS 4 /* kept with a connection */
#define HEADER_MAX 128 /* bytes of a token's first part */

/* One verdict of gripd, as long as its connection lives. */
struct verdict {
	char *token; /* NULL if free */
	enum grip_type type;
	int64_t until;
	struct caller_claims *verified;
};

struct verdicts {
	struct verdict list[VERDICTS];
	unsigned next;
};

void
caller_claims_release(struct caller_claims *verified)
{
	if (verified == NULL || --verified->references > 0)
		return;
	cJSON_Delete(verified->claims);
	cJSON_Delete(verified->inner);
	free(verified);
}

static void
verdict_clear(struct verdict *verdict)
{
	caller_claims_release(verdict->verified);
	free(verdict->token);
	memset(verdict, 0, sizeof(*verdict));
}

void
caller_connection_free(void *data)
{
	struct verdicts *verdicts = data;
	unsigned i;

	if (verdicts == NULL)
		return;
	for (i = 0; i < VERDICTS; i++)
		verdict_clear(&verdicts->list[i]);
	free(verdicts);
}

/* The check `time` for claims that were verified before. */
static bool
claims_in_time(const cJSON *claims, int64_t now)
{
	int64_t iat, exp;

	if (claims == NULL)
		return true;
	return json_integer(claims, "iat", 0, JSON_MAX_INTEGER, &iat) == 0 &&
	    json_integer(claims, "exp", 0, JSON_MAX_INTEGER, &exp) == 0 &&
	    now >= iat - GRIP_LEEWAY && now < exp + GRIP_LEEWAY;
}

static struct verdict *
verdict_find(struct visit *visit, const char *token, enum grip_type type,
    int64_t now)
{
	struct verdicts *verdicts = *http_exchange_connection_data(visit->x);
	struct verdict *verdict;
	unsigned i;

	for (i = 0; verdicts != NULL && i < VERDICTS; i++) {
		verdict = &verdicts->list[i];
		if (verdict->token == NULL || verdict->type != type ||
		    strcmp(verdict->token, token) != 0)
			continue;
		if (now < verdict->until &&
		    claims_in_time(verdict->verified->claims, now) &&
		    claims_in_time(verdict->verified->inner, now))
			return verdict;
		verdict_clear(verdict);
	}
	return NULL;
}

static void
verdict_keep(struct caller_inquiry *inquiry, struct caller_claims *verified,
    int64_t until)
{
	void **data = http_exchange_connection_data(inquiry->visit->x);
	struct verdicts *verdicts = *data;
	struct verdict *verdict;

	if (verdicts == NULL)
		*data = verdicts = x_calloc(1, sizeof(*verdicts));
	verdict = &verdicts->list[verdicts->next++ % VERDICTS];
	verdict_clear(verdict);
	verdict->token = inquiry->token;
	inquiry->token = NULL;
	verdict->type = inquiry->type;
	verdict->until = until;
	verdict->verified = verified;
	verified->references++;
}

static void
become_grip(struct caller *caller, enum grip_type type,
    struct caller_claims *verified)
{
	caller->kind = type == GRIP_GET ? CALLER_AGENT : CALLER_BROKER;
	caller->verified = verified;
	verified->references++;
	caller->claims = verified->claims;
	caller->inner = verified->inner;
	snprintf(caller->name, sizeof(caller->name), "%s",
	    caller_claim(caller, "iss"));
}

static void
on_verdict(void *arg, enum outcome outcome, const cJSON *answer,
    const struct reason *why)
{
	struct caller_inquiry *inquiry = arg;
	struct caller_claims *verified;
	struct grip_verdict verdict;
	struct reason own;

	if (inquiry->visit->x == NULL || outcome != OUTCOME_OK) {
		caller_inquiry_end(inquiry, outcome, why);
		return;
	}
	outcome = grip_protocol_verdict_parse(answer, &verdict, &own);
	if (outcome == OUTCOME_OK) {
		verified = x_calloc(1, sizeof(*verified));
		verified->claims = verdict.claims;
		verified->inner = verdict.inner;
		become_grip(&inquiry->visit->caller, inquiry->type, verified);
		verdict_keep(inquiry, verified, verdict.until);
	}
	caller_inquiry_end(inquiry, outcome, &own);
}

/* The `typ` of a token, as its bearer says: which check it is to pass is all
 * that hangs on it. GRIP_TYPE_COUNT if it cannot be read. */
static enum grip_type
claimed_type(const char *token)
{
	size_t len = strcspn(token, "."), size;
	char header[HEADER_MAX];
	enum grip_type type = GRIP_TYPE_COUNT;
	const char *name;
	cJSON *json;

	if (base64url_parse(token, len, header, sizeof(header), &size) == -1)
		return type;
	json = json_parse(header, size, NULL);
	name = json_string(json, "typ");
	if (name == NULL || grip_type_find(name, &type) == -1)
		type = GRIP_TYPE_COUNT;
	cJSON_Delete(json);
	return type;
}

/* The type that the token must be of: what it claims to be if the route
 * takes that, else any that the route takes, which it then is not. */
static enum grip_type
accepted_type(unsigned accept, const char *token)
{
	static const struct {
		unsigned bit;
		enum grip_type type;
	} table[] = {
		{ CALLER_ACCEPT_NOTIFY, GRIP_NOTIFY },
		{ CALLER_ACCEPT_GET, GRIP_GET },
		{ CALLER_ACCEPT_PUT, GRIP_PUT },
		{ CALLER_ACCEPT_RELEASE, GRIP_RELEASE },
	};
	enum grip_type claimed = claimed_type(token), any = GRIP_TYPE_COUNT;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (!(accept & table[i].bit))
			continue;
		if (table[i].type == claimed)
			return claimed;
		if (any == GRIP_TYPE_COUNT)
			any = table[i].type;
	}
	return any;
}

void
caller_identify_grip(struct visit *visit, unsigned accept, const char *token,
    caller_identified *then)
{
	const struct mailboxd_config *config = visit->mailboxd->config;
	struct grip_verify verify = { .token = token };
	struct caller_inquiry *inquiry;
	struct verdict *kept;
	struct reason why;

	verify.route = accepted_type(accept, token);
	kept = verdict_find(visit, token, verify.route, clock_now());
	if (kept != NULL) {
		become_grip(&visit->caller, kept->type, kept->verified);
		then(visit, OUTCOME_OK, NULL);
		return;
	}
	verify.certificate =
	    http_exchange_certificate(visit->x, &verify.certificate_len);
	verify.local = http_exchange_door(visit->x) != DOOR_TLS;
	if (verify.certificate == NULL && !verify.local) {
		reason_set(&why, OUTCOME_PERMFAIL, "possession",
		    "no client certificate");
		then(visit, OUTCOME_PERMFAIL, &why);
		return;
	}
	verify.audiences = (const char *const *)config->server_names.items;
	verify.audience_count = config->server_names.count;
	inquiry = caller_inquiry_new(visit, then);
	inquiry->type = verify.route;
	inquiry->token = x_strdup(token);
	local_asker_ask(visit->mailboxd->resolver,
	    grip_protocol_verify(&verify), (int)config->gripd_timeout * 1000,
	    on_verdict, inquiry);
}
