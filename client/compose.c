/* SPDX-License-Identifier: ISC
 *
 * Writing header fields. What the user gives on the command line comes out
 * as one field each, never as two.
 *
 * Encoded words are written by hand: libetpan, which could, runs only in
 * the MIME box.
 */
#include "compose.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "buffer.h"
#include "clock.h"
#include "encoding.h"
#include "file_name.h"
#include "memory.h"

#define MAX_HEADER 262144 /* 500 recipients of 320 bytes, and a subject */
/* Bytes of text in one encoded word: 75 characters less "=?utf-8?B??=", in
 * base64 (RFC 2047, section 2). */
#define WORD_BYTES 45

static bool
is_plain(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 || (unsigned char)*text >= 0x7f)
			return false;
	return true;
}

static bool
is_text(const char *text)
{
	size_t len;
	long code;

	for (; (len = file_name_next(text, &code)) > 0; text += len)
		if (code < 0x20 || (code >= 0x7f && code < 0xa0))
			return false;
	return true;
}

/* ASCII as it is if it cannot be taken for an encoded word and its line
 * stays short, else words of whole characters. */
static void
add_words(struct buffer *out, const char *text)
{
	size_t len, at = 0;
	char *encoded;
	long code;

	if (is_plain(text) && strstr(text, "=?") == NULL &&
	    strlen(text) < 900) {
		buffer_add_string(out, text);
		return;
	}
	while (*text != '\0') {
		for (at = 0; (len = file_name_next(text + at, &code)) > 0 &&
		     at + len <= WORD_BYTES;
		     at += len)
			continue;
		encoded = base64_format(text, at);
		buffer_add_format(out, "=?utf-8?B?%s?=%s",
		    encoded != NULL ? encoded : "",
		    text[at] != '\0' ? "\r\n " : "");
		free(encoded);
		text += at;
	}
}

static void
add_from(struct buffer *out, const struct compose *compose)
{
	const char *p;

	buffer_add_string(out, "From: ");
	if (compose->name[0] == '\0') {
		buffer_add_format(out, "%s\r\n", compose->address);
		return;
	}
	if (is_plain(compose->name) && strlen(compose->name) < 200) {
		buffer_add_string(out, "\"");
		for (p = compose->name; *p != '\0'; p++)
			buffer_add_format(out, "%s%c",
			    *p == '"' || *p == '\\' ? "\\" : "", *p);
		buffer_add_string(out, "\"");
	} else {
		add_words(out, compose->name);
	}
	buffer_add_format(out, " <%s>\r\n", compose->address);
}

static bool
is_good(const struct compose *compose)
{
	size_t i;

	if (!is_text(compose->name) || !is_text(compose->subject) ||
	    !is_plain(compose->address) || !is_plain(compose->message_id))
		return false;
	/* UTF-8 addresses need SMTPUTF8 all the way: not here. */
	for (i = 0; i < compose->recipient_count; i++)
		if (!is_plain(compose->recipients[i]))
			return false;
	return compose->recipient_count > 0;
}

char *
compose_header(const struct compose *compose)
{
	char date[CLOCK_TEXT_SIZE], *header = NULL;
	struct buffer out;
	size_t i;

	if (!is_good(compose))
		return NULL;
	buffer_init(&out, MAX_HEADER);
	add_from(&out, compose);
	buffer_add_string(&out, "To: ");
	for (i = 0; i < compose->recipient_count; i++)
		buffer_add_format(&out, "%s%s", i > 0 ? ",\r\n " : "",
		    compose->recipients[i]);
	buffer_add_string(&out, "\r\nSubject: ");
	add_words(&out, compose->subject);
	clock_format_mail(compose->now, date);
	buffer_add_format(&out, "\r\nDate: %s\r\nMessage-ID: <%s>\r\n", date,
	    compose->message_id);
	if (!out.failed)
		header = x_strdup(buffer_string(&out));
	buffer_free(&out);
	return header;
}

char *
compose_message_id(const char *address)
{
	const char *at = strrchr(address, '@');
	unsigned char random[16];
	char hex[2 * sizeof(random) + 1];

	randombytes_buf(random, sizeof(random));
	hex_format(random, sizeof(random), hex);
	return x_asprintf("%s@%s", hex, at != NULL ? at + 1 : address);
}
