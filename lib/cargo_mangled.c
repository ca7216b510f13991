/* SPDX-License-Identifier: ISC
 *
 * Undoing what providers did to a placeholder: see cargo_mangled.h. The
 * message is looked at in rounds: the MIME box tells its parts, the edits of
 * one kind are made in a copy, and the box looks again.
 */
#include "cargo_mangled.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "buffer.h"
#include "mail_header.h"
#include "mail_parameters.h"
#include "memory.h"

#define MAX_ROUNDS 8
#define MAX_MESSAGE ((size_t)2 * CARGO_MAX_PLACEHOLDER)
#define MAX_LEAF 65536 /* bytes of an attachment that is looked into */
#define EXTERNAL "message/external-body"

/* The message as far as it is mended, and the copy that is being made. */
struct mending {
	struct buffer message;
	struct mime_parts parts;
	const char *eol;
	struct buffer copy;
	size_t copied; /* bytes of the message that the copy stands for */
	bool changed, within;
};

/* ---- bytes ------------------------------------------------------------- */

static bool
contains(const char *text, size_t len, const char *what)
{
	size_t what_len = strlen(what);

	for (size_t at = 0; at + what_len <= len; at++)
		if (strncasecmp(text + at, what, what_len) == 0)
			return true;
	return false;
}

/* CR CR LF becomes CR LF; CR becomes CR LF where there is no LF at all. */
static void
copy_lines(struct mending *m, const char *message, size_t len)
{
	bool bare = memchr(message, '\n', len) == NULL;

	for (size_t at = 0; at < len; at++) {
		if (message[at] == '\r' && at + 1 < len &&
		    message[at + 1] == '\r' && !bare &&
		    contains(message + at, len - at < 3 ? len - at : 3,
			"\r\r\n")) {
			m->changed = true;
			continue;
		}
		buffer_add(&m->message, message + at, 1);
		if (message[at] == '\r' && bare) {
			buffer_add(&m->message, "\n", 1);
			m->changed = true;
		}
	}
}

