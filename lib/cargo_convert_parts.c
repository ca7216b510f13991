/* SPDX-License-Identifier: ISC
 *
 * Which parts of a message become resources: see cargo_convert.h. Candidates
 * are looked at from the largest down, so that the 200 that a placeholder
 * may have are the largest.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cargo_convert_private.h"
#include "cargo_recipe.h"
#include "digest.h"
#include "mail_decode.h"
#include "mail_header.h"
#include "mail_parameters.h"
#include "memory.h"

/* Bytes that may stay: a placeholder's limit less its note and up to 200
 * external bodies. */
#define REST_MAX (512 * 1024)
#define PART_HEADER_MAX (16 * 1024) /* of a part that goes */
#define PART_HEADERS_MAX (128 * 1024) /* of all that go */
#define DECODE_SIZE 65536

struct selecting {
	struct cargo_conversion *conversion;
	const struct cargo_convert_options *options;
	struct mime_parts box;
	size_t taken; /* parts */
	size_t rest; /* bytes that stay */
	size_t headers; /* bytes of headers of parts that go */
	struct reason *why;
};

/* ---- one part ---------------------------------------------------------- */

/* Inside an embedded message it is the matter of that message, which goes or
 * stays as one. */
/* A part without a header begins, for us, with the empty line, if that is
 * not the one that ends the header of its parent. */
static size_t
part_start(const char *message, const struct mime_part *part, size_t parent)
{
	size_t start = part->start;

	if (start == part->body && start >= parent + 3 &&
	    memcmp(message + start - 3, "\n\r\n", 3) == 0)
		start -= 2;
	return start;
}

/* Fields with CRLF and an empty line, nothing else. */
static bool
has_plain_header(const char *message, const struct convert_part *part)
{
	const char *header = message + part->start;
	size_t len = part->body - part->start;
	bool broken;

	if (len < 2 || len > PART_HEADER_MAX ||
	    memcmp(header + len - 2, "\r\n", 2) != 0 ||
	    mail_header_length(header, len, &broken) != len || broken ||
	    (len > 2 && header[len - 3] != '\n'))
		return false;
	for (size_t i = 0; i < len; i++)
		if (header[i] == '\n' && (i == 0 || header[i - 1] != '\r'))
			return false;
	return true;
}

static bool
is_attachment(const char *message, const struct convert_part *part)
{
	static const char *const fields[][2] = {
		{ "Content-Disposition", "filename" },
		{ "Content-Type", "name" },
	};
	bool found = strncmp(part->type, "text/", 5) != 0;

	for (int i = 0; i < 2 && !found; i++) {
		struct mail_parameters list;
		char *text = mail_header_get(message + part->start,
		    part->body - part->start, fields[i][0]);

		if (text != NULL && mail_parameters_parse(text, &list) == 0) {
			found = strcmp(list.value, "attachment") == 0 ||
			    mail_parameters_get(&list, fields[i][1]) != NULL;
			mail_parameters_free(&list);
		}
		free(text);
	}
	return found;
}

static bool
is_wanted(const struct selecting *s, const struct convert_part *part)
{
	switch (s->options->mode) {
	case CARGO_CONVERT_ALL:
		return true;
	case CARGO_CONVERT_ATTACHMENTS:
		return is_attachment(s->conversion->message, part);
	default:
		return (int64_t)(part->end - part->body) >
		    s->options->threshold;
	}
}

/* Decodes once: size and hash. 0, or -1 if no recipe makes it again. */
static int
decode(const struct selecting *s, struct convert_part *part)
{
	const char *body = s->conversion->message + part->body;
	struct digest *digest = digest_new();
	struct mail_decoder decoder;
	int64_t size = 0;
	char *data = x_malloc(DECODE_SIZE);
	ssize_t got;

	mail_decoder_init(&decoder, cargo_recipe_kind(&part->recipe), body,
	    part->end - part->body);
	while ((got = mail_decoder_read(&decoder, data, DECODE_SIZE)) > 0) {
		digest_add(digest, data, (size_t)got);
		size += got;
	}
	free(data);
	digest_finish(&digest, part->hash);
	if (got < 0 || (part->size >= 0 && size != part->size) ||
	    (part->recipe.encoding == CARGO_RECIPE_BASE64 &&
		!decoder.canonical))
		return -1;
	part->size = size;
	return 0;
}

static void
try_part(struct selecting *s, struct convert_part *part)
{
	const char *message = s->conversion->message;
	size_t header = part->body - part->start;

	if (s->taken == CARGO_MAX_RESOURCES ||
	    s->headers + header > PART_HEADERS_MAX ||
	    cargo_recipe_learn(message + part->body, part->end - part->body,
		part->encoding, &part->recipe, &part->size) < 0)
		return;
	if (s->options->mode == CARGO_CONVERT_LARGE && part->wanted &&
	    part->size >= 0 && part->size <= s->options->threshold) {
		part->wanted = false; /* encoded it was above, but is not */
		return;
	}
	if (decode(s, part) < 0)
		return;
	part->taken = true;
	s->taken++;
	s->headers += header;
	s->rest -= part->end - part->start;
}

