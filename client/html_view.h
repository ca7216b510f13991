/* SPDX-License-Identifier: ISC
 *
 * HTML of a message made fit to be looked at in a browser: references to its
 * pictures by cid: (RFC 2392) become names of files beside it. Reads hostile
 * text and does not parse it: only whole cid: URLs that name a part of the
 * same message are replaced, by characters that end no attribute. A policy
 * in front of it keeps scripts from running and anything from being fetched
 * from elsewhere.
 */
#ifndef HTML_VIEW_H
#define HTML_VIEW_H

#include <stddef.h>

#include "buffer.h"

/* A part that may be referred to. */
struct html_view_part {
	const char *id; /* Content-ID without angle brackets */
	const char *name; /* of the file, a clean base name */
};

/*
 * Appends the HTML to `out`. `charset` (may be NULL) is what the message
 * says of it; what is no charset's name is left out. Returns how many
 * references were replaced.
 */
size_t html_view_format(const char *html, size_t len, const char *charset,
    const struct html_view_part *parts, size_t count, struct buffer *out);

/* The way back, for who writes: "cid:" and a part's id becomes "cid:" and its
 * name, the hash; without a policy. */
size_t html_view_name(const char *html, size_t len,
    const struct html_view_part *parts, size_t count, struct buffer *out);

#endif
