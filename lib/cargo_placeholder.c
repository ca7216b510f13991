/* SPDX-License-Identifier: ISC
 *
 * Reading placeholders: see cargo_placeholder.h. This is the message: which
 * parts there are, and whether its header says the same as they do.
 */
#include "cargo_placeholder_private.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mail_header.h"
#include "mail_parameters.h"
#include "memory.h"

enum outcome
placeholder_refuse(struct placeholder_reading *reading, const char *word,
    const char *text)
{
	reading->refusal = text;
	return reason_set(reading->why, OUTCOME_PERMFAIL, word, "%s", text);
}

int
cargo_category_valid(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_.");

	return len > 0 && len <= CARGO_CATEGORY_MAX && text[len] == '\0';
}

int
cargo_share_valid(const char *text)
{
	unsigned char id[16];
	size_t len;

	return strlen(text) == CARGO_SHARE_LEN &&
	    base64url_parse(text, CARGO_SHARE_LEN, id, sizeof(id), &len) == 0 &&
	    len == sizeof(id);
}

void
cargo_share_new(char share_r[CARGO_SHARE_LEN + 1])
{
	unsigned char id[16];

	randombytes_buf(id, sizeof(id));
	base64url_format(id, sizeof(id), share_r);
}

void
placeholder_resource_free(struct cargo_resource *resource)
{
	free(resource->type);
	free(resource->name);
	free(resource->disposition);
}

/* The origin field, whichever its spelling; *count_r: how many there are.
 * Owned by the caller. */
char *
placeholder_get_origin(const char *message, size_t len, size_t *count_r)
{
	char *text = mail_header_get(message, len, CARGO_FIELD_ORIGIN);

	*count_r = mail_header_find(message, len, CARGO_FIELD_ORIGIN, NULL) +
	    mail_header_find(message, len, CARGO_FIELD_ORIGIN_LATER, NULL);
	if (text == NULL)
		text = mail_header_get(message, len, CARGO_FIELD_ORIGIN_LATER);
	return text;
}

/* The fields that made Postfix select the message: nobody signed them. The
 * reader's program gets by without them, or without a part of them. */
static enum outcome
compare_header(struct placeholder_reading *reading, size_t len)
{
	const struct cargo_placeholder *p = reading->placeholder;
	bool liberal = reading->findings != NULL;
	const char *message = reading->message, *share;
	struct mail_parameters list;
	char *text, *category;
	size_t count;
	bool same;

	text = placeholder_get_origin(message, len, &count);
	if (count > 1 || (count == 0 && !liberal) ||
	    mail_header_find(message, len, CARGO_FIELD_CATEGORY, NULL) > 1) {
		free(text);
		return placeholder_refuse(reading, "disagree",
		    "not just one origin field, or two categories");
	}
	if (text != NULL && mail_parameters_parse(text, &list) < 0) {
		free(text);
		return placeholder_refuse(reading, "form", "bad origin field");
	}
	same = true;
	if (text != NULL) {
		share = mail_parameters_get(&list, "share");
		same = strcmp(list.value, p->origin) == 0 &&
		    (share != NULL ? strcmp(share, p->share) == 0 : liberal);
		mail_parameters_free(&list);
		free(text);
	}
	text = mail_header_get(message, len, CARGO_FIELD_CATEGORY);
	category = text != NULL ? placeholder_read_category(text) : NULL;
	if (text != NULL || !liberal)
		same = same && (text == NULL || category != NULL) &&
		    placeholder_same_text(category, p->category);
	free(text);
	free(category);
	return same ?
	    OUTCOME_OK :
	    placeholder_refuse(reading, "disagree",
		"header and body differ in origin, share or category");
}

/* Part 1 behind the top multipart, marked as ours, an external body next or
 * a multipart that holds it. */
static int
find_note(const struct cargo_placeholder *p, const char *message)
{
	const struct mime_part *note = &p->parts.parts[1];
	char *text;
	bool ours;

	if (p->parts.count < 3 || strcmp(note->type, "text/plain") != 0 ||
	    note->parent != 0 || note[1].parent != 0 ||
	    p->resources[0].part < 2 ||
	    p->parts.parts[p->resources[0].part].end > note[1].end)
		return -1;
	text = mail_header_get(message + note->start, note->body - note->start,
	    "Content-Description");
	ours = text != NULL && strcasecmp(text, CARGO_NOTE_DESCRIPTION) == 0;
	free(text);
	return ours ? 1 : -1;
}

