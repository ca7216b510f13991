/* SPDX-License-Identifier: ISC
 *
 * Judging what users submit: see submission.h.
 */
#include "submission.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "mail_header.h"
#include "memory.h"

/* Received fields before it is a loop, as Postfix's hopcount_limit; and
 * passes through this very broker of what users send on. */
#define HOPS_MAX 50
#define RESENT_PASSES_MAX 5

/* ---- our own Postfix's Received ------------------------------------------ */

/* Protocols by which somebody was authenticated (RFC 3848, RFC 6531, RFC
 * 4954), as Postfix writes them. */
static bool
is_authenticated_protocol(const char *text, size_t len)
{
	static const char *const protocols[] = { "ESMTPA", "ESMTPSA",
		"UTF8SMTPA", "UTF8SMTPSA", NULL };

	for (size_t i = 0; protocols[i] != NULL; i++)
		if (strlen(protocols[i]) == len &&
		    strncmp(protocols[i], text, len) == 0)
			return true;
	return false;
}

/* The word that follows `name` and a space at *at, which moves behind it. */
static bool
next_word(const char **at, const char *end, const char *name,
    const char **word_r, size_t *len_r)
{
	size_t len = strlen(name);
	const char *from = *at + len, *to;

	if ((size_t)(end - *at) < len || strncmp(*at, name, len) != 0)
		return false;
	for (to = from; to < end && strchr(" \t\r\n;", *to) == NULL; to++)
		;
	*word_r = from;
	*len_r = (size_t)(to - from);
	*at = to < end && *to == ' ' ? to + 1 : to;
	return to > from;
}

/*
 * The line of Postfix's smtpd: "by NAME (MAIL NAME) with PROTOCOL id ID". It
 * begins a line of its own within the field, which no name that the client
 * gave can do; and the id is one that nobody knew before.
 */
static bool
is_authenticated_line(const char *at, const char *end, const char *id)
{
	const char *word;
	size_t len;

	if (!next_word(&at, end, "by ", &word, &len))
		return false;
	if (at < end && *at == '(') {
		const char *close = memchr(at, ')', (size_t)(end - at));

		if (close == NULL || close + 2 > end || close[1] != ' ')
			return false;
		at = close + 2;
	}
	return next_word(&at, end, "with ", &word, &len) &&
	    is_authenticated_protocol(word, len) &&
	    next_word(&at, end, "id ", &word, &len) && len == strlen(id) &&
	    strncmp(word, id, len) == 0;
}

static bool
is_authenticated(const char *header, size_t len, const char *id)
{
	struct mail_field field;
	const char *line, *end;
	size_t at = 0;

	if (strcmp(id, "-") == 0 ||
	    !mail_header_next(header, len, &at, &field) ||
	    !mail_header_is(&field, "Received"))
		return false;
	end = field.body + field.body_len;
	for (line = field.body; line < end;) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		const char *next = newline != NULL ? newline + 1 : end;

		if (line > field.body) /* the first begins with "from" */
			while (line < next && (*line == ' ' || *line == '\t'))
				line++;
		if (line > field.body && is_authenticated_line(line, next, id))
			return true;
		line = next;
	}
	return false;
}

/* ---- what is not a person's own mail ------------------------------------- */

static bool
has_prefix(const struct mail_field *field, const char *prefix)
{
	return field->name_len >= strlen(prefix) &&
	    strncasecmp(field->raw, prefix, strlen(prefix)) == 0;
}

/* True if the field's text begins with this word. */
static bool
says(const struct mail_field *field, const char *word)
{
	char *text = mail_header_unfold(field);
	size_t len = strlen(word);
	bool result = strncasecmp(text, word, len) == 0 &&
	    !isalnum((unsigned char)text[len]) && text[len] != '-';

	free(text);
	return result;
}

