/* SPDX-License-Identifier: ISC
 *
 * Pieces of placeholders: see cargo_writer.h.
 */
#include "cargo_writer.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "cargo_note.h"
#include "encoding.h"
#include "mail_encode.h"

int
cargo_writer_init(struct cargo_writer *writer, const char *origin,
    const char *share, const char *category, int64_t expires)
{
	unsigned char random[12];

	if (!cargo_share_valid(share) ||
	    (category != NULL && !cargo_category_valid(category)))
		return -1;
	for (const char *at = origin; *at != '\0'; at++)
		if (*at <= ' ' || *at >= 0x7f || strchr("\"\\;()", *at) != NULL)
			return -1;
	*writer = (struct cargo_writer){
		.origin = origin,
		.share = share,
		.category = category,
		.expires = expires,
	};
	buffer_init(&writer->out, CARGO_MAX_PLACEHOLDER);
	clock_format_mail(expires, writer->date);
	randombytes_buf(random, sizeof(random));
	memcpy(writer->boundary, "cargo-", 6);
	hex_format(random, sizeof(random), writer->boundary + 6);
	return 0;
}

void
cargo_writer_add_fields(struct cargo_writer *writer, bool eight_bit)
{
	struct buffer *out = &writer->out;

	buffer_add_format(out,
	    CARGO_FIELD_ORIGIN ": %s;\r\n share=%s;\r\n"
			       " expiration=\"%s\"\r\n",
	    writer->origin, writer->share, writer->date);
	if (writer->category != NULL)
		buffer_add_format(out, CARGO_FIELD_CATEGORY ": %s\r\n",
		    writer->category);
	buffer_add_format(out,
	    "MIME-Version: 1.0\r\nContent-Type: "
	    "multipart/mixed; boundary=\"%s\"\r\n%s\r\n",
	    writer->boundary,
	    eight_bit ? "Content-Transfer-Encoding: 8bit\r\n" : "");
}

static int
add_encoded(void *context, const void *data, size_t len)
{
	return buffer_add(context, data, len);
}

/* Quoted-printable: readable, and safe from every relay. */
void
cargo_writer_add_text(struct cargo_writer *writer, const char *text)
{
	struct mail_encoder encoder = {
		.kind = MAIL_ENCODE_QUOTED_PRINTABLE,
		.eol = "\r\n",
		.write = add_encoded,
		.context = &writer->out,
	};

	buffer_add_string(&writer->out,
	    "Content-Transfer-Encoding: "
	    "quoted-printable\r\n\r\n");
	mail_encoder_add(&encoder, text, strlen(text));
	mail_encoder_end(&encoder);
}

void
cargo_writer_add_note(struct cargo_writer *writer,
    const struct cargo_draft_resource *resources, size_t count)
{
	struct cargo_note note = {
		.resources = resources,
		.count = count,
		.origin = writer->origin,
		.expires = writer->expires,
	};
	char *text = cargo_note_format(&note);

	if (text == NULL) {
		writer->out.failed = true;
		return;
	}
	buffer_add_format(&writer->out,
	    "--%s\r\nContent-Type: text/plain; "
	    "charset=utf-8\r\nContent-Description: " CARGO_NOTE_DESCRIPTION
	    "\r\n",
	    writer->boundary);
	cargo_writer_add_text(writer, text);
	buffer_add_string(&writer->out, "\r\n");
	free(text);
}

void
cargo_writer_add_external_body(struct cargo_writer *writer, int64_t size)
{
	buffer_add_format(&writer->out,
	    "Content-Type: message/external-body; "
	    "access-type=content-addressed-uri;\r\n hash-algorithm=sha256; "
	    "size=%lld;\r\n expiration=\"%s\";\r\n origin=\"%s\";\r\n "
	    "share=%s",
	    (long long)size, writer->date, writer->origin, writer->share);
	if (writer->category != NULL)
		buffer_add_format(&writer->out, ";\r\n category=%s",
		    writer->category);
}

int
cargo_writer_finish(struct cargo_writer *writer, char **message_r,
    size_t *len_r)
{
	buffer_add_format(&writer->out, "--%s--\r\n", writer->boundary);
	if (writer->out.failed) {
		buffer_free(&writer->out);
		return -1;
	}
	*message_r = writer->out.data;
	*len_r = writer->out.len;
	return 0;
}
