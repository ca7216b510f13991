/* SPDX-License-Identifier: ISC
 *
 * The message with a note: see legacy_message.h. The placeholder is walked
 * once; what is an edit there is the same for everybody but the note's text.
 *
 * Reads a placeholder that this broker made, through the same parser as a
 * stranger's.
 */
#include "legacy_message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "buffer.h"
#include "cargo_note.h"
#include "cargo_original.h"
#include "cargo_placeholder.h"
#include "mail_encode.h"
#include "mail_header.h"
#include "memory.h"

#define PAGE_MAX 990 /* bytes of a URL: one line of a message */

/* Bytes [start, end) go; what comes instead: */
enum instead { NOTHING, NOTE, MIXED, STAND_IN };

struct edit {
	size_t start, end;
	enum instead instead;
	size_t resource; /* of a stand-in */
};

struct legacy_message {
	const char *message;
	size_t len;
	struct cargo_placeholder *placeholder;
	struct cargo_draft_resource *resources; /* for the note */
	struct edit *edits;
	size_t count, room;
};

/* ---- which bytes ------------------------------------------------------- */

static void
add_edit(struct legacy_message *legacy, size_t start, size_t end,
    enum instead instead, size_t resource)
{
	if (legacy->count == legacy->room) {
		legacy->room = legacy->room * 2 + 16;
		legacy->edits = x_realloc(legacy->edits,
		    legacy->room * sizeof(*legacy->edits));
	}
	legacy->edits[legacy->count++] =
	    (struct edit){ start, end, instead, resource };
}

/* What made it a placeholder, what is none of the other recipients'
 * business, and what only a rebuilder reads. */
static bool
is_dropped(const struct mail_field *field)
{
	static const char *const names[] = { CARGO_FIELD_ORIGIN,
		CARGO_FIELD_ORIGIN_LATER, CARGO_FIELD_DESTINATION,
		CARGO_FIELD_DESTINATION_LATER, CARGO_FIELD_STATUS,
		CARGO_FIELD_ORIGINAL, "Bcc", "Resent-Bcc" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (mail_header_is(field, names[i]))
			return true;
	return false;
}

/* The subtype in a Content-Type of a multipart, NULL if it is not there. */
static const char *
find_subtype(const struct mail_field *field, const char *subtype)
{
	size_t len = strlen(subtype);

	for (size_t i = 0; i + len < field->body_len; i++)
		if (field->body[i] == '/' &&
		    strncasecmp(field->body + i + 1, subtype, len) == 0)
			return field->body + i + 1;
	return NULL;
}

/* The fields of one part. Where content was taken out of something signed or
 * encrypted, nobody can verify or decrypt the rest: it becomes a plain
 * sequence of parts, which is shown. */
static void
edit_header(struct legacy_message *legacy, const struct mime_part *part,
    bool is_broken)
{
	const char *header = legacy->message + part->start;
	size_t at = 0, start;
	struct mail_field field;

	while (
	    mail_header_next(header, part->body - part->start, &at, &field)) {
		const char *subtype = NULL;

		start = (size_t)(field.raw - legacy->message);
		if (is_dropped(&field)) {
			add_edit(legacy, start, start + field.raw_len, NOTHING,
			    0);
			continue;
		}
		if (!is_broken || !mail_header_is(&field, "Content-Type"))
			continue;
		if ((subtype = find_subtype(&field, "signed")) != NULL)
			start = (size_t)(subtype - legacy->message) + 6;
		else if ((subtype = find_subtype(&field, "encrypted")) != NULL)
			start = (size_t)(subtype - legacy->message) + 9;
		if (subtype != NULL)
			add_edit(legacy, (size_t)(subtype - legacy->message),
			    start, MIXED, 0);
	}
}

/* Index of the resource that this part is an external body of, or -1. */
static long
find_resource(const struct cargo_placeholder *p, size_t part)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->resources[i].part == part)
			return (long)i;
	return -1;
}

static bool
is_inside(const struct mime_parts *parts, size_t inner, size_t outer)
{
	int at = (int)inner;

	while (at >= 0 && (size_t)at != outer)
		at = parts->parts[at].parent;
	return at >= 0;
}

static bool
has_resource_inside(const struct cargo_placeholder *p, size_t part)
{
	for (size_t i = 0; i < p->count; i++)
		if (is_inside(&p->parts, p->resources[i].part, part))
			return true;
	return false;
}

/* The neighbours of a part below the same parent; -1: none. */
struct place {
	long before, after;
	bool kept_before, kept; /* any sibling that stays */
};

static struct place
find_place(const struct cargo_placeholder *p, size_t part)
{
	struct place place = { .before = -1, .after = -1 };

	for (size_t i = 1; i < p->parts.count; i++) {
		bool stays;

		if (i == part ||
		    p->parts.parts[i].parent != p->parts.parts[part].parent)
			continue;
		stays = find_resource(p, i) < 0;
		place.kept |= stays;
		if (i < part) {
			place.before = (long)i;
			place.kept_before |= stays;
		} else if (place.after < 0)
			place.after = (long)i;
	}
	return place;
}

/*
 * An external body goes with one of the delimiters around it where others
 * stay in a sequence of parts; else something small stands in for it, since
 * a multipart is never empty and the parts of other kinds have their places.
 */
static void
edit_resource(struct legacy_message *legacy, size_t index)
{
	const struct cargo_placeholder *p = legacy->placeholder;
	size_t number = p->resources[index].part;
	const struct mime_part *part = &p->parts.parts[number];
	struct place place = find_place(p, number);

	if (strcmp(p->parts.parts[part->parent].type, "multipart/mixed") != 0 ||
	    !place.kept)
		add_edit(legacy, part->start, part->end, STAND_IN, index);
	else if (place.kept_before)
		add_edit(legacy, p->parts.parts[place.before].end, part->end,
		    NOTHING, 0);
	else
		add_edit(legacy, part->start, p->parts.parts[place.after].start,
		    NOTHING, 0);
}

