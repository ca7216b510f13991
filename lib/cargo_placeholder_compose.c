/* SPDX-License-Identifier: ISC
 *
 * Writing placeholders: see cargo_placeholder.h. Lines end in CRLF and stay
 * within ASCII, so that no relay has a reason to convert the message and
 * break its signature.
 */
#include "cargo_placeholder.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "buffer.h"
#include "cargo_note.h"
#include "clock.h"
#include "mail_encode.h"
#include "mail_header.h"
#include "mail_parameters.h"
#include "memory.h"
#include "utf8.h"

struct writing {
	const struct cargo_draft *draft;
	struct buffer out;
	char boundary[40];
	char expires[CLOCK_TEXT_SIZE];
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
	if (!cargo_share_valid(draft->share) || !is_printable(draft->origin) ||
	    strpbrk(draft->origin, "\"\\ ;()") != NULL ||
	    (draft->category != NULL && !cargo_category_valid(draft->category)))
		return refuse(writing, "form", "bad origin, share or category");
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

static int
add_encoded(void *context, const void *data, size_t len)
{
	return buffer_add(context, data, len);
}

/* Quoted-printable: readable, and safe from every relay. */
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
	    "Content-Transfer-Encoding: "
	    "quoted-printable\r\n\r\n");
	mail_encoder_add(&encoder, text, strlen(text));
	mail_encoder_end(&encoder);
}

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
add_header(struct writing *writing)
{
	const struct cargo_draft *draft = writing->draft;
	struct buffer *out = &writing->out;

	for (const char *at = draft->header; *at != '\0';) {
		size_t len = strcspn(at, "\r\n");

		buffer_add(out, at, len);
		buffer_add_string(out, "\r\n");
		at += len;
		at += *at == '\r';
		at += *at == '\n';
	}
	buffer_add_format(out,
	    CARGO_FIELD_ORIGIN ": %s;\r\n share=%s;\r\n"
			       " expiration=\"%s\"\r\n",
	    draft->origin, draft->share, writing->expires);
	if (draft->category != NULL)
		buffer_add_format(out, CARGO_FIELD_CATEGORY ": %s\r\n",
		    draft->category);
	buffer_add_format(out,
	    "MIME-Version: 1.0\r\nContent-Type: "
	    "multipart/mixed; boundary=\"%s\"\r\n\r\n",
	    writing->boundary);
}

/* What a reader sees whose mail program knows nothing of this. */
static void
add_note(struct writing *writing)
{
	const struct cargo_draft *draft = writing->draft;
	struct cargo_note note = {
		.resources = draft->resources,
		.count = draft->count,
		.origin = draft->origin,
		.expires = draft->expires,
	};
	char *text = cargo_note_format(&note);

	if (text == NULL) {
		writing->out.failed = true;
		return;
	}
	buffer_add_format(&writing->out,
	    "--%s\r\nContent-Type: text/plain; "
	    "charset=utf-8\r\nContent-Description: " CARGO_NOTE_DESCRIPTION
	    "\r\n",
	    writing->boundary);
	add_text(&writing->out, text);
	buffer_add_string(&writing->out, "\r\n");
	free(text);
}

static void
add_resource(struct writing *writing, const struct cargo_draft_resource *r)
{
	const struct cargo_draft *draft = writing->draft;
	struct buffer *out = &writing->out;

	buffer_add_format(out,
	    "--%s\r\nContent-Type: message/external-body; "
	    "access-type=content-addressed-uri;\r\n hash-algorithm=sha256; "
	    "size=%lld;\r\n expiration=\"%s\";\r\n origin=\"%s\";\r\n "
	    "share=%s",
	    writing->boundary, (long long)r->size, writing->expires,
	    draft->origin, draft->share);
	if (draft->category != NULL)
		buffer_add_format(out, ";\r\n category=%s", draft->category);
	buffer_add_format(out, "\r\n\r\nContent-Type: %s", r->type);
	if (r->name != NULL)
		add_parameter(out, "name", r->name);
	buffer_add_format(out, "\r\nContent-Disposition: %s", r->disposition);
	if (r->name != NULL)
		add_parameter(out, "filename", r->name);
	buffer_add_format(out, "\r\nContent-ID: <%s>\r\n\r\n", r->hash);
}

enum outcome
cargo_placeholder_compose(const struct cargo_draft *draft, char **message_r,
    size_t *len_r, struct reason *why)
{
	struct writing writing = { .draft = draft, .why = why };
	struct buffer *out = &writing.out;
	enum outcome outcome = check_draft(&writing);
	unsigned char random[12];

	*message_r = NULL;
	if (outcome != OUTCOME_OK)
		return outcome;
	buffer_init(out, CARGO_MAX_PLACEHOLDER);
	clock_format_mail(draft->expires, writing.expires);
	randombytes_buf(random, sizeof(random));
	memcpy(writing.boundary, "cargo-", 6);
	hex_format(random, sizeof(random), writing.boundary + 6);
	add_header(&writing);
	if (draft->inline_text != NULL) {
		buffer_add_format(out,
		    "--%s\r\nContent-Type: text/plain; "
		    "charset=utf-8\r\n",
		    writing.boundary);
		add_text(out, draft->inline_text);
		buffer_add_string(out, "\r\n");
	} else
		add_note(&writing);
	for (size_t i = 0; i < draft->count; i++)
		add_resource(&writing, &draft->resources[i]);
	buffer_add_format(out, "--%s--\r\n", writing.boundary);
	if (out->failed) {
		buffer_free(out);
		return refuse(&writing, "limit", "placeholder too large");
	}
	*message_r = out->data;
	*len_r = out->len;
	return OUTCOME_OK;
}
