/* SPDX-License-Identifier: ISC
 *
 * Writing placeholders: see cargo_placeholder.h. Lines end in CRLF and stay
 * within ASCII, so that no relay has a reason to convert the message and
 * break its signature.
 */
#include "cargo_placeholder.h"

#include <string.h>
#include <strings.h>

#include "cargo_writer.h"
#include "mail_header.h"
#include "utf8.h"

struct writing {
	const struct cargo_draft *draft;
	struct cargo_writer writer;
	struct reason *why;
};

static enum outcome
refuse(struct writing *writing, const char *word, const char *text)
{
	return reason_set(writing->why, OUTCOME_PERMFAIL, word, "%s", text);
}

static bool
is_printable(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text < ' ' || *text >= 0x7f)
			return false;
	return true;
}

/* ---- checks ------------------------------------------------------------ */

/* Fields that are ours to write; "Content-" stands for all of them. */
static bool
is_ours(const struct mail_field *field)
{
	static const char *const names[] = { "MIME-Version", CARGO_FIELD_ORIGIN,
		CARGO_FIELD_ORIGIN_LATER, CARGO_FIELD_DESTINATION,
		CARGO_FIELD_DESTINATION_LATER, CARGO_FIELD_CATEGORY };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (mail_header_is(field, names[i]))
			return true;
	return (field->name_len > 8 &&
		   strncasecmp(field->raw, "Content-", 8) == 0) ||
	    (field->name_len > 12 &&
		strncasecmp(field->raw, "X-Cargomail-", 12) == 0);
}

static enum outcome
check_header(struct writing *writing)
{
	const char *header = writing->draft->header;
	struct mail_field field;
	size_t len = strlen(header), at = 0;

	while (mail_header_next(header, len, &at, &field))
		if (is_ours(&field))
			return refuse(writing, "form",
			    "header has a field that is not the caller's");
	if (at != len)
		return refuse(writing, "form", "header cannot be read");
	if (mail_header_find(header, len, "From", NULL) != 1)
		return refuse(writing, "form", "not exactly one From");
	return OUTCOME_OK;
}

static enum outcome
check_draft(struct writing *writing)
{
	const struct cargo_draft *draft = writing->draft;

	if (draft->count == 0 || draft->count > CARGO_MAX_RESOURCES)
		return refuse(writing, "limit", "1 to 200 resources, please");
	if (draft->related_first + draft->related_count > draft->count ||
	    (draft->alternative &&
		(draft->related_first == 0 || draft->related_count == 0)))
		return refuse(writing, "form", "bad related parts");
	for (size_t i = 0; i < draft->count; i++) {
		const struct cargo_draft_resource *r = &draft->resources[i];

		if (!hex_is_sha256(r->hash) || r->size < 0 ||
		    r->size > CARGO_MAX_SIZE || !is_printable(r->type) ||
		    strchr(r->type, '/') == NULL || strlen(r->type) > 200 ||
		    !is_printable(r->disposition) ||
		    (r->name != NULL &&
			(strlen(r->name) > CARGO_MAX_NAME ||
			    !utf8_valid(r->name, strlen(r->name)))))
			return refuse(writing, "form", "bad resource");
	}
	return check_header(writing);
}

/* ---- pieces ------------------------------------------------------------ */

/* `; name=value` as a token, a quoted string, or by RFC 2231. */
static void
add_parameter(struct buffer *out, const char *name, const char *value)
{
	static const char token[] =
	    "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$&+-.^_`{|}~";

	buffer_add_format(out, ";\r\n ");
	if (is_printable(value) && strlen(value) <= 70) {
		if (value[0] != '\0' && value[strspn(value, token)] == '\0') {
			buffer_add_format(out, "%s=%s", name, value);
			return;
		}
		buffer_add_format(out, "%s=\"", name);
		for (; *value != '\0'; value++)
			buffer_add_format(out, "%s%c",
			    *value == '"' || *value == '\\' ? "\\" : "",
			    *value);
		buffer_add_string(out, "\"");
		return;
	}
	buffer_add_format(out, "%s*=utf-8''", name);
	for (; *value != '\0'; value++)
		if (strchr(token, *value) != NULL)
			buffer_add(out, value, 1);
		else
			buffer_add_format(out, "%%%02X", (unsigned char)*value);
}

