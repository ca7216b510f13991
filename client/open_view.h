/* SPDX-License-Identifier: ISC
 *
 * For HTML that was opened to a file and whose pictures are files beside it:
 * one more file, in which they show.
 */
#ifndef OPEN_VIEW_H
#define OPEN_VIEW_H

#include "cargo_placeholder.h"
#include "outcome.h"

/* Writes the views of all HTML among the resources and prints hash and path
 * of each. `paths` has the file of each resource in `directory`, NULL for
 * one that could not be had. What refers to no picture gets no view. */
enum outcome open_view_write(const char *directory, const char *message,
    const struct cargo_placeholder *placeholder, char **paths,
    struct reason *why);

#endif
