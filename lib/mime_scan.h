/* SPDX-License-Identifier: ISC
 *
 * A look at the structure of a message, line by line and without recursion,
 * before libetpan sees it: libetpan recurses without a limit. It errs on the
 * side of seeing more parts and more depth than there are. Whoever fools it
 * all the same meets the box's limits of CPU and stack.
 */
#ifndef MIME_SCAN_H
#define MIME_SCAN_H

#include <stdbool.h>
#include <stddef.h>

/* NULL if depth and number of parts are within MIME_MAX_DEPTH and
 * MIME_MAX_PARTS, else a fixed text. */
const char *mime_scan_check(const char *message, size_t len);

/* The same, and tells of each line: whether it is part of a header or looks
 * like a boundary. `line` includes the line end. */
const char *mime_scan_lines(const char *message, size_t len,
    void (*tell)(void *context, size_t start, size_t line, bool structure),
    void *context);

#endif
