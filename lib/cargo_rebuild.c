/* SPDX-License-Identifier: ISC
 *
 * Rebuilding messages: see cargo_rebuild.h. The message is walked once;
 * between the edits its raw bytes are copied.
 */
#include "cargo_rebuild.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

static int
put(struct rebuilding *r, const char *text, size_t len)
{
	return len > 0 ? r->io->write(r->io->context, text, len) : 0;
}

/* A field of the inner header is passed on, but for the hash in Content-ID
 * where a recipe promises the original's header, and for an encoding where
 * there is no recipe. */
static bool
is_kept(const struct cargo_resource *resource, const struct mail_field *field)
{
	if (resource->recipe.encoding != CARGO_RECIPE_NONE)
		return !mail_header_is(field, "Content-ID");
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
		if (put(r, field.raw, field.raw_len) < 0)
			return -1;
		if (field.raw[field.raw_len - 1] != '\n' &&
		    put(r, r->eol, strlen(r->eol)) < 0)
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
choose_encoder(const struct rebuilding *r,
    const struct cargo_resource *resource, struct mail_encoder *encoder_r)
{
	const struct cargo_recipe *recipe = &resource->recipe;

	*encoder_r = (struct mail_encoder){
		.kind = MAIL_ENCODE_BASE64,
		.line = recipe->line,
		/* A message kept with bare LF keeps it throughout. */
		.eol = recipe->crlf ? r->eol : "\n",
		.final = recipe->final,
		.write = r->io->write,
		.context = r->io->context,
	};
	if (recipe->encoding == CARGO_RECIPE_IDENTITY)
		encoder_r->kind = MAIL_ENCODE_IDENTITY;
	else if (recipe->encoding == CARGO_RECIPE_NONE) {
		encoder_r->line = 76;
		encoder_r->eol = r->eol;
		encoder_r->final = false;
		if (strncmp(resource->type, "text/", 5) == 0)
			encoder_r->kind = MAIL_ENCODE_QUOTED_PRINTABLE;
	}
}

static enum outcome
put_content(struct rebuilding *r, size_t index, struct mail_encoder *encoder)
{
	const struct cargo_resource *resource =
	    &r->placeholder->resources[index];
	crypto_hash_sha256_state state;
	unsigned char digest[SHA256_LEN];
	char hash[SHA256_HEX_SIZE];
	char *data = x_malloc(READ_SIZE);
	int64_t size = 0;
	ssize_t got;
	int failed = 0;

	crypto_hash_sha256_init(&state);
	while (
	    (got = r->io->read(r->io->context, index, data, READ_SIZE)) > 0) {
		size += got;
		crypto_hash_sha256_update(&state, (unsigned char *)data,
		    (unsigned long long)got);
		if (size > resource->size ||
		    (failed = mail_encoder_add(encoder, data, (size_t)got)) < 0)
			break;
	}
	free(data);
	if (got < 0)
		return reason_set(r->why, OUTCOME_TEMPFAIL, "read",
		    "cannot read resource %s", resource->hash);
	if (failed < 0 || mail_encoder_end(encoder) < 0)
		return reason_set(r->why, OUTCOME_TEMPFAIL, "write",
		    "cannot write the message");
	crypto_hash_sha256_final(&state, digest);
	hex_format(digest, sizeof(digest), hash);
	if (size != resource->size || strcmp(hash, resource->hash) != 0)
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

enum outcome
cargo_rebuild(const struct cargo_placeholder *placeholder, const char *message,
    size_t len, const struct cargo_rebuild_io *io, bool *exact_r,
    struct reason *why)
{
	struct rebuilding r = { placeholder, message, len, io, "\n",
		.why = why };
	const char *line = memchr(message, '\n', len);
	size_t at = 0;

	if (line != NULL && line > message && line[-1] == '\r')
		r.eol = "\r\n";
	find_edits(&r);
	*exact_r = true;
	for (size_t i = 0; i < placeholder->count; i++)
		*exact_r = *exact_r &&
		    placeholder->resources[i].recipe.encoding !=
			CARGO_RECIPE_NONE;
	for (size_t i = 0; i <= r.count; i++) {
		const struct edit *edit = &r.edits[i];
		size_t end = i < r.count ? edit->start : len;
		enum outcome outcome;

		if (end > at && put(&r, message + at, end - at) < 0)
			return reason_set(why, OUTCOME_TEMPFAIL, "write",
			    "cannot write the message");
		if (i == r.count)
			break;
		at = edit->end;
		if (edit->resource < 0)
			continue;
		outcome = put_resource(&r, (size_t)edit->resource);
		if (outcome != OUTCOME_OK)
			return outcome;
	}
	return OUTCOME_OK;
}
