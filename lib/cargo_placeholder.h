/* SPDX-License-Identifier: ISC
 *
 * The placeholder message: what travels through the mail system in place of
 * the content. Parsed liberally, written in one form only. The body is the
 * authority: origin, share, expiry and category stand in each external body;
 * the header fields only make Postfix select the message and must agree.
 *
 * Reads hostile bytes; MIME structure comes from the MIME box, everything
 * else (fields, parameters) is read here. Fuzzed by fuzz_placeholder.
 */
#ifndef CARGO_PLACEHOLDER_H
#define CARGO_PLACEHOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "encoding.h"
#include "mail_qp.h"
#include "mime_box.h"
#include "outcome.h"

#define CARGO_MAX_RESOURCES 200
#define CARGO_MAX_RECIPIENTS 500
#define CARGO_MAX_PLACEHOLDER (1024 * 1024) /* bytes */
#define CARGO_MAX_NAME 255 /* bytes of a file name */
#define CARGO_MAX_LIFETIME (14 * 86400) /* seconds */
#define CARGO_SHARE_LEN 22 /* base64url of 128 random bits */
#define CARGO_CATEGORY_MAX 64
#define CARGO_MAX_SIZE (INT64_C(1) << 50) /* bytes of a resource */

/* The header fields; the second spellings are read, never written. */
#define CARGO_FIELD_ORIGIN "X-Origin-Resource-Mailbox-URL"
#define CARGO_FIELD_ORIGIN_LATER "X-Origin-Mailbox-Service-URL"
#define CARGO_FIELD_DESTINATION "X-Destination-Resource-Mailbox-URL"
#define CARGO_FIELD_DESTINATION_LATER "X-Destination-Mailbox-Service-URL"
#define CARGO_FIELD_CATEGORY "X-Correspondence-Category"
#define CARGO_FIELD_STATUS "X-Cargomail-Status"
#define CARGO_NOTE_DESCRIPTION "Cargomail note"

/* How a part was encoded in the message that a converter took apart, so that
 * the same bytes can be made again. */
enum cargo_recipe_encoding {
	CARGO_RECIPE_NONE, /* no recipe: made by cargomail send */
	CARGO_RECIPE_IDENTITY, /* 7bit, 8bit, binary: the bytes themselves */
	CARGO_RECIPE_BASE64,
	CARGO_RECIPE_QUOTED_PRINTABLE,
};

struct cargo_recipe {
	enum cargo_recipe_encoding encoding;
	int line; /* characters of a full base64 line, 0: all in one line */
	bool crlf; /* line ends CRLF, else LF */
	int final; /* line ends behind the last line */
	struct mail_qp_layout layout; /* of quoted-printable */
};

/* One resource that a placeholder names. Text is valid UTF-8 without control
 * bytes, and hostile all the same: escape it, take base names only. */
struct cargo_resource {
	char hash[SHA256_HEX_SIZE];
	int64_t size;
	char *type; /* "video/mp4", lower case, without parameters */
	char *name; /* file name, NULL if it has none */
	char *disposition; /* "inline", "attachment", ... or NULL */
	struct cargo_recipe recipe;
	size_t part; /* index into placeholder->parts */
	/* The raw inner header (with Content-Type, Content-ID, ... and
	 * whatever else it carries), an offset into the message. */
	size_t inner_start, inner_len;
};

struct cargo_placeholder {
	char *origin; /* "https://mailbox.hospital.test" */
	char share[CARGO_SHARE_LEN + 1];
	int64_t expires; /* seconds since 1970 */
	char *category; /* lower-case token, NULL if none is given */
	char *message_id; /* without brackets, NULL if missing or doubtful */
	struct cargo_resource *resources;
	size_t count;
	struct mime_parts parts; /* of the whole message */
	int note; /* index of the note's part, -1 if none */
};

/*
 * Parses a whole message. PERMFAIL with the word
 *   none      no external body of ours in it
 *   form      something in it cannot be read
 *   limit     more than CARGO_MAX_* of something
 *   disagree  external bodies, or body and header, differ on origin, share
 *             or category
 * or TEMPFAIL "box". The caller owns *placeholder_r
 * (cargo_placeholder_free()); offsets refer to `message`.
 */
enum outcome cargo_placeholder_parse(const char *message, size_t len,
    struct cargo_placeholder **placeholder_r, struct reason *why);

/* The same with the structure already known (taken over, also on failure);
 * for fuzzing, and for who has the parts. */
enum outcome cargo_placeholder_parse_parts(const char *message, size_t len,
    struct mime_parts *parts, struct cargo_placeholder **placeholder_r,
    struct reason *why);

/* A part that looks like an external body of ours and cannot be read. */
#define CARGO_MAX_FINDINGS 50
struct cargo_finding {
	char number[32]; /* "2", "1.3": as IMAP counts parts */
	const char *text; /* "the hash is gone": a fixed text */
};

struct cargo_findings {
	struct cargo_finding items[CARGO_MAX_FINDINGS];
	size_t count;
};

/*
 * For the reader's own program alone, never for who acts on a placeholder:
 * nothing that this reads over is covered by a sender's signature. What one
 * part lacks is taken from the header or from another part, a part that
 * cannot be read is a finding (findings_r is always filled), and
 *
 *   - the header fields may be missing; what stands there must agree;
 *   - resource->size is -1 if it is gone, placeholder->expires 0;
 *   - an external body of no access type is taken for one of ours.
 *
 * Contradictions and limits are refused as ever. PERMFAIL "none" if there
 * is nothing at all, "form" if nothing of it can be read. Called by
 * cargo_mangled_read(), which also undoes what can be undone.
 */
enum outcome cargo_placeholder_parse_liberal(const char *message, size_t len,
    struct mime_parts *parts, struct cargo_findings *findings_r,
    struct cargo_placeholder **placeholder_r, struct reason *why);

void cargo_placeholder_free(struct cargo_placeholder **placeholder);

/* 1 if `text` is a category: a lower-case token of at most 64. */
int cargo_category_valid(const char *text);

/* 1 if `text` is a share id: 22 characters of base64url, no spare bits. */
int cargo_share_valid(const char *text);

/* Writes a fresh random share id. */
void cargo_share_new(char share_r[CARGO_SHARE_LEN + 1]);

/* ---- writing (cargo_placeholder_compose.c) ----------------------------- */

struct cargo_draft_resource {
	const char *hash; /* lower-case hex */
	int64_t size;
	const char *type; /* with parameters: "text/plain; charset=utf-8" */
	const char *name; /* UTF-8 file name or NULL */
	const char *disposition; /* "inline" or "attachment" */
};

struct cargo_draft {
	/* The message's own fields (From, To, Subject, Date, Message-ID),
	 * complete lines ending in CRLF or LF; no MIME and no X- fields of
	 * ours, and no empty line. */
	const char *header;
	const char *origin, *share;
	const char *category; /* or NULL */
	int64_t expires;
	/* Text that stays in the message (UTF-8), then no note is written;
	 * NULL: the text is one of the resources. */
	const char *inline_text;
	const struct cargo_draft_resource *resources;
	size_t count;
	/* HTML at `related_first` and its pictures behind it, in all
	 * related_count, are one multipart/related; 0: none. `alternative`:
	 * the resource before them says the same as text. */
	size_t related_first, related_count;
	bool alternative;
};

/*
 * Writes the placeholder with CRLF line ends. PERMFAIL "form" (a value that
 * cannot stand in a message) or "limit". The caller owns *message_r.
 */
enum outcome cargo_placeholder_compose(const struct cargo_draft *draft,
    char **message_r, size_t *len_r, struct reason *why);

#endif
