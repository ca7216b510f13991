/* SPDX-License-Identifier: ISC
 *
 * How the original's header comes back: see cargo_original.h.
 */
#include "cargo_original.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cargo_recipe.h"
#include "mail_parameters.h"

#define COUNT_MAX 10000 /* fields of a header */

/* ---- which fields ------------------------------------------------------ */

static bool
has_prefix(const struct mail_field *field, const char *prefix)
{
	size_t len = strlen(prefix);

	return field->name_len > len &&
	    strncasecmp(field->raw, prefix, len) == 0;
}

bool
cargo_original_is_moved(const struct mail_field *field)
{
	return mail_header_is(field, "MIME-Version") ||
	    mail_header_is(field, CARGO_FIELD_CATEGORY) ||
	    has_prefix(field, "Content-");
}

bool
cargo_original_is_ours(const struct mail_field *field)
{
	static const char *const names[] = { CARGO_FIELD_ORIGIN,
		CARGO_FIELD_ORIGIN_LATER, CARGO_FIELD_DESTINATION,
		CARGO_FIELD_DESTINATION_LATER };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (mail_header_is(field, names[i]))
			return true;
	return has_prefix(field, "X-Cargomail-");
}

bool
cargo_original_restore_id(struct mail_field *field)
{
	size_t prefix = strlen(CARGO_ORIGINAL_ID);
	struct mail_field bare = *field;

	while (has_prefix(&bare, CARGO_ORIGINAL_ID)) {
		bare.raw += prefix;
		bare.raw_len -= prefix;
		bare.name_len -= prefix;
	}
	if (!mail_header_is(&bare, "Content-ID") || bare.raw == field->raw)
		return false;
	field->raw += prefix;
	field->raw_len -= prefix;
	field->name_len -= prefix;
	return true;
}

bool
cargo_original_next_kept(const char *message, size_t len, size_t *at,
    struct mail_field *field_r)
{
	while (mail_header_next(message, len, at, field_r))
		if (!cargo_original_is_moved(field_r) &&
		    !cargo_original_is_ours(field_r))
			return true;
	return false;
}

bool
cargo_original_next_moved(const struct cargo_placeholder *placeholder,
    const char *message, const struct cargo_original *original, size_t *at,
    struct mail_field *field_r)
{
	const struct mime_part *part =
	    &placeholder->parts.parts[original->part];
	const char *header = message + part->start;
	size_t len = part->body - part->start;

	if (original->leaf) {
		header = message + placeholder->resources[0].inner_start;
		len = placeholder->resources[0].inner_len;
	}
	while (mail_header_next(header, len, at, field_r)) {
		if (!original->leaf) {
			if (!mail_header_is(field_r, CARGO_FIELD_ORIGINAL))
				return true;
			continue;
		}
		if (cargo_original_restore_id(field_r) ||
		    !mail_header_is(field_r, "Content-ID"))
			return true;
	}
	return false;
}

/* ---- the field --------------------------------------------------------- */

static int
read_order(const char *text, struct cargo_original *original)
{
	while (text != NULL && *text != '\0') {
		struct cargo_original_run *run =
		    &original->runs[original->run_count];
		char digits[8] = "";
		size_t len = strspn(text + 1, "0123456789");
		int64_t count;

		if (original->run_count == CARGO_ORIGINAL_RUNS ||
		    (*text != 'k' && *text != 'm') || len >= sizeof(digits))
			return -1;
		memcpy(digits, text + 1, len);
		if (cargo_number_read(digits, COUNT_MAX, &count) < 0)
			return -1;
		run->moved = *text == 'm';
		run->count = (size_t)count;
		*(run->moved ? &original->moved : &original->kept) +=
		    run->count;
		original->run_count++;
		text += 1 + len;
	}
	return original->run_count > 0 ? 0 : -1;
}

/* All that was taken out must lie where it is put back. */
static bool
holds_all(const struct cargo_placeholder *p,
    const struct cargo_original *original)
{
	const struct mime_part *whole = &p->parts.parts[original->part];

	if (original->leaf)
		return p->count == 1 && p->resources[0].part == original->part;
	for (size_t i = 0; i < p->count; i++) {
		const struct mime_part *part =
		    &p->parts.parts[p->resources[i].part];

		if (part->start < whole->body || part->end > whole->end)
			return false;
	}
	return strncmp(whole->type, "multipart/", 10) == 0;
}

/* What moved is of the kinds that move. Anything else would let a placeholder
 * bring back fields of which its proven header knows nothing: another From,
 * an Authentication-Results. */
static bool
counts_agree(const struct cargo_placeholder *p, const char *message,
    const struct cargo_original *original)
{
	struct mail_field field;
	size_t at = 0, kept = 0, moved = 0;

	while (cargo_original_next_kept(message, p->parts.parts[0].body, &at,
	    &field))
		kept++;
	for (at = 0;
	     cargo_original_next_moved(p, message, original, &at, &field);
	     moved++)
		if (!cargo_original_is_moved(&field))
			return false;
	return kept >= original->kept && moved == original->moved;
}

static int
read_original(const struct cargo_placeholder *p, const char *message,
    const char *text, struct cargo_original *original)
{
	struct mail_parameters list;
	const char *hash;
	int result = -1;

	if (mail_parameters_parse(text, &list) < 0)
		return -1;
	hash = mail_parameters_get(&list, "sha256");
	if (hash != NULL && hex_is_sha256(hash) &&
	    cargo_number_read(mail_parameters_get(&list, "size"),
		CARGO_MAX_SIZE, &original->size) == 0 &&
	    read_order(mail_parameters_get(&list, "order"), original) == 0) {
		memcpy(original->hash, hash, SHA256_HEX_SIZE);
		if (holds_all(p, original) &&
		    counts_agree(p, message, original))
			result = 1;
	}
	mail_parameters_free(&list);
	return result;
}

int
cargo_original_find(const struct cargo_placeholder *placeholder,
    const char *message, struct cargo_original *original_r)
{
	const struct mime_parts *parts = &placeholder->parts;
	int result = 0;

	for (size_t i = 1; i < parts->count && result == 0; i++) {
		const struct mime_part *part = &parts->parts[i];
		char *text;

		if (part->parent != 0)
			continue;
		text = mail_header_get(message + part->start,
		    part->body - part->start, CARGO_FIELD_ORIGINAL);
		if (text == NULL)
			continue;
		*original_r = (struct cargo_original){
			.part = i,
			.leaf = placeholder->resources[0].part == i,
		};
		result = read_original(placeholder, message, text, original_r);
		free(text);
	}
	return result;
}
