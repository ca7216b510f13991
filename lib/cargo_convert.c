/* SPDX-License-Identifier: ISC
 *
 * Planning and proving conversions: see cargo_convert.h.
 */
#include "cargo_convert.h"

#include <stdlib.h>
#include <string.h>

#include "cargo_convert_private.h"
#include "cargo_original.h"
#include "cargo_rebuild.h"
#include "cargo_recipe.h"
#include "digest.h"
#include "mail_decode.h"
#include "memory.h"

#define HEADER_MAX (128 * 1024) /* bytes of the message's header */

/* ---- planning ---------------------------------------------------------- */

static enum outcome
unsuitable(struct reason *why, const char *text)
{
	return reason_set(why, OUTCOME_PERMFAIL, "unsuitable", "%s", text);
}

/* Every line of the header ends in CRLF; relays would repair others. */
static bool
has_bare_lf(const char *text, size_t len)
{
	const char *end = text + len, *at = text;

	while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		if (at == text || at[-1] != '\r')
			return true;
		at++;
	}
	return false;
}

static enum outcome
check_header(struct cargo_conversion *c, struct reason *why)
{
	size_t looked = c->len < HEADER_MAX ? c->len : HEADER_MAX, at = 0;
	size_t runs = 0;
	int before = -1;
	struct mail_field field;
	bool broken;

	c->header = mail_header_length(c->message, looked, &broken);
	if (c->header == HEADER_MAX && c->len > HEADER_MAX)
		return reason_set(why, OUTCOME_PERMFAIL, "limit",
		    "its header is too long");
	if (broken || c->header < 4 ||
	    memcmp(c->message + c->header - 4, "\r\n\r\n", 4) != 0 ||
	    has_bare_lf(c->message, c->header))
		return unsuitable(why, "its header is broken");
	while (mail_header_next(c->message, c->header, &at, &field)) {
		int moved = cargo_original_is_moved(&field);

		if (cargo_original_is_ours(&field) ||
		    mail_header_is(&field, CARGO_FIELD_ORIGINAL))
			return unsuitable(why, "it has fields of Cargomail");
		runs += moved != before;
		before = moved;
	}
	return runs <= CARGO_ORIGINAL_RUNS ?
	    OUTCOME_OK :
	    unsuitable(why, "its header is too colourful");
}

static void
hash_message(struct cargo_conversion *c)
{
	struct digest *digest = digest_new();

	digest_add(digest, c->message, c->len);
	digest_finish(&digest, c->hash);
}

/* True if what stays can pass any relay as it is. */
static enum outcome
check_rest(struct cargo_conversion *c, struct reason *why)
{
	size_t at = 0;

	for (size_t i = 0; i <= c->part_count; i++) {
		size_t end = i < c->part_count ? c->parts[i].start : c->len;

		if (has_bare_lf(c->message + at, end - at))
			return unsuitable(why, "it has lines without CR");
		for (size_t j = at; j < end && !c->eight_bit; j++)
			c->eight_bit = (c->message[j] & 0x80) != 0;
		at = i < c->part_count ? c->parts[i].end : end;
	}
	return OUTCOME_OK;
}

enum outcome
cargo_convert_plan(const char *message, size_t len,
    const struct cargo_convert_options *options,
    struct cargo_conversion **conversion_r, struct reason *why)
{
	struct cargo_conversion *c;
	enum outcome outcome;

	*conversion_r = NULL;
	/* No part is larger than the message: most mail ends here. */
	if (options->mode == CARGO_CONVERT_NONE ||
	    (options->mode == CARGO_CONVERT_LARGE &&
		len <= (size_t)options->threshold))
		return reason_set(why, OUTCOME_PERMFAIL, "nothing",
		    "nothing is to be converted");
	if (len > CARGO_CONVERT_MAX)
		return reason_set(why, OUTCOME_PERMFAIL, "limit", "too large");
	c = x_calloc(1, sizeof(*c));
	c->message = message;
	c->len = len;
	outcome = check_header(c, why);
	if (outcome == OUTCOME_OK)
		outcome = convert_parts_select(c, options, why);
	if (outcome == OUTCOME_OK)
		outcome = check_rest(c, why);
	if (outcome != OUTCOME_OK) {
		cargo_conversion_free(&c);
		return outcome;
	}
	convert_resources_find(c);
	hash_message(c);
	*conversion_r = c;
	return OUTCOME_OK;
}