/* Why a field keeps the message from being converted; NULL if it does not. */
static const char *
find_obstacle(const struct mail_field *field)
{
	static const struct {
		const char *prefix, *word, *reason;
	} table[] = {
		{ "Resent-", NULL, "resent" },
		{ "List-", NULL, "list" },
		{ "Mailing-List", NULL, "list" },
		{ "Precedence", "bulk", "list" },
		{ "Precedence", "list", "list" },
		{ "Precedence", "junk", "list" },
		{ "Auto-Submitted", "auto-replied", "automatic" },
		{ "Content-Type", "multipart/report", "automatic" },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (has_prefix(field, table[i].prefix) &&
		    (table[i].word == NULL || says(field, table[i].word)))
			return table[i].reason;
	return NULL;
}

static enum outcome
check_fields(const char *header, size_t len, struct reason *why)
{
	struct mail_field field;
	const char *word;
	size_t at = 0;

	while (mail_header_next(header, len, &at, &field)) {
		word = find_obstacle(&field);
		if (word != NULL)
			return reason_set(why, OUTCOME_PERMFAIL, word, "%.*s",
			    (int)(field.name_len < 64 ? field.name_len : 64),
			    field.raw);
	}
	return OUTCOME_OK;
}

/* ---- the whole ----------------------------------------------------------- */

static enum outcome
check_sender(const char *header, size_t len, const struct envelope *envelope,
    char sender_r[MAIL_ADDRESS_SIZE], struct reason *why)
{
	char from[MAIL_ADDRESS_SIZE];

	if (envelope->sender[0] == '\0')
		return reason_set(why, OUTCOME_PERMFAIL, "bounce",
		    "the envelope has no sender");
	if (!is_authenticated(header, len, envelope_id(envelope)))
		return reason_set(why, OUTCOME_PERMFAIL, "unauthenticated",
		    "no authenticated client gave it to our Postfix");
	if (mail_address_normalise(envelope->sender, sender_r) < 0 ||
	    mail_header_from(header, len, from) < 0 ||
	    strcmp(sender_r, from) != 0)
		return reason_set(why, OUTCOME_PERMFAIL, "from",
		    "From is not the envelope's sender alone");
	return OUTCOME_OK;
}

static enum outcome
read_category(const char *header, size_t len,
    char category_r[CARGO_CATEGORY_MAX + 1], struct reason *why)
{
	size_t count =
	    mail_header_find(header, len, CARGO_FIELD_CATEGORY, NULL);
	char *text = mail_header_get(header, len, CARGO_FIELD_CATEGORY);
	bool is_good = count == 0 || (count == 1 && cargo_category_valid(text));

	category_r[0] = '\0';
	if (count > 0 && is_good)
		snprintf(category_r, CARGO_CATEGORY_MAX + 1, "%s", text);
	free(text);
	if (!is_good)
		return reason_set(why, OUTCOME_PERMFAIL, "category",
		    "not one category in lower case");
	return OUTCOME_OK;
}

enum outcome
submission_check(const char *header, size_t len,
    const struct envelope *envelope, struct submission *submission_r,
    struct reason *why)
{
	enum outcome outcome;

	memset(submission_r, 0, sizeof(*submission_r));
	outcome =
	    check_sender(header, len, envelope, submission_r->sender, why);
	if (outcome == OUTCOME_OK)
		outcome = check_fields(header, len, why);
	if (outcome == OUTCOME_OK)
		outcome =
		    read_category(header, len, submission_r->category, why);
	if (outcome != OUTCOME_OK)
		return outcome;
	submission_r->placeholder =
	    mail_header_find(header, len, CARGO_FIELD_ORIGIN, NULL) > 0 ||
	    mail_header_find(header, len, CARGO_FIELD_ORIGIN_LATER, NULL) > 0;
	submission_r->message_id = mail_header_message_id(header, len);
	if (submission_r->message_id == NULL)
		return reason_set(why, OUTCOME_PERMFAIL, "message-id",
		    "no single Message-ID that can be read");
	return OUTCOME_OK;
}

void
submission_free(struct submission *submission)
{
	free(submission->message_id);
	submission->message_id = NULL;
}

/* ---- loops --------------------------------------------------------------- */

char *
submission_trace(const char *hostname, const char *id, int64_t now)
{
	char date[CLOCK_TEXT_SIZE];

	clock_format_mail(now, date);
	return x_asprintf("Received: by %s (Cargomail outbound) with LMTP id "
			  "%s;\r\n\t%s\r\n",
	    hostname, id, date);
}

bool
submission_is_loop(const char *header, size_t len, const char *hostname)
{
	char *own = x_asprintf("by %s (Cargomail outbound)", hostname);
	size_t at = 0, hops = 0, passes = 0;
	struct mail_field field;
	bool is_sent_on = false;

	while (mail_header_next(header, len, &at, &field)) {
		is_sent_on = is_sent_on || has_prefix(&field, "Resent-") ||
		    has_prefix(&field, "List-");
		if (!mail_header_is(&field, "Received"))
			continue;
		hops++;
		passes += memmem(field.body, field.body_len, own,
			      strlen(own)) != NULL;
	}
	free(own);
	return hops > HOPS_MAX || passes > (is_sent_on ? RESENT_PASSES_MAX : 0);
}
