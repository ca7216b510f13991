/* SPDX-License-Identifier: ISC
 *
 * Rebuilding messages: see cargo_rebuild.h. The message is walked once;
 * between the edits its raw bytes are copied.
 */
#include "cargo_rebuild.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cargo_original.h"
#include "cargo_recipe.h"
#include "digest.h"
#include "mail_encode.h"
#include "mail_header.h"
#include "memory.h"

/* Bytes [start, end) of the message go; `resource` (or -1) comes instead. */
struct edit {
	size_t start, end;
	ssize_t resource;
};

#define HEADER_EDITS 16
#define READ_SIZE 65536

struct rebuilding {
	const struct cargo_placeholder *placeholder;
	const char *message;
	size_t len;
	const struct cargo_rebuild_io *io;
	const char *eol; /* of the message as we have it */
	struct edit edits[HEADER_EDITS + 1 + CARGO_MAX_RESOURCES];
	size_t count;
	struct reason *why;
	/* Of what is written, CRLF lines; NULL before the original begins. */
	struct digest *digest;
	int64_t written;
};

/* ---- which bytes ------------------------------------------------------- */

static void
add_edit(struct rebuilding *r, size_t start, size_t end, ssize_t resource)
{
	r->edits[r->count++] = (struct edit){ start, end, resource };
}

/* The fields that make a message a placeholder. */
static void
find_header_edits(struct rebuilding *r)
{
	static const char *const names[] = { CARGO_FIELD_ORIGIN,
		CARGO_FIELD_ORIGIN_LATER, CARGO_FIELD_DESTINATION,
		CARGO_FIELD_DESTINATION_LATER, CARGO_FIELD_STATUS };
	size_t len = mail_header_length(r->message, r->len, NULL);
	struct mail_field field;
	size_t at = 0;

	while (r->count < HEADER_EDITS &&
	    mail_header_next(r->message, len, &at, &field))
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (mail_header_is(&field, names[i]))
				add_edit(r, at - field.raw_len, at, -1);
}

static void
find_edits(struct rebuilding *r)
{
	const struct cargo_placeholder *p = r->placeholder;

	find_header_edits(r);
	/* With the note goes the delimiter behind it: one stays. */
	if (p->note >= 0)
		add_edit(r, p->parts.parts[p->note].start,
		    p->parts.parts[p->note + 1].start, -1);
	for (size_t i = 0; i < p->count; i++) {
		const struct mime_part *part =
		    &p->parts.parts[p->resources[i].part];

		add_edit(r, part->start, part->end, (ssize_t)i);
	}
}

/* ---- one resource ------------------------------------------------------ */

/* Counts and hashes as if every line ended in CRLF, as it did. */
static void
hash_lines(struct rebuilding *r, const char *data, size_t len)
{
	while (len > 0) {
		const char *end = memchr(data, '\n', len);
		size_t run = end != NULL ? (size_t)(end - data) : len;

		digest_add(r->digest, data, run);
		r->written += (int64_t)run;
		if (end == NULL)
			break;
		digest_add(r->digest, "\r\n", 2);
		r->written += 2;
		data += run + 1;
		len -= run + 1;
	}
}

static int
sink(void *context, const void *data, size_t len)
{
	struct rebuilding *r = context;

	if (r->digest != NULL && r->eol[0] == '\n')
		hash_lines(r, data, len);
	else if (r->digest != NULL) {
		digest_add(r->digest, data, len);
		r->written += (int64_t)len;
	}
	return r->io->write(r->io->context, data, len);
}

static int
put(struct rebuilding *r, const char *text, size_t len)
{
	return len > 0 ? sink(r, text, len) : 0;
}

static int
put_field(struct rebuilding *r, const struct mail_field *field)
{
	if (put(r, field->raw, field->raw_len) < 0)
		return -1;
	return field->raw[field->raw_len - 1] == '\n' ?
	    0 :
	    put(r, r->eol, strlen(r->eol));
}

/* A field of the inner header is passed on, but for the hash in Content-ID
 * where a recipe promises the original's header (its own gets its name back),
 * and for an encoding where there is no recipe. */