void
cargo_conversion_free(struct cargo_conversion **conversion)
{
	struct cargo_conversion *c = *conversion;

	if (c == NULL)
		return;
	for (size_t i = 0; i < c->resource_count; i++) {
		free(c->resources[i].type);
		free(c->resources[i].name);
		free(c->resources[i].disposition);
	}
	free(c->resources);
	free(c->parts);
	free(c);
	*conversion = NULL;
}

/* ---- resources --------------------------------------------------------- */

size_t
cargo_conversion_count(const struct cargo_conversion *conversion)
{
	return conversion->resource_count;
}

const struct cargo_draft_resource *
cargo_conversion_resource(const struct cargo_conversion *conversion,
    size_t index)
{
	return &conversion->resources[index].draft;
}

struct cargo_conversion_reader {
	struct mail_decoder decoder;
};

static void
decode_part(const struct cargo_conversion *c, const struct convert_part *part,
    struct mail_decoder *decoder_r)
{
	mail_decoder_init(decoder_r, cargo_recipe_kind(&part->recipe),
	    c->message + part->body, part->end - part->body);
}

struct cargo_conversion_reader *
cargo_conversion_open(const struct cargo_conversion *conversion, size_t index)
{
	struct cargo_conversion_reader *reader = x_calloc(1, sizeof(*reader));

	decode_part(conversion, conversion->resources[index].part,
	    &reader->decoder);
	return reader;
}

ssize_t
cargo_conversion_read(struct cargo_conversion_reader *reader, void *data_r,
    size_t max)
{
	return mail_decoder_read(&reader->decoder, data_r, max);
}

void
cargo_conversion_close(struct cargo_conversion_reader **reader)
{
	x_free(reader);
}

/* ---- proving ----------------------------------------------------------- */

struct proving {
	const struct cargo_conversion *conversion;
	struct mail_decoder decoder;
	size_t part; /* that is being read; SIZE_MAX at first */
	size_t at; /* so much of the message was the same */
};

static ssize_t
prove_read(void *context, size_t index, void *data_r, size_t max)
{
	struct proving *p = context;

	if (index >= p->conversion->part_count)
		return -1;
	if (p->part != index)
		decode_part(p->conversion, &p->conversion->parts[index],
		    &p->decoder);
	p->part = index;
	return mail_decoder_read(&p->decoder, data_r, max);
}

static int
prove_write(void *context, const void *data, size_t len)
{
	struct proving *p = context;
	const struct cargo_conversion *c = p->conversion;

	if (len > c->len - p->at || memcmp(c->message + p->at, data, len) != 0)
		return -1;
	p->at += len;
	return 0;
}

enum outcome
cargo_convert_prove(const struct cargo_conversion *conversion,
    const char *placeholder, size_t len, struct reason *why)
{
	struct proving proving = { .conversion = conversion, .part = SIZE_MAX };
	struct cargo_rebuild_io io = { prove_read, prove_write, &proving };
	struct cargo_placeholder *parsed;
	struct reason cause = { OUTCOME_OK, "", "" };
	enum outcome outcome;
	bool exact = false;

	outcome = cargo_placeholder_parse(placeholder, len, &parsed, &cause);
	if (outcome == OUTCOME_TEMPFAIL) {
		if (why != NULL)
			*why = cause;
		return outcome;
	}
	if (outcome == OUTCOME_OK && parsed->count == conversion->part_count)
		outcome = cargo_rebuild(parsed, placeholder, len, &io, &exact,
		    &cause);
	cargo_placeholder_free(&parsed);
	if (outcome == OUTCOME_OK && exact && proving.at == conversion->len)
		return OUTCOME_OK;
	return reason_set(why, OUTCOME_PERMFAIL, "differs",
	    "what is rebuilt is not what was sent: %s %s (byte %zu)",
	    cause.word, cause.text, proving.at);
}
