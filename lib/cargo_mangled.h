/* SPDX-License-Identifier: ISC
 *
 * Placeholders that a mail provider rewrote on their way, for the reader's
 * own program alone: a broker or a mailbox acts only on what
 * cargo_placeholder_parse() takes, and tests/tree checks that neither
 * includes this. What can be undone with certainty is undone in a copy of
 * the message; then it is read by cargo_placeholder_parse_liberal().
 *
 * Undone are: line ends, transfer encodings of multiparts, messages and
 * external bodies, the lost Content-Type of the whole, external bodies that
 * became attachments, and a message around the message. The table of
 * cargomail-protocol(7) has a row for each, and each row a test.
 *
 * Reads hostile bytes; fuzzed by fuzz_mangled. The same limits as for any
 * placeholder hold for the copy.
 */
#ifndef CARGO_MANGLED_H
#define CARGO_MANGLED_H

#include <stdbool.h>
#include <stddef.h>

#include "cargo_placeholder.h"
#include "outcome.h"

struct cargo_mangled {
	/* The message to go on with: offsets refer to it. */
	char *message;
	size_t len;
	bool changed; /* something was undone: it is not what was read */
	bool within; /* it stood within another message, as an attachment */
	struct cargo_placeholder *placeholder; /* NULL if not OK */
	struct cargo_findings findings;
};

/*
 * Reads a whole message. OK if at least one resource was recognised (look at
 * the findings for those that were not); else as
 * cargo_placeholder_parse_liberal(), with the findings where it is "form".
 * TEMPFAIL "box". Free the result with cargo_mangled_free() in any case.
 */
enum outcome cargo_mangled_read(const char *message, size_t len,
    struct cargo_mangled *mangled_r, struct reason *why);

void cargo_mangled_free(struct cargo_mangled *mangled);

#endif