static bool
is_kept(const struct cargo_resource *resource, struct mail_field *field)
{
	if (resource->recipe.encoding != CARGO_RECIPE_NONE)
		return cargo_original_restore_id(field) ||
		    !mail_header_is(field, "Content-ID");
	return !mail_header_is(field, "Content-Transfer-Encoding");
}

static int
put_inner_header(struct rebuilding *r, const struct cargo_resource *resource,
    const struct mail_encoder *encoder)
{
	const char *inner = r->message + resource->inner_start;
	struct mail_field field;
	size_t at = 0;

	while (mail_header_next(inner, resource->inner_len, &at, &field)) {
		if (!is_kept(resource, &field))
			continue;
		if (put_field(r, &field) < 0)
			return -1;
	}
	if (resource->recipe.encoding == CARGO_RECIPE_NONE) {
		const char *name = encoder->kind == MAIL_ENCODE_BASE64 ?
		    "base64" :
		    "quoted-printable";

		if (put(r, "Content-Transfer-Encoding: ", 27) < 0 ||
		    put(r, name, strlen(name)) < 0 ||
		    put(r, r->eol, strlen(r->eol)) < 0)
			return -1;
	}
	return put(r, r->eol, strlen(r->eol));
}

static void
choose_encoder(struct rebuilding *r, const struct cargo_resource *resource,
    struct mail_encoder *encoder_r)
{
	const struct cargo_recipe *recipe = &resource->recipe;

	*encoder_r = (struct mail_encoder){
		.kind = MAIL_ENCODE_BASE64,
		.line = recipe->line,
		/* A message kept with bare LF keeps it throughout. */
		.eol = recipe->crlf ? r->eol : "\n",
		.final = recipe->final,
		.write = sink,
		.context = r,
		.layout = &recipe->layout,
	};
	if (recipe->encoding == CARGO_RECIPE_IDENTITY)
		encoder_r->kind = recipe->crlf && r->eol[0] == '\n' ?
		    MAIL_ENCODE_UNFOLD :
		    MAIL_ENCODE_IDENTITY;
	else if (recipe->encoding == CARGO_RECIPE_QUOTED_PRINTABLE)
		encoder_r->kind = MAIL_ENCODE_LAYOUT;
	else if (recipe->encoding == CARGO_RECIPE_NONE) {
		encoder_r->line = 76;
		encoder_r->eol = r->eol;
		encoder_r->final = 0;
		if (strncmp(resource->type, "text/", 5) == 0)
			encoder_r->kind = MAIL_ENCODE_QUOTED_PRINTABLE;
	}
}

static enum outcome
put_content(struct rebuilding *r, size_t index, struct mail_encoder *encoder)
{
	const struct cargo_resource *resource =
	    &r->placeholder->resources[index];
	struct digest *digest = digest_new();
	char hash[SHA256_HEX_SIZE];
	char *data = x_malloc(READ_SIZE);
	int64_t size = 0;
	ssize_t got;
	int failed = 0;

	while (
	    (got = r->io->read(r->io->context, index, data, READ_SIZE)) > 0) {
		size += got;
		digest_add(digest, data, (size_t)got);
		if ((resource->size >= 0 && size > resource->size) ||
		    (failed = mail_encoder_add(encoder, data, (size_t)got)) < 0)
			break;
	}
	free(data);
	digest_finish(&digest, hash);
	if (got < 0)
		return reason_set(r->why, OUTCOME_TEMPFAIL, "read",
		    "cannot read resource %s", resource->hash);
	if (failed < 0 || mail_encoder_end(encoder) < 0)
		return reason_set(r->why, OUTCOME_TEMPFAIL, "write",
		    "cannot write the message");
	if ((resource->size >= 0 && size != resource->size) ||
	    strcmp(hash, resource->hash) != 0)
		return reason_set(r->why, OUTCOME_PERMFAIL, "digest",
		    "resource %s is not what its hash and size say",
		    resource->hash);
	return OUTCOME_OK;
}

