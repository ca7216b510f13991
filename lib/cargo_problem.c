/* SPDX-License-Identifier: ISC
 *
 * The table of problem types. See cargo_problem.h.
 */
#include <stdlib.h>
#include <string.h>

#include "cargo_problem.h"
#include "json_strict.h"

/* name, status, permanent, whole, title */
static const struct cargo_problem problems[] = {
	/* The checks of GRIP, in their order. */
	{ "form", 401, true, true, "The token is malformed" },
	{ "purpose", 401, true, true, "The token serves another purpose" },
	{ "time", 401, false, true, "The token is not valid at this time" },
	{ "audience", 401, true, true, "The token is for another host" },
	{ "possession", 401, true, true,
	    "The token's key is not the key of this connection" },
	{ "subject", 401, true, true,
	    "The certificate's name is not the token's issuer" },
	{ "signature", 401, true, true, "A signature does not verify" },
	{ "chain", 403, true, true, "The nested token is for someone else" },
	{ "user", 403, true, true,
	    "The address is not in the domain of the issuer" },
	{ "published", 401, false, true,
	    "The key is not published at the issuer's name" },
	{ "digest", 403, true, true, "The body is not what the token says" },
	/* Who may do what. */
	{ "credentials", 401, true, false, "Name, password or token is wrong" },
	{ "not-shared", 404, true, false,
	    "Not here, or not shared with this recipient" },
	{ "revoked", 410, true, true, "The sender has withdrawn the share" },
	{ "expired", 410, true, true, "The share has expired" },
	{ "dropped", 410, true, true, "The administrator has given it up" },
	{ "agent", 403, true, true,
	    "The retrieval agent is not the one of this mailbox" },
	{ "not-enrolled", 403, true, false,
	    "The account has not enrolled this broker" },
	{ "not-released", 403, true, false,
	    "The account gives nothing back to brokers" },
	{ "no-account", 404, true, false, "No account has this address" },
	{ "not-allowed", 403, true, false, "Not for this caller" },
	/* The request. */
	{ "malformed", 400, true, false, "The request is malformed" },
	{ "not-found", 404, true, false, "Not here" },
	{ "method", 405, true, false, "The method does not fit the path" },
	{ "timeout", 408, false, false, "The request took too long" },
	{ "conflict", 409, true, false, "It exists and is different" },
	{ "lease", 409, false, false, "The lease is not live" },
	{ "length-required", 411, true, false, "The length must be given" },
	{ "too-large", 413, true, false, "Larger than the limit" },
	{ "media-type", 415, true, false, "Not the media type of this path" },
	{ "range", 416, false, false, "The range cannot be satisfied" },
	{ "wrong-hash", 422, true, false, "The bytes are not of that hash" },
	{ "wrong-size", 422, true, false, "The bytes are not of that size" },
	{ "placeholder", 422, true, false,
	    "Placeholder and list of resources do not agree" },
	{ "refused", 403, true, false, "Refused" },
	/* The message of HTTP itself, refused by its parser. */
	{ "bad-request", 400, true, false, "Not HTTP/1.1 as we read it" },
	{ "expectation-failed", 417, true, false, "Expect is not understood" },
	{ "misdirected", 421, true, false, "Not a host name of this server" },
	{ "header-too-large", 431, true, false, "The head is too large" },
	{ "method-unknown", 501, true, false, "The method is not known" },
	{ "version-unknown", 505, true, false, "Not HTTP/1.1" },
	/* The state of the server. */
	{ "account-limit", 429, false, false,
	    "Too many new accounts of this domain for now" },
	{ "busy", 503, false, false, "Too much at once" },
	{ "internal", 500, false, false, "An error of the server" },
	{ "unavailable", 503, false, false, "Not possible now" },
	{ "quota", 507, false, false, "The account is full" },
	{ "no-space", 507, false, false, "The server is full" },
};

const struct cargo_problem *
cargo_problem_list(size_t *count_r)
{
	*count_r = sizeof(problems) / sizeof(problems[0]);
	return problems;
}

const struct cargo_problem *
cargo_problem_find(const char *name)
{
	size_t i, count = sizeof(problems) / sizeof(problems[0]);

	for (i = 0; i < count; i++)
		if (strcmp(problems[i].name, name) == 0)
			return &problems[i];
	return NULL;
}

const char *
cargo_problem_name(const char *type)
{
	const char *found;

	if (strncmp(type, "https://", 8) == 0) {
		type = strchr(type + 8, '/');
		if (type == NULL)
			return NULL;
	}
	if (strncmp(type, CARGO_PROBLEM_PREFIX, strlen(CARGO_PROBLEM_PREFIX)) !=
	    0)
		return NULL;
	found = type + strlen(CARGO_PROBLEM_PREFIX);
	if (*found == '\0' || strchr(found, '/') != NULL)
		return NULL;
	return found;
}

const struct cargo_problem *
cargo_problem_of(const struct reason *why)
{
	const struct cargo_problem *problem;

	problem = cargo_problem_find(why->word);
	/* What the refuser knows to be temporary must not be told as
	 * permanent, whatever word it used. */
	if (problem != NULL &&
	    !(problem->permanent && why->outcome == OUTCOME_TEMPFAIL))
		return problem;
	return cargo_problem_find(
	    why->outcome == OUTCOME_PERMFAIL ? "refused" : "unavailable");
}

char *
cargo_problem_format(const struct cargo_problem *problem, const char *detail)
{
	char type[64], *text = NULL;
	cJSON *object;

	strcpy(type, CARGO_PROBLEM_PREFIX);
	strncat(type, problem->name, sizeof(type) - strlen(type) - 1);
	object = cJSON_CreateObject();
	if (object == NULL || json_add_string(object, "type", type) == -1 ||
	    json_add_string(object, "title", problem->title) == -1 ||
	    json_add_integer(object, "status", problem->status) == -1)
		goto out;
	if (detail != NULL && *detail != '\0' &&
	    json_add_string(object, "detail", detail) == -1)
		goto out;
	text = json_format(object);
out:
	cJSON_Delete(object);
	return text;
}
