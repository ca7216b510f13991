/* SPDX-License-Identifier: ISC
 *
 * Proof of the sender: see sender_proof.h.
 */
#include "sender_proof.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "auth_results.h"
#include "mail_header.h"

static const char *const covered[] = { "From", "Message-ID", "MIME-Version",
	"Content-Type" };
#define COVERED (sizeof(covered) / sizeof(covered[0]))

static enum outcome
refuse(struct reason *why, const char *word, const char *text)
{
	return reason_set(why, OUTCOME_PERMFAIL, word, "%s", text);
}

/* The topmost field with an authserv-id of ours. Those below may be forged.
 * 0, or -1 if there is none. */
static int
find_results(const char *header, size_t len, const struct config_list *ids,
    struct auth_results *results_r)
{
	struct mail_field field;
	size_t at = 0;

	while (mail_header_next(header, len, &at, &field)) {
		char *text;
		int parsed;

		if (!mail_header_is(&field, "Authentication-Results"))
			continue;
		text = mail_header_unfold(&field);
		parsed = auth_results_parse(text, results_r);
		free(text);
		for (size_t i = 0; parsed == 0 && i < ids->count; i++)
			if (strcasecmp(ids->items[i], results_r->authserv_id) ==
			    0)
				return 0;
	}
	return -1;
}

/* The From domain is that of the signature, or lies below it. A signature of
 * a whole top-level domain proves nothing. */
static bool
is_aligned(const char *from_domain, const char *signer)
{
	size_t from = strlen(from_domain), len = strlen(signer);

	if (strchr(signer, '.') == NULL || len > from)
		return false;
	return strcmp(from_domain + from - len, signer) == 0 &&
	    (len == from || from_domain[from - len - 1] == '.');
}

/* 1 if the tag has this value; the domain and selector are case-free. */
static int
tag_is(const char *list, const char *tag, const char *value)
{
	char *text = auth_results_tag(list, tag);
	int same =
	    text != NULL && text[0] != '\0' && strcasecmp(text, value) == 0;

	free(text);
	return same;
}

static int
matches(const char *list, const struct auth_result *result)
{
	char *b = auth_results_tag(list, "b");
	int same = b != NULL && b[0] != '\0' &&
	    strncmp(b, result->signature, strlen(result->signature)) == 0;

	free(b);
	return same && tag_is(list, "d", result->domain) &&
	    (result->selector[0] == '\0' ||
		tag_is(list, "s", result->selector));
}

/* The only DKIM-Signature that the result can mean, unfolded and owned by
 * the caller; NULL if there is none or more than one. */
static char *
find_signature(const char *header, size_t len, const struct auth_result *result)
{
	struct mail_field field;
	char *found = NULL;
	size_t at = 0;

	while (mail_header_next(header, len, &at, &field)) {
		char *text;

		if (!mail_header_is(&field, "DKIM-Signature"))
			continue;
		text = mail_header_unfold(&field);
		if (!matches(text, result)) {
			free(text);
			continue;
		}
		if (found != NULL) {
			free(text);
			free(found);
			return NULL;
		}
		found = text;
	}
	return found;
}

/* True if the list "from:to:subject" has the name. */
static bool
covers(const char *list, const char *name)
{
	size_t len = strlen(name);

	while (*list != '\0') {
		size_t word = strcspn(list, ":");

		if (word == len && strncasecmp(list, name, len) == 0)
			return true;
		list += word;
		list += *list == ':';
	}
	return false;
}

static enum outcome
check_signature(const char *list, struct reason *why)
{
	char *length = auth_results_tag(list, "l");
	char *fields = auth_results_tag(list, "h");
	enum outcome outcome = OUTCOME_OK;

	if (length != NULL)
		outcome = refuse(why, "length",
		    "signature covers only a part of the body");
	for (size_t i = 0; outcome == OUTCOME_OK && i < COVERED; i++)
		if (fields == NULL || !covers(fields, covered[i]))
			outcome = reason_set(why, OUTCOME_PERMFAIL, "coverage",
			    "signature does not cover %s", covered[i]);
	free(length);
	free(fields);
	return outcome;
}

/* Tries the passes in turn; the last refusal is told. */
static enum outcome
check_results(const char *header, size_t len,
    const struct auth_results *results, const char *from_domain,
    struct reason *why)
{
	enum outcome outcome =
	    refuse(why, "result", "no dkim=pass in Authentication-Results");

	for (size_t i = 0; i < results->count; i++) {
		const struct auth_result *result = &results->list[i];
		char *signature;

		if (strcmp(result->method, "dkim") != 0 ||
		    strcmp(result->result, "pass") != 0)
			continue;
		if (!is_aligned(from_domain, result->domain)) {
			outcome = reason_set(why, OUTCOME_PERMFAIL, "alignment",
			    "DKIM passed for %s only", result->domain);
			continue;
		}
		signature = find_signature(header, len, result);
		outcome = signature == NULL ?
		    refuse(why, "signature",
			"the signature that passed cannot be told") :
		    check_signature(signature, why);
		free(signature);
		if (outcome == OUTCOME_OK)
			break;
	}
	return outcome;
}

enum outcome
sender_proof_check(const char *message, size_t len,
    const struct config_list *authserv_ids, char sender_r[MAIL_ADDRESS_SIZE],
    struct reason *why)
{
	struct auth_results results;
	enum outcome outcome;
	bool broken;
	size_t header = mail_header_length(message, len, &broken);

	sender_r[0] = '\0';
	if (broken)
		return refuse(why, "header", "header cannot be read");
	if (mail_header_from(message, header, sender_r) < 0)
		return refuse(why, "from",
		    "not exactly one From with one address");
	if (find_results(message, header, authserv_ids, &results) < 0)
		return refuse(why, "result",
		    "no Authentication-Results of ours");
	outcome = check_results(message, header, &results,
	    mail_address_domain(sender_r), why);
	for (size_t i = 0; outcome == OUTCOME_OK && i < COVERED; i++)
		if (mail_header_find(message, header, covered[i], NULL) != 1)
			outcome = reason_set(why, OUTCOME_PERMFAIL, "duplicate",
			    "%s does not stand exactly once", covered[i]);
	return outcome;
}
