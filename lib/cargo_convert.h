/* SPDX-License-Identifier: ISC
 *
 * From an ordinary message to a placeholder: parts become resources, and
 * what is needed to make the very bytes again stands in the placeholder's
 * body. Three steps: plan (which parts, by which recipe, with which hash),
 * compose (the placeholder, once origin and share are known), prove (the
 * placeholder is parsed, rebuilt and compared with the message). A
 * placeholder that was not proved must not leave.
 *
 * The message is a stranger's as far as this module goes: its structure
 * comes out of the MIME box, memory does not grow with its size, and a part
 * for which no recipe gives the same bytes again stays where it is.
 */
#ifndef CARGO_CONVERT_H
#define CARGO_CONVERT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "cargo_placeholder.h"
#include "outcome.h"

enum cargo_convert_mode {
	CARGO_CONVERT_NONE,
	CARGO_CONVERT_LARGE, /* leaves above the threshold, decoded */
	CARGO_CONVERT_ATTACHMENTS, /* and what is no text, or has a name */
	CARGO_CONVERT_ALL, /* every leaf that is not empty */
};

struct cargo_convert_options {
	enum cargo_convert_mode mode;
	int64_t threshold; /* bytes, for CARGO_CONVERT_LARGE */
};

#define CARGO_CONVERT_MAX ((size_t)3 << 30) /* bytes of a message */

struct cargo_conversion;
struct cargo_conversion_reader;

/*
 * Looks what is to be converted. OK: something is. PERMFAIL, and the message
 * is to be left alone:
 *   nothing     no part is to be converted, or none can be made again
 *   unsuitable  the message itself cannot be taken apart and made again
 *   limit       its header is too long, it has too many parts or levels
 * TEMPFAIL "box". The most valuable 200 parts (the largest) are taken;
 * others, and what has no recipe, stay. If what stays does not fit into a
 * placeholder, large parts go that are below the threshold; if that is not
 * enough, it is "unsuitable".
 *
 * `message` (CRLF lines, at most CARGO_CONVERT_MAX bytes; a mapped file will
 * do) must stay until the conversion is freed. As mime_box_read() does, this
 * forks a child.
 */
enum outcome cargo_convert_plan(const char *message, size_t len,
    const struct cargo_convert_options *options,
    struct cargo_conversion **conversion_r, struct reason *why);

void cargo_conversion_free(struct cargo_conversion **conversion);

/* The resources, in the order of the message; the same hash stands only
 * once, though several parts may have it. Hash, decoded size, media type
 * with its parameters, name (or NULL) and disposition belong to the
 * conversion. */
size_t cargo_conversion_count(const struct cargo_conversion *conversion);
const struct cargo_draft_resource *
cargo_conversion_resource(const struct cargo_conversion *conversion,
    size_t index);

/* The decoded bytes of a resource, from the start; any number of readers.
 * read: the number of bytes, 0 at the end. Opening cannot fail; close frees
 * the reader and sets it to NULL. */
struct cargo_conversion_reader *
cargo_conversion_open(const struct cargo_conversion *conversion, size_t index);
ssize_t cargo_conversion_read(struct cargo_conversion_reader *reader,
    void *data_r, size_t max);
void cargo_conversion_close(struct cargo_conversion_reader **reader);

struct cargo_convert_target {
	const char *origin; /* "https://mailbox.hospital.test" */
	const char *share;
	const char *category; /* or NULL */
	int64_t expires; /* seconds since 1970 */
};

/* Writes the placeholder, CRLF lines. PERMFAIL "form" (target) or "limit"
 * (it would be too large). The caller owns *placeholder_r. */
enum outcome cargo_convert_compose(const struct cargo_conversion *conversion,
    const struct cargo_convert_target *target, char **placeholder_r,
    size_t *len_r, struct reason *why);

/* Parses the placeholder as its reader will, rebuilds the message from it
 * and compares byte by byte. OK: they are the same. PERMFAIL "differs";
 * TEMPFAIL "box". */
enum outcome cargo_convert_prove(const struct cargo_conversion *conversion,
    const char *placeholder, size_t len, struct reason *why);

#endif