static void
find_edits(struct legacy_message *legacy)
{
	const struct cargo_placeholder *p = legacy->placeholder;

	for (size_t i = 0; i < p->parts.count; i++) {
		const struct mime_part *part = &p->parts.parts[i];
		long resource = find_resource(p, i);

		if ((int)i == p->note)
			add_edit(legacy, part->start, part->end, NOTE, 0);
		else if (resource >= 0 && part->parent >= 0)
			edit_resource(legacy, (size_t)resource);
		else
			edit_header(legacy, part, has_resource_inside(p, i));
	}
}

enum outcome
legacy_message_new(const char *placeholder, size_t len,
    struct legacy_message **legacy_r, struct reason *why)
{
	struct legacy_message *legacy = x_calloc(1, sizeof(*legacy));
	const struct cargo_placeholder *p;
	enum outcome outcome;

	*legacy_r = NULL;
	legacy->message = placeholder;
	legacy->len = len;
	outcome = cargo_placeholder_parse(placeholder, len,
	    &legacy->placeholder, why);
	if (outcome == OUTCOME_OK && legacy->placeholder->note < 0)
		outcome = reason_set(why, OUTCOME_PERMFAIL, "form",
		    "a placeholder without a note");
	if (outcome != OUTCOME_OK) {
		legacy_message_free(&legacy);
		return outcome;
	}
	p = legacy->placeholder;
	legacy->resources = x_calloc(p->count, sizeof(*legacy->resources));
	for (size_t i = 0; i < p->count; i++)
		legacy->resources[i] = (struct cargo_draft_resource){
			.hash = p->resources[i].hash,
			.size = p->resources[i].size,
			.type = p->resources[i].type,
			.name = p->resources[i].name,
			.disposition = p->resources[i].disposition,
		};
	find_edits(legacy);
	*legacy_r = legacy;
	return OUTCOME_OK;
}

void
legacy_message_free(struct legacy_message **legacy)
{
	if (*legacy == NULL)
		return;
	cargo_placeholder_free(&(*legacy)->placeholder);
	free((*legacy)->resources);
	free((*legacy)->edits);
	x_free(legacy);
}

/* ---- writing ----------------------------------------------------------- */

static int
add_encoded(void *context, const void *data, size_t len)
{
	return buffer_add(context, data, len);
}

/* A part of text; quoted-printable keeps it within what every relay
 * passes. */
static void
add_text(struct buffer *out, const char *text)
{
	struct mail_encoder encoder = {
		.kind = MAIL_ENCODE_QUOTED_PRINTABLE,
		.eol = "\r\n",
		.write = add_encoded,
		.context = out,
	};

	buffer_add_string(out,
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
	mail_encoder_add(&encoder, text, strlen(text));
	mail_encoder_end(&encoder);
}

static void
add_stand_in(struct buffer *out, const struct cargo_resource *resource)
{
	const char *name = resource->name != NULL ? resource->name : "Text";
	char *text = x_asprintf("[%s: not in this message, see the note at"
				" its beginning]\n",
	    name);

	add_text(out, text);
	free(text);
}

static void
add_message(const struct legacy_message *legacy, const char *note,
    struct buffer *out)
{
	size_t at = 0;

	for (size_t i = 0; i < legacy->count; i++) {
		const struct edit *edit = &legacy->edits[i];

		buffer_add(out, legacy->message + at, edit->start - at);
		at = edit->end;
		if (edit->instead == NOTE)
			add_text(out, note);
		else if (edit->instead == MIXED)
			buffer_add_string(out, "mixed");
		else if (edit->instead == STAND_IN)
			add_stand_in(out,
			    &legacy->placeholder->resources[edit->resource]);
	}
	buffer_add(out, legacy->message + at, legacy->len - at);
}

static bool
is_page(const char *page)
{
	size_t len = strlen(page);

	if (strncmp(page, "https://", 8) != 0 || len > PAGE_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (page[i] <= ' ' || page[i] >= 0x7f)
			return false;
	return true;
}

enum outcome
legacy_message_compose(const struct legacy_message *legacy, const char *page,
    char **message_r, size_t *len_r, struct reason *why)
{
	const struct cargo_placeholder *p = legacy->placeholder;
	struct cargo_note note = {
		.resources = legacy->resources,
		.count = p->count,
		.origin = p->origin,
		.expires = p->expires,
		.page = page,
	};
	struct buffer out;
	char *text;

	*message_r = NULL;
	if (!is_page(page))
		return reason_set(why, OUTCOME_PERMFAIL, "form",
		    "the page's URL cannot stand in a message");
	text = cargo_note_format(&note);
	/* The note grows by quoted-printable, at most to three times. */
	buffer_init(&out, (size_t)5 * CARGO_MAX_PLACEHOLDER);
	if (text != NULL)
		add_message(legacy, text, &out);
	free(text);
	if (text == NULL || out.failed) {
		buffer_free(&out);
		return reason_set(why, OUTCOME_PERMFAIL, "limit",
		    "the message with its note is too large");
	}
	*message_r = out.data;
	*len_r = out.len;
	return OUTCOME_OK;
}

void
legacy_message_bounce(const char *domain, int64_t limit, char text_r[256])
{
	snprintf(text_r, 256,
	    "The message is too large: at most %lld MB can go to %.120s as "
	    "ordinary mail; please send its files in another way",
	    (long long)(limit >> 20), domain);
}