static enum outcome
read_parts(struct placeholder_reading *reading)
{
	struct cargo_placeholder *p = reading->placeholder;
	enum outcome outcome = OUTCOME_OK;

	for (size_t i = 0; outcome == OUTCOME_OK && i < p->parts.count; i++) {
		outcome = placeholder_read_part(reading, i);
		if (outcome == OUTCOME_PERMFAIL && reading->findings != NULL &&
		    strcmp(reading->why->word, "form") == 0)
			outcome = placeholder_note_finding(reading, i,
			    reading->refusal);
	}
	if (outcome != OUTCOME_OK || p->count > 0)
		return outcome;
	if (reading->findings != NULL && reading->findings->count > 0)
		return placeholder_refuse(reading, "form",
		    "no external body that can be read");
	return placeholder_refuse(reading, "none", "no external body of ours");
}

static enum outcome
parse(struct placeholder_reading *reading, size_t len, struct mime_parts *parts,
    struct cargo_placeholder **placeholder_r)
{
	struct cargo_placeholder *p = x_calloc(1, sizeof(*p));
	enum outcome outcome = OUTCOME_OK;
	size_t header;
	bool broken;

	reading->placeholder = p;
	p->parts = *parts;
	*parts = (struct mime_parts){ .parts = NULL };
	p->note = -1;
	*placeholder_r = NULL;
	header = mail_header_length(reading->message, len, &broken);
	if (len > CARGO_MAX_PLACEHOLDER)
		outcome = placeholder_refuse(reading, "limit",
		    "placeholder too large");
	else if (broken)
		outcome = placeholder_refuse(reading, "form", "broken header");
	if (outcome == OUTCOME_OK && reading->findings != NULL)
		placeholder_learn(reading, header);
	if (outcome == OUTCOME_OK)
		outcome = read_parts(reading);
	if (outcome == OUTCOME_OK)
		outcome = compare_header(reading, header);
	placeholder_common_free(&reading->instead);
	if (outcome != OUTCOME_OK) {
		cargo_placeholder_free(&p);
		return outcome;
	}
	p->message_id = mail_header_message_id(reading->message, header);
	p->note = find_note(p, reading->message);
	*placeholder_r = p;
	return OUTCOME_OK;
}

enum outcome
cargo_placeholder_parse_parts(const char *message, size_t len,
    struct mime_parts *parts, struct cargo_placeholder **placeholder_r,
    struct reason *why)
{
	struct placeholder_reading reading = { .message = message, .why = why };

	return parse(&reading, len, parts, placeholder_r);
}

enum outcome
cargo_placeholder_parse_liberal(const char *message, size_t len,
    struct mime_parts *parts, struct cargo_findings *findings_r,
    struct cargo_placeholder **placeholder_r, struct reason *why)
{
	struct reason local;
	struct placeholder_reading reading = { .message = message,
		.why = why != NULL ? why : &local,
		.findings = findings_r };

	findings_r->count = 0;
	return parse(&reading, len, parts, placeholder_r);
}

enum outcome
cargo_placeholder_parse(const char *message, size_t len,
    struct cargo_placeholder **placeholder_r, struct reason *why)
{
	struct mime_parts parts;
	enum outcome outcome;

	*placeholder_r = NULL;
	if (len > CARGO_MAX_PLACEHOLDER)
		return reason_set(why, OUTCOME_PERMFAIL, "limit",
		    "placeholder too large");
	outcome = mime_box_read(message, len, &parts, why);
	if (outcome != OUTCOME_OK)
		return outcome;
	return cargo_placeholder_parse_parts(message, len, &parts,
	    placeholder_r, why);
}

void
cargo_placeholder_free(struct cargo_placeholder **placeholder)
{
	struct cargo_placeholder *p = *placeholder;

	if (p == NULL)
		return;
	for (size_t i = 0; i < p->count; i++)
		placeholder_resource_free(&p->resources[i]);
	free(p->resources);
	mime_parts_free(&p->parts);
	free(p->origin);
	free(p->category);
	free(p->message_id);
	free(p);
	*placeholder = NULL;
}