static enum outcome
put_resource(struct rebuilding *r, size_t index)
{
	const struct cargo_resource *resource =
	    &r->placeholder->resources[index];
	struct mail_encoder encoder;

	choose_encoder(r, resource, &encoder);
	if (put_inner_header(r, resource, &encoder) < 0)
		return reason_set(r->why, OUTCOME_TEMPFAIL, "write",
		    "cannot write the message");
	return put_content(r, index, &encoder);
}

static enum outcome
write_failed(struct rebuilding *r)
{
	return reason_set(r->why, OUTCOME_TEMPFAIL, "write",
	    "cannot write the message");
}

/* Copies a run of the message, with the edits that lie in it. */
static enum outcome
put_range(struct rebuilding *r, size_t at, size_t end)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct edit *edit = &r->edits[i];
		enum outcome outcome;

		if (edit->start < at || edit->end > end)
			continue;
		if (put(r, r->message + at, edit->start - at) < 0)
			return write_failed(r);
		at = edit->end;
		if (edit->resource < 0)
			continue;
		outcome = put_resource(r, (size_t)edit->resource);
		if (outcome != OUTCOME_OK)
			return outcome;
	}
	return put(r, r->message + at, end - at) < 0 ? write_failed(r) :
						       OUTCOME_OK;
}

/* ---- the original ------------------------------------------------------ */

/* What transport put on top, then the original's fields in their order. */
static int
put_header(struct rebuilding *r, const struct cargo_original *original)
{
	size_t len = r->placeholder->parts.parts[0].body;
	size_t at = 0, moved_at = 0, above = 0;
	struct mail_field field;

	while (cargo_original_next_kept(r->message, len, &at, &field))
		above++;
	above -= original->kept; /* not below 0: cargo_original_find() */
	for (at = 0; above > 0; above--)
		if (!cargo_original_next_kept(r->message, len, &at, &field) ||
		    put_field(r, &field) < 0)
			return -1;
	r->digest = digest_new();
	for (size_t i = 0; i < original->run_count; i++) {
		const struct cargo_original_run *run = &original->runs[i];

		for (size_t count = run->count; count > 0; count--)
			if (!(run->moved ?
				    cargo_original_next_moved(r->placeholder,
					r->message, original, &moved_at,
					&field) :
				    cargo_original_next_kept(r->message, len,
					&at, &field)) ||
			    put_field(r, &field) < 0)
				return -1;
	}
	return put(r, r->eol, strlen(r->eol));
}

static enum outcome
put_original(struct rebuilding *r, const struct cargo_original *original,
    bool *exact_r)
{
	const struct mime_part *part =
	    &r->placeholder->parts.parts[original->part];
	struct mail_encoder encoder;
	char hash[SHA256_HEX_SIZE];
	enum outcome outcome;

	if (put_header(r, original) < 0)
		return write_failed(r);
	if (original->leaf) {
		choose_encoder(r, &r->placeholder->resources[0], &encoder);
		outcome = put_content(r, 0, &encoder);
	} else
		outcome = put_range(r, part->body, part->end);
	digest_finish(&r->digest, hash);
	*exact_r =
	    r->written == original->size && strcmp(hash, original->hash) == 0;
	return outcome;
}

enum outcome
cargo_rebuild(const struct cargo_placeholder *placeholder, const char *message,
    size_t len, const struct cargo_rebuild_io *io, bool *exact_r,
    struct reason *why)
{
	struct rebuilding r = { placeholder, message, len, io, "\n",
		.why = why };
	size_t body = placeholder->parts.parts[0].body;
	struct cargo_original original;
	enum outcome outcome;
	int found;

	/* By the empty line: what was put on top may have lines of its own. */
	if (body >= 2 && body <= len && message[body - 2] == '\r')
		r.eol = "\r\n";
	find_edits(&r);
	found = cargo_original_find(placeholder, message, &original);
	*exact_r = found >= 0;
	for (size_t i = 0; i < placeholder->count; i++)
		*exact_r = *exact_r &&
		    placeholder->resources[i].recipe.encoding !=
			CARGO_RECIPE_NONE;
	if (found <= 0)
		return put_range(&r, 0, len);
	outcome = put_original(&r, &original, exact_r);
	digest_free(&r.digest);
	return outcome;
}
