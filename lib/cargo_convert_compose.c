/* SPDX-License-Identifier: ISC
 *
 * Writing the placeholder of a conversion: see cargo_convert.h and, for how
 * the header comes back, cargo_original.h. What the sender wrote is copied
 * as it stands.
 */
#include <stdlib.h>
#include <string.h>

#include "cargo_convert_private.h"
#include "cargo_original.h"
#include "cargo_recipe.h"
#include "cargo_writer.h"
#include "mail_header.h"
#include "memory.h"

/* The fields of the header that stay, or those that move. */
static void
add_fields(const struct cargo_conversion *c, bool moved, struct buffer *out)
{
	struct mail_field field;
	size_t at = 0;

	while (mail_header_next(c->message, c->header, &at, &field))
		if (cargo_original_is_moved(&field) == moved)
			buffer_add(out, field.raw, field.raw_len);
}

static void
add_original(const struct cargo_conversion *c, struct buffer *out)
{
	struct mail_field field;
	size_t at = 0, count = 0;
	bool moved = false, before = false;

	buffer_add_string(out, CARGO_FIELD_ORIGINAL ": message;\r\n order=");
	while (mail_header_next(c->message, c->header, &at, &field)) {
		moved = cargo_original_is_moved(&field);
		if (count > 0 && moved != before) {
			buffer_add_format(out, "%c%zu", before ? 'm' : 'k',
			    count);
			count = 0;
		}
		before = moved;
		count++;
	}
	buffer_add_format(out, "%c%zu; size=%zu;\r\n sha256=%s\r\n",
	    moved ? 'm' : 'k', count, c->len, c->hash);
}

/* A part's own fields (of a message that is one part: those that move); its
 * Content-ID makes room for the hash. */
static void
add_part_fields(const struct cargo_conversion *c,
    const struct convert_part *part, struct buffer *out)
{
	const char *header = c->message + part->start;
	size_t len = part->body - part->start, at = 0;
	struct mail_field field, bare;

	while (mail_header_next(header, len, &at, &field)) {
		if (c->leaf && !cargo_original_is_moved(&field))
			continue;
		bare = field;
		if (mail_header_is(&field, "Content-ID") ||
		    cargo_original_restore_id(&bare))
			buffer_add_string(out, CARGO_ORIGINAL_ID);
		buffer_add(out, field.raw, field.raw_len);
	}
}

static void
add_part(const struct cargo_conversion *c, const struct convert_part *part,
    struct cargo_writer *writer)
{
	struct buffer *out = &writer->out;

	cargo_writer_add_external_body(writer, part->size);
	cargo_recipe_format(&part->recipe, part->encoding, out);
	buffer_add_string(out, "\r\n\r\n");
	add_part_fields(c, part, out);
	buffer_add_format(out, "Content-ID: <%s>\r\n", part->hash);
}

/* The original's body with external bodies in place of parts. */
static void
add_body(const struct cargo_conversion *c, struct cargo_writer *writer)
{
	size_t at = c->header;

	for (size_t i = 0; i < c->part_count; i++) {
		const struct convert_part *part = &c->parts[i];

		buffer_add(&writer->out, c->message + at, part->start - at);
		add_part(c, part, writer);
		at = part->end;
	}
	buffer_add(&writer->out, c->message + at, c->len - at);
}

static void
add_note(const struct cargo_conversion *c, struct cargo_writer *writer)
{
	struct cargo_draft_resource *drafts =
	    x_calloc(c->resource_count, sizeof(*drafts));

	for (size_t i = 0; i < c->resource_count; i++)
		drafts[i] = c->resources[i].draft;
	cargo_writer_add_note(writer, drafts, c->resource_count);
	free(drafts);
}

enum outcome
cargo_convert_compose(const struct cargo_conversion *conversion,
    const struct cargo_convert_target *target, char **placeholder_r,
    size_t *len_r, struct reason *why)
{
	const struct cargo_conversion *c = conversion;
	struct cargo_writer writer;

	*placeholder_r = NULL;
	if (cargo_writer_init(&writer, target->origin, target->share,
		target->category, target->expires) < 0)
		return reason_set(why, OUTCOME_PERMFAIL, "form",
		    "bad origin, share or category");
	add_fields(c, false, &writer.out);
	cargo_writer_add_fields(&writer, c->eight_bit);
	add_note(c, &writer);
	buffer_add_format(&writer.out, "--%s\r\n", writer.boundary);
	add_original(c, &writer.out);
	if (c->leaf)
		add_part(c, &c->parts[0], &writer);
	else {
		add_fields(c, true, &writer.out);
		buffer_add_string(&writer.out, "\r\n");
		add_body(c, &writer);
	}
	buffer_add_string(&writer.out, "\r\n");
	if (cargo_writer_finish(&writer, placeholder_r, len_r) < 0)
		return reason_set(why, OUTCOME_PERMFAIL, "limit",
		    "the placeholder would be too large");
	return OUTCOME_OK;
}