static void
add_header(struct buffer *out, const char *header)
{
	for (const char *at = header; *at != '\0';) {
		size_t len = strcspn(at, "\r\n");

		buffer_add(out, at, len);
		buffer_add_string(out, "\r\n");
		at += len;
		at += *at == '\r';
		at += *at == '\n';
	}
}

/* Inner boundaries begin otherwise than the outer one, so that none is the
 * beginning of another. */
static const char outermost[] = "", alternative[] = "alternative-",
		  related[] = "related-";

static void
add_resource(struct cargo_writer *writer, const char *level,
    const struct cargo_draft_resource *r)
{
	struct buffer *out = &writer->out;

	buffer_add_format(out, "--%s%s\r\n", level, writer->boundary);
	cargo_writer_add_external_body(writer, r->size);
	buffer_add_format(out, "\r\n\r\nContent-Type: %s", r->type);
	if (r->name != NULL)
		add_parameter(out, "name", r->name);
	buffer_add_format(out, "\r\nContent-Disposition: %s", r->disposition);
	if (r->name != NULL)
		add_parameter(out, "filename", r->name);
	buffer_add_format(out, "\r\nContent-ID: <%s>\r\n\r\n", r->hash);
}

/* A multipart within the one of `level`. */
static void
open_level(struct cargo_writer *writer, const char *level, const char *inner)
{
	buffer_add_format(&writer->out,
	    "--%s%s\r\nContent-Type: multipart/%.*s;\r\n boundary=\"%s%s\""
	    "\r\n\r\n",
	    level, writer->boundary, (int)strlen(inner) - 1, inner, inner,
	    writer->boundary);
}

static void
close_level(struct cargo_writer *writer, const char *level)
{
	buffer_add_format(&writer->out, "--%s%s--\r\n\r\n", level,
	    writer->boundary);
}

static void
add_resources(struct cargo_writer *writer, const struct cargo_draft *draft)
{
	size_t first = draft->related_first;
	size_t end = first + draft->related_count;
	const char *level = outermost;

	for (size_t i = 0; i < draft->count; i++) {
		if (draft->alternative && i + 1 == first) {
			open_level(writer, level, alternative);
			level = alternative;
		}
		if (draft->related_count > 0 && i == first)
			open_level(writer, level, related);
		add_resource(writer, i >= first && i < end ? related : level,
		    &draft->resources[i]);
		if (draft->related_count == 0 || i + 1 != end)
			continue;
		close_level(writer, related);
		if (draft->alternative)
			close_level(writer, alternative);
		level = outermost;
	}
}

enum outcome
cargo_placeholder_compose(const struct cargo_draft *draft, char **message_r,
    size_t *len_r, struct reason *why)
{
	struct writing writing = { .draft = draft, .why = why };
	struct cargo_writer *writer = &writing.writer;
	enum outcome outcome = check_draft(&writing);

	*message_r = NULL;
	if (outcome != OUTCOME_OK)
		return outcome;
	if (cargo_writer_init(writer, draft->origin, draft->share,
		draft->category, draft->expires) < 0)
		return refuse(&writing, "form",
		    "bad origin, share or category");
	add_header(&writer->out, draft->header);
	cargo_writer_add_fields(writer, false);
	if (draft->inline_text != NULL) {
		buffer_add_format(&writer->out,
		    "--%s\r\nContent-Type: text/plain; "
		    "charset=utf-8\r\n",
		    writer->boundary);
		cargo_writer_add_text(writer, draft->inline_text);
		buffer_add_string(&writer->out, "\r\n");
	} else
		cargo_writer_add_note(writer, draft->resources, draft->count);
	add_resources(writer, draft);
	if (cargo_writer_finish(writer, message_r, len_r) < 0)
		return refuse(&writing, "limit", "placeholder too large");
	return OUTCOME_OK;
}
