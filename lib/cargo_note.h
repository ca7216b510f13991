/* SPDX-License-Identifier: ISC
 *
 * The note: what a person reads whose mail program knows nothing of
 * Cargomail. Plain text, UTF-8, LF lines of at most 72 columns (an address
 * to be followed stands whole on a line of its own). Names come from
 * strangers: what draws nothing or turns the text around is escaped.
 */
#ifndef CARGO_NOTE_H
#define CARGO_NOTE_H

#include <stddef.h>
#include <stdint.h>

#include "cargo_placeholder.h"

struct cargo_note {
	const struct cargo_draft_resource *resources;
	size_t count;
	const char *origin; /* "https://mailbox.hospital.test" */
	int64_t expires;
	/* NULL: the note of a placeholder. Else the URL where this one
	 * recipient downloads everything by hand. */
	const char *page;
};

/* The text; the caller frees it (free()). NULL if it would be longer than
 * CARGO_MAX_PLACEHOLDER. */
char *cargo_note_format(const struct cargo_note *note);

#endif