/* ---- all of them ------------------------------------------------------- */

/* Somebody else's external bodies stay; ours would be taken for the new
 * placeholder's. */
static bool
is_placeholder_part(const struct selecting *s, const struct mime_part *part)
{
	const char *header = s->conversion->message + part->start;
	const char *access;
	char *text;
	bool ours = false;

	if (strcmp(part->type, "message/external-body") != 0)
		return false;
	text =
	    mail_header_get(header, part->body - part->start, "Content-Type");
	access = text != NULL ? strcasestr(text, "access-type") : NULL;
	ours = access == NULL ||
	    strcasestr(access, "content-addressed-uri") != NULL;
	free(text);
	return ours;
}

static void
add_candidate(struct selecting *s, const struct mime_part *box, bool root)
{
	struct cargo_conversion *c = s->conversion;
	struct convert_part *part = &c->parts[c->part_count];
	size_t parent = root ? 0 : s->box.parts[box->parent].body;

	*part = (struct convert_part){
		.start = root ? 0 : part_start(c->message, box, parent),
		.body = root ? c->header : box->body,
		.end = root ? c->len : box->end,
		.encoding = box->encoding,
	};
	memcpy(part->type, box->type, sizeof(part->type));
	if (part->body >= part->end ||
	    (!root && !has_plain_header(c->message, part)))
		return;
	part->wanted = is_wanted(s, part);
	c->part_count++;
}

static enum outcome
find_candidates(struct selecting *s)
{
	struct cargo_conversion *c = s->conversion;
	const struct mime_parts *box = &s->box;
	bool leaf = strncmp(box->parts[0].type, "multipart/", 10) != 0;

	c->parts = x_calloc(box->count, sizeof(*c->parts));
	c->leaf = leaf;
	for (size_t i = 0; i < box->count; i++) {
		const struct mime_part *part = &box->parts[i];

		if (mime_part_is_embedded(box, i))
			continue;
		if (is_placeholder_part(s, part))
			return reason_set(s->why, OUTCOME_PERMFAIL,
			    "unsuitable", "it has external bodies");
		if (strncmp(part->type, "multipart/", 10) != 0 &&
		    strcmp(part->type, "message/external-body") != 0)
			add_candidate(s, part, leaf && i == 0);
	}
	if (!leaf && box->parts[0].body != c->header)
		return reason_set(s->why, OUTCOME_PERMFAIL, "unsuitable",
		    "it is unclear where its header ends");
	return OUTCOME_OK;
}

static int
compare_length(const void *a, const void *b)
{
	const struct convert_part *one = *(struct convert_part *const *)a;
	const struct convert_part *two = *(struct convert_part *const *)b;
	size_t one_len = one->end - one->body, two_len = two->end - two->body;

	return (one_len < two_len) - (one_len > two_len);
}

/* First what the mode asks for; then, if what stays has no room in a
 * placeholder, whatever is large. */
static void
take_parts(struct selecting *s)
{
	struct cargo_conversion *c = s->conversion;
	struct convert_part **order =
	    x_calloc(c->part_count + 1, sizeof(struct convert_part *));

	for (size_t i = 0; i < c->part_count; i++)
		order[i] = &c->parts[i];
	qsort(order, c->part_count, sizeof(struct convert_part *),
	    compare_length);
	for (size_t i = 0; i < c->part_count; i++)
		if (order[i]->wanted)
			try_part(s, order[i]);
	for (size_t i = 0; i < c->part_count && s->taken > 0; i++)
		if (!order[i]->wanted && s->rest > REST_MAX)
			try_part(s, order[i]);
	free(order);
}

enum outcome
convert_parts_select(struct cargo_conversion *conversion,
    const struct cargo_convert_options *options, struct reason *why)
{
	struct selecting s = { .conversion = conversion,
		.options = options,
		.rest = conversion->len,
		.why = why };
	enum outcome outcome;
	size_t count = 0;

	outcome =
	    mime_box_read(conversion->message, conversion->len, &s.box, why);
	if (outcome != OUTCOME_OK) {
		if (outcome == OUTCOME_PERMFAIL && reason_is(why, "form"))
			reason_set(why, outcome, "unsuitable",
			    "its structure cannot be read");
		return outcome;
	}
	outcome = find_candidates(&s);
	mime_parts_free(&s.box);
	if (outcome != OUTCOME_OK)
		return outcome;
	take_parts(&s);
	for (size_t i = 0; i < conversion->part_count; i++)
		if (conversion->parts[i].taken)
			conversion->parts[count++] = conversion->parts[i];
	conversion->part_count = count;
	for (size_t i = 1; i < count; i++)
		if (conversion->parts[i].start < conversion->parts[i - 1].end)
			return reason_set(why, OUTCOME_TEMPFAIL, "box",
			    "parts overlap");
	if (count == 0)
		return reason_set(why, OUTCOME_PERMFAIL, "nothing",
		    "no part is to be converted, or can be made again");
	if (s.rest > REST_MAX)
		return reason_set(why, OUTCOME_PERMFAIL, "unsuitable",
		    "too much of it would stay");
	return OUTCOME_OK;
}
