/* SPDX-License-Identifier: ISC
 *
 * The note's words: see cargo_note.h.
 */
#include "cargo_note.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "buffer.h"
#include "clock.h"
#include "utf8.h"

#define COLUMNS 72
#define INDENT "      " /* of what stands under a numbered name */
#define SHORT_HASH 12

/* ---- pieces ------------------------------------------------------------ */

/* 87328426 as "87.3 MB". */
static void
format_size(int64_t size, char text_r[32])
{
	static const char *const units[] = { "bytes", "kB", "MB", "GB", "TB",
		"PB" };
	double value = (double)size;
	unsigned unit = 0;

	for (; value >= (unit == 0 ? 1000 : 999.95) && unit < 5; unit++)
		value /= 1000;
	if (size == 1)
		snprintf(text_r, 32, "1 byte");
	else
		snprintf(text_r, 32, unit == 0 ? "%.0f %s" : "%.1f %s", value,
		    units[unit]);
}

/* Columns that a character takes: East Asian ones and emoji take two. */
static int
width_of(uint32_t code)
{
	return (code >= 0x1100 && code <= 0x115f) ||
		(code >= 0x2e80 && code <= 0xd7a3) ||
		(code >= 0xf900 && code <= 0xfaff) ||
		(code >= 0xfe30 && code <= 0xfe6f) ||
		(code >= 0xff00 && code <= 0xff60) || code >= 0x1f000 ?
	    2 :
	    1;
}

/* One character as it is shown; the bytes that it took from `text`. */
static size_t
show_character(const char *text, size_t len, char shown_r[16], int *width_r)
{
	uint32_t code;
	size_t bytes = utf8_decode(text, len, &code);

	if (bytes == 0) {
		*width_r =
		    snprintf(shown_r, 16, "\\x%02x", (unsigned char)text[0]);
		return 1;
	}
	if (utf8_is_deceptive(code)) {
		*width_r = snprintf(shown_r, 16, "\\u{%04x}", code);
		return bytes;
	}
	memcpy(shown_r, text, bytes);
	shown_r[bytes] = '\0';
	*width_r = width_of(code);
	return bytes;
}

/* Columns up to the next space. */
static int
word_width(const char *text, size_t len)
{
	char shown[16];
	int total = 0, width;

	for (size_t at = 0; at < len && (at == 0 || text[at] != ' ');
	     total += width)
		at += show_character(text + at, len - at, shown, &width);
	return total;
}

/* A name, wrapped, at spaces if it has them; it begins at the column where
 * INDENT ends. */
static void
add_name(struct buffer *out, const char *name)
{
	const int left = (int)strlen(INDENT);
	size_t len = strlen(name), at = 0;
	int column = left, width, word;
	char shown[16];

	while (at < len) {
		word = name[at] == ' ' ? word_width(name + at, len - at) : 0;
		if (column + word > COLUMNS && word <= COLUMNS - left) {
			buffer_add_string(out, "\n" INDENT);
			column = left;
			at++;
			continue;
		}
		at += show_character(name + at, len - at, shown, &width);
		if (column + width > COLUMNS) {
			buffer_add_string(out, "\n" INDENT);
			column = left;
		}
		buffer_add_string(out, shown);
		column += width;
	}
}

/* What has no name is told by its type. */
static const char *
describe(const char *type)
{
	static const struct {
		const char *prefix, *words;
	} kinds[] = {
		{ "text/plain", "the text of the message" },
		{ "text/html", "the text of the message, as HTML" },
		{ "text/", "a text" },
		{ "image/", "a picture" },
		{ "audio/", "a sound" },
		{ "video/", "a film" },
		{ "message/", "a message" },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strncasecmp(type, kinds[i].prefix,
			strlen(kinds[i].prefix)) == 0)
			return kinds[i].words;
	return "a file without a name";
}

static void
add_resource(struct buffer *out, const struct cargo_note *note, size_t index)
{
	const struct cargo_draft_resource *r = &note->resources[index];
	const char *type = r->type != NULL ? r->type : "";
	char size[32] = "size unknown";

	if (r->size >= 0)
		format_size(r->size, size);
	buffer_add_format(out, "%4zu. ", index + 1);
	add_name(out,
	    r->name != NULL && r->name[0] != '\0' ? r->name : describe(type));
	/* Who downloads by hand compares by hand: the whole of it. */
	if (note->page != NULL)
		buffer_add_format(out,
		    "\n" INDENT "%s, SHA-256\n" INDENT "%s\n", size, r->hash);
	else
		buffer_add_format(out, "\n" INDENT "%s, SHA-256 %.*s...\n",
		    size, SHORT_HASH, r->hash);
}

/* ---- the two notes ----------------------------------------------------- */

static void
add_placeholder_words(struct buffer *out, const struct cargo_note *note,
    const char *until)
{
	static const char scheme[] = "https://";
	const char *origin = note->origin;

	/* Mail programs make a link of a URL; this one is not for people. */
	if (strncmp(origin, scheme, strlen(scheme)) == 0)
		origin += strlen(scheme);
	buffer_add_format(out,
	    "\nKept until %s at\n"
	    "  %s\n"
	    "\n"
	    "What to do: if your mail provider takes part in Cargomail, all\n"
	    "of this comes to your own resource mailbox, and stays there.\n"
	    "Open this message with a mail program that knows Cargomail, or\n"
	    "save it to a file and run\n"
	    "\n"
	    "  cargomail open FILE\n"
	    "\n"
	    "Otherwise ask the sender to send it in another way.\n",
	    until, origin);
}

static void
add_page_words(struct buffer *out, const struct cargo_note *note,
    const char *until)
{
	buffer_add_format(out,
	    "\nWhat to do: download %s from this page,\n"
	    "until %s:\n"
	    "\n"
	    "%s\n"
	    "\n"
	    "The page is for you alone: whoever has its address can download\n"
	    "too, so do not pass it on. What you downloaded is what was sent\n"
	    "if its SHA-256 is the one above (sha256sum FILE).\n",
	    note->count == 1 ? "it" : "them", until, note->page);
}

char *
cargo_note_format(const struct cargo_note *note)
{
	char until[CLOCK_TEXT_SIZE];
	struct buffer out;

	buffer_init(&out, CARGO_MAX_PLACEHOLDER);
	clock_format_mail(note->expires, until);
	buffer_add_format(&out, "%s\n\n",
	    note->page == NULL ?
		"The content of this message travels apart from it, by "
		"Cargomail:" :
		note->count == 1 ?
		"This was too large to travel with the message:" :
		"These were too large to travel with the message:");
	for (size_t i = 0; i < note->count; i++)
		add_resource(&out, note, i);
	if (note->page == NULL)
		add_placeholder_words(&out, note, until);
	else
		add_page_words(&out, note, until);
	if (out.failed) {
		buffer_free(&out);
		return NULL;
	}
	return out.data;
}
