/* SPDX-License-Identifier: ISC
 *
 * Recipes: the parameters of an external body that say how the part was
 * encoded in the message that a converter took apart. Read from hostile
 * bytes; a recipe that cannot be followed is none. The struct stands in
 * cargo_placeholder.h.
 */
#ifndef CARGO_RECIPE_H
#define CARGO_RECIPE_H

#include <stdint.h>

#include "cargo_placeholder.h"
#include "mail_parameters.h"

/* Reads encoding, line, eol, final. CARGO_RECIPE_NONE if there is no
 * encoding, or something in them is not known here: the result of a rebuild
 * is then not exact. */
void cargo_recipe_read(const struct mail_parameters *list,
    struct cargo_recipe *recipe_r);

/* A decimal number from 0 to max. 0, or -1 for anything else (NULL, too). */
int cargo_number_read(const char *text, int64_t max, int64_t *number_r);

#endif
