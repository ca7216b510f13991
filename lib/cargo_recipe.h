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

#include "buffer.h"
#include "cargo_placeholder.h"
#include "mail_encode.h"
#include "mail_parameters.h"

#define CARGO_RECIPE_LINE_MAX 1000000 /* characters of a base64 line */
#define CARGO_RECIPE_FINAL_MAX 9

/* Reads encoding, line, eol, final and those of quoted-printable.
 * CARGO_RECIPE_NONE if there is no encoding, or something in them is not
 * known here: the result of a rebuild is then not exact. */
void cargo_recipe_read(const struct mail_parameters *list,
    struct cargo_recipe *recipe_r);

/* Appends them, each with ";" CRLF and a space before it. */
void cargo_recipe_format(const struct cargo_recipe *recipe,
    enum mime_encoding encoding, struct buffer *out);

/* Finds the recipe by which `text` (a part's content as it stands in the
 * message) is made again. 0, or -1 if there is none. For quoted-printable it
 * has been tried then; base64 is proved by who decodes it: exactly *size_r
 * bytes come out, and the decoder says canonical. */
int
cargo_recipe_learn(const char *text, size_t len, enum mime_encoding encoding,
    struct cargo_recipe *recipe_r, int64_t *size_r);

/* How a decoder undoes it. */
enum mail_encode_kind cargo_recipe_kind(const struct cargo_recipe *recipe);

/* A decimal number from 0 to max. 0, or -1 for anything else (NULL, too). */
int cargo_number_read(const char *text, int64_t max, int64_t *number_r);

#endif