static int
hex_value(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	digit = (char)(digit | 32);
	return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* What is no escape stays as it is. The new length. */
static size_t
decode_quoted(const char *text, size_t len, char *plain_r)
{
	size_t out = 0;

	for (size_t at = 0; at < len; at++) {
		size_t end = at + 1;

		if (text[at] != '=') {
			plain_r[out++] = text[at];
			continue;
		}
		while (end < len && (text[end] == ' ' || text[end] == '\t'))
			end++;
		if (end < len && text[end] == '\r')
			end++;
		if (end < len && text[end] == '\n')
			at = end; /* a soft line break */
		else if (at + 2 < len && hex_value(text[at + 1]) >= 0 &&
		    hex_value(text[at + 2]) >= 0) {
			plain_r[out++] = (char)(hex_value(text[at + 1]) << 4 |
			    hex_value(text[at + 2]));
			at += 2;
		} else
			plain_r[out++] = '=';
	}
	return out;
}

/* The body of a part decoded, or as it stands where it only claims to be
 * encoded. `sign`: what quoted-printable has made of an equals sign that must
 * be there. Owned by the caller. */
static char *
decode_body(const struct mending *m, const struct mime_part *part,
    const char *sign, size_t *len_r)
{
	const char *body = m->message.data + part->body;
	size_t len = part->end - part->body;
	char *plain = x_malloc(len + 1);

	if (part->encoding == MIME_BASE64 &&
	    sodium_base642bin((unsigned char *)plain, len, body, len, " \t\r\n",
		len_r, NULL, sodium_base64_VARIANT_ORIGINAL) == 0 &&
	    memchr(plain, '\0', *len_r) == NULL)
		return plain;
	if (part->encoding == MIME_QUOTED_PRINTABLE &&
	    contains(body, len, sign)) {
		*len_r = decode_quoted(body, len, plain);
		if (memchr(plain, '\0', *len_r) == NULL)
			return plain;
	}
	memcpy(plain, body, len);
	*len_r = len;
	return plain;
}

/* ---- the copy ---------------------------------------------------------- */

/* Copies up to `start` and skips to `end`. */
static void
replace(struct mending *m, size_t start, size_t end)
{
	buffer_add(&m->copy, m->message.data + m->copied, start - m->copied);
	m->copied = end;
	m->changed = true;
}

static void
add_line(struct mending *m, const char *text)
{
	buffer_add_string(&m->copy, text);
	buffer_add_string(&m->copy, m->eol);
}

/* The header of a part but for two fields (NULL: all of it), and without the
 * empty line. */
static void
copy_header(struct mending *m, const struct mime_part *part, const char *but,
    const char *nor)
{
	const char *header = m->message.data + part->start;
	size_t at = 0, len = part->body - part->start;
	struct mail_field field;

	while (mail_header_next(header, len, &at, &field)) {
		if ((but != NULL && mail_header_is(&field, but)) ||
		    (nor != NULL && mail_header_is(&field, nor)))
			continue;
		buffer_add(&m->copy, field.raw, field.raw_len);
		if (field.raw[field.raw_len - 1] != '\n')
			add_line(m, "");
	}
}

static bool
is_composite(const struct mime_part *part)
{
	return strncmp(part->type, "multipart/", 10) == 0 ||
	    strncmp(part->type, "message/", 8) == 0;
}

/* ---- encoded multiparts, messages, external bodies --------------------- */

/* MIME forbids the encoding of these (RFC 2045, 6.4); some do it. */
static void
mend_encoding(struct mending *m, size_t index)
{
	const struct mime_part *part = &m->parts.parts[index];
	const char *sign = "access-type=3d";
	char *plain;
	size_t len;

	if (!is_composite(part) ||
	    (part->encoding != MIME_BASE64 &&
		part->encoding != MIME_QUOTED_PRINTABLE))
		return;
	if (strcmp(part->type, EXTERNAL) == 0)
		sign = "=3d";
	plain = decode_body(m, part, sign, &len);
	replace(m, part->start, part->end);
	copy_header(m, part, "Content-Transfer-Encoding", NULL);
	add_line(m, "");
	buffer_add(&m->copy, plain, len);
	free(plain);
}

/* ---- the type of the whole --------------------------------------------- */

/* The boundary that the text begins with, if it also ends with it. */
static bool
find_boundary(const char *text, size_t len, char boundary_r[80])
{
	char last[90];
	size_t start = 0, size;

	while (start < len && (text[start] == '\r' || text[start] == '\n'))
		start++;
	if (len - start < 4 || strncmp(text + start, "--", 2) != 0)
		return false;
	text += start + 2;
	len -= start + 2;
	for (size = 0; size < len && text[size] > ' ' && text[size] < 0x7f;)
		size++;
	if (size == 0 || size > 70 || memchr(text, '"', size) != NULL ||
	    memchr(text, '\\', size) != NULL)
		return false;
	memcpy(boundary_r, text, size);
	boundary_r[size] = '\0';
	snprintf(last, sizeof(last), "\n--%s--", boundary_r);
	return contains(text, len, last);
}

/* A multipart whose Content-Type is lost, or said to be text. */
static void
mend_root(struct mending *m)
{
	const struct mime_part *part = &m->parts.parts[0];
	char boundary[80], *plain;
	size_t len;

	if (m->parts.count != 1 || strcmp(part->type, "text/plain") != 0)
		return;
	plain = decode_body(m, part, "access-type=3d", &len);
	if (find_boundary(plain, len, boundary) &&
	    contains(plain, len, EXTERNAL)) {
		replace(m, part->start, part->end);
		copy_header(m, part, "Content-Type",
		    "Content-Transfer-Encoding");
		buffer_add_format(&m->copy,
		    "Content-Type: multipart/mixed; boundary=\"%s\"%s%s",
		    boundary, m->eol, m->eol);
		buffer_add(&m->copy, plain, len);
	}
	free(plain);
}

/* ---- external bodies that became something else ------------------------ */

/* Is this field the Content-Type of an external body of ours, whatever type
 * stands there? */
static bool
has_access(const struct mail_field *field)
{
	char *text = mail_header_unfold(field);
	struct mail_parameters list;
	const char *access;
	bool ours = false;

	if (mail_parameters_parse(text, &list) == 0) {
		access = mail_parameters_get(&list, "access-type");
		if (access != NULL && strncasecmp(access, "x-", 2) == 0)
			access += 2;
		ours = access != NULL &&
		    strcasecmp(access, "content-addressed-uri") == 0;
		mail_parameters_free(&list);
	}
	free(text);
	return ours;
}

/* The first Content-Type with our access type. */
static bool
find_access(const char *header, size_t len, struct mail_field *field_r)
{
	size_t at = 0;

	while (mail_header_next(header, len, &at, field_r))
		if (mail_header_is(field_r, "Content-Type") &&
		    has_access(field_r))
			return true;
	return false;
}

/* Nothing but header fields, of a part. */
static bool
is_header(const char *text, size_t len)
{
	size_t at = mail_header_length(text, len, NULL);

	while (at < len && strchr(" \t\r\n", text[at]) != NULL)
		at++;
	return at == len &&
	    mail_header_find(text, len, "Content-Type", NULL) +
		mail_header_find(text, len, "Content-ID", NULL) >
	    0;
}

/* A header, the hash of a resource in it. */
static bool
is_inner_header(const char *text, size_t len)
{
	char *id = is_header(text, len) ?
	    mail_header_get(text, len, "Content-ID") :
	    NULL;
	size_t hex = 0;

	if (id == NULL)
		return false;
	for (const char *at = id; *at != '\0' && hex < SHA256_HEX_LEN; at++)
		hex = hex_value(*at) >= 0 ? hex + 1 : (*at == ' ') * hex;
	free(id);
	return hex == SHA256_HEX_LEN;
}

/* The parameters are there, the type is another: or the empty line between
 * the two headers is gone. */
static void
mend_type(struct mending *m, const struct mime_part *part,
    const struct mail_field *type, const char *plain, size_t len)
{
	const char *header = m->message.data + part->start;
	const char *parameters = memchr(type->body, ';', type->body_len);
	size_t at = 0, size = part->body - part->start;
	struct mail_field field;
	bool more = false;

	replace(m, part->start, part->end);
	buffer_add_string(&m->copy, "Content-Type: " EXTERNAL);
	buffer_add(&m->copy, parameters,
	    (size_t)(type->raw + type->raw_len - parameters));
	add_line(m, "");
	/* A part with its own inner header keeps that. */
	while (!is_inner_header(plain, len) &&
	    mail_header_next(header, size, &at, &field)) {
		if (field.raw == type->raw)
			continue;
		buffer_add(&m->copy, field.raw, field.raw_len);
		more = true;
	}
	if (more)
		add_line(m, "");
	buffer_add(&m->copy, plain, len);
}

/* An attachment of any type: the parameters in its header, or the whole part
 * within it, or the inner header alone. */
static void
mend_leaf(struct mending *m, size_t index)
{
	const struct mime_part *part = &m->parts.parts[index];
	const char *header = m->message.data + part->start;
	size_t size = part->body - part->start, len;
	struct mail_field type, inner;
	char *plain;

	if (index == 0 || part->end - part->body > MAX_LEAF ||
	    strncmp(part->type, "multipart/", 10) == 0 ||
	    strcmp(part->type, "message/rfc822") == 0 ||
	    (strcmp(part->type, EXTERNAL) == 0 &&
		mail_header_find(header, size, "Content-Type", NULL) == 1))
		return;
	plain = decode_body(m, part, "=3d", &len);
	if (find_access(header, size, &type) &&
	    memchr(type.body, ';', type.body_len) != NULL)
		mend_type(m, part, &type, plain, len);
	else if (find_access(plain, mail_header_length(plain, len, NULL),
		     &inner)) {
		replace(m, part->start, part->end);
		buffer_add(&m->copy, plain, len);
	} else if (is_inner_header(plain, len) ||
	    /* Its hash may be gone: that is then said. */
	    (strcmp(part->type, "application/octet-stream") == 0 &&
		is_header(plain, len))) {
		replace(m, part->start, part->end);
		add_line(m, "Content-Type: " EXTERNAL);
		add_line(m, "");
		buffer_add(&m->copy, plain, len);
	}
	free(plain);
}

/* ---- a message around the message -------------------------------------- */

/* Has it anything of ours within? */
static bool
holds_placeholder(const struct mending *m, size_t index)
{
	const struct mime_part *part = &m->parts.parts[index];
	const char *body = m->message.data + part->body;
	size_t len = part->end - part->body;
	size_t header = mail_header_length(body, len, NULL);

	return mail_header_find(body, header, CARGO_FIELD_ORIGIN, NULL) > 0 ||
	    mail_header_find(body, header, CARGO_FIELD_ORIGIN_LATER, NULL) >
	    0 ||
	    contains(body, len, "content-addressed-uri");
}

/* The only placeholder within a message that is none itself, with the outer
 * message's destination on top: that only selects among mailboxes that the
 * user has configured. False if there are several. */
static bool
mend_wrapping(struct mending *m)
{
	const struct mime_part *parts = m->parts.parts;
	size_t found = SIZE_MAX;

	for (size_t i = 0; i < m->parts.count; i++) {
		if (mime_part_is_embedded(&m->parts, i))
			continue;
		if (strcmp(parts[i].type, EXTERNAL) == 0)
			return true;
		if (strcmp(parts[i].type, "message/rfc822") != 0 ||
		    !holds_placeholder(m, i))
			continue;
		if (found != SIZE_MAX)
			return false;
		found = i;
	}
	if (found != SIZE_MAX) {
		const char *header = m->message.data;
		size_t len = mail_header_length(header, m->message.len, NULL);
		struct mail_field field;

		m->within = true;
		replace(m, 0, parts[found].body);
		if (mail_header_find(header, len, CARGO_FIELD_DESTINATION,
			&field) > 0 ||
		    mail_header_find(header, len, CARGO_FIELD_DESTINATION_LATER,
			&field) > 0)
			buffer_add(&m->copy, field.raw, field.raw_len);
		replace(m, parts[found].end, m->message.len);
	}
	return true;
}

/* ---- rounds ------------------------------------------------------------ */

/* Kinds are tried in this order, and a round makes the edits of one kind:
 * what lies within an edited part is looked at in the next. */
static enum outcome
mend_round(struct mending *m, struct reason *why)
{
	const struct mime_part *parts = m->parts.parts;
	size_t i;

	m->copied = 0;
	for (i = 0; i < m->parts.count; i++)
		if (parts[i].start >= m->copied &&
		    !mime_part_is_embedded(&m->parts, i))
			mend_encoding(m, i);
	if (m->copied == 0)
		mend_root(m);
	if (m->copied == 0)
		for (i = 1; i < m->parts.count; i++)
			if (!mime_part_is_embedded(&m->parts, i))
				mend_leaf(m, i);
	if (m->copied == 0 && !mend_wrapping(m))
		return reason_set(why, OUTCOME_PERMFAIL, "form",
		    "there is more than one placeholder in it: open each "
		    "by itself");
	return OUTCOME_OK;
}

/* The copy becomes the message. */
static enum outcome
mend_finish(struct mending *m, struct reason *why)
{
	buffer_add(&m->copy, m->message.data + m->copied,
	    m->message.len - m->copied);
	if (m->copy.failed)
		return reason_set(why, OUTCOME_PERMFAIL, "limit",
		    "placeholder too large");
	buffer_free(&m->message);
	m->message = m->copy;
	buffer_init(&m->copy, MAX_MESSAGE);
	return OUTCOME_OK;
}

static enum outcome
mend(struct mending *m, struct reason *why)
{
	enum outcome outcome;

	for (unsigned round = 0;; round++) {
		mime_parts_free(&m->parts);
		outcome = mime_box_read(m->message.data, m->message.len,
		    &m->parts, why);
		if (outcome != OUTCOME_OK || round == MAX_ROUNDS)
			return outcome;
		outcome = mend_round(m, why);
		if (outcome != OUTCOME_OK || m->copied == 0)
			return outcome;
		outcome = mend_finish(m, why);
		if (outcome != OUTCOME_OK)
			return outcome;
	}
}

enum outcome
cargo_mangled_read(const char *message, size_t len,
    struct cargo_mangled *mangled_r, struct reason *why)
{
	struct mending m = { .eol = "\n" };
	enum outcome outcome;
	const char *line;

	*mangled_r = (struct cargo_mangled){ .message = NULL };
	if (len == 0)
		return reason_set(why, OUTCOME_PERMFAIL, "form", "empty");
	if (len > MAX_MESSAGE)
		return reason_set(why, OUTCOME_PERMFAIL, "limit",
		    "placeholder too large");
	line = memchr(message, '\n', len);
	if (line == NULL || (line > message && line[-1] == '\r'))
		m.eol = "\r\n";
	buffer_init(&m.message, MAX_MESSAGE);
	buffer_init(&m.copy, MAX_MESSAGE);
	copy_lines(&m, message, len);
	outcome = m.message.failed ? reason_set(why, OUTCOME_PERMFAIL, "limit",
					 "placeholder too large") :
				     mend(&m, why);
	if (outcome == OUTCOME_OK)
		outcome = cargo_placeholder_parse_liberal(m.message.data,
		    m.message.len, &m.parts, &mangled_r->findings,
		    &mangled_r->placeholder, why);
	mime_parts_free(&m.parts);
	buffer_free(&m.copy);
	mangled_r->message = m.message.data;
	mangled_r->len = m.message.len;
	mangled_r->changed = m.changed;
	mangled_r->within = m.within;
	return outcome;
}

void
cargo_mangled_free(struct cargo_mangled *mangled)
{
	cargo_placeholder_free(&mangled->placeholder);
	free(mangled->message);
	*mangled = (struct cargo_mangled){ .message = NULL };
}
