/* SPDX-License-Identifier: ISC
 *
 * "value; name=value; name="quoted"; name*=utf-8''encoded; name*0=..." as in
 * Content-Type, Content-Disposition (RFC 2045, RFC 2183) with the encoding
 * and continuations of RFC 2231 undone. Reads hostile bytes.
 *
 * Written by hand because libetpan does not decode RFC 2231. Fuzzed by
 * fuzz_placeholder.
 */
#ifndef MAIL_PARAMETERS_H
#define MAIL_PARAMETERS_H

#include <stddef.h>

#define MAIL_PARAMETERS_MAX 64

struct mail_parameter {
	char *name; /* lower case, without the marks of RFC 2231 */
	char *value; /* valid UTF-8 without control bytes */
};

struct mail_parameters {
	char *value; /* before the first ";", lower case, no white space */
	struct mail_parameter items[MAIL_PARAMETERS_MAX];
	size_t count;
};

/* Parses an unfolded field body. 0, or -1 for what cannot be read: an open
 * quote, a parameter without "=", one given twice, more than
 * MAIL_PARAMETERS_MAX of them. Free what is returned by
 * mail_parameters_free(). */
int mail_parameters_parse(const char *text, struct mail_parameters *list_r);
void mail_parameters_free(struct mail_parameters *list);

/* The value of a parameter, or NULL. Owned by the list. */
const char *
mail_parameters_get(const struct mail_parameters *list, const char *name);

/* `text` with bytes that are not UTF-8 replaced by U+FFFD and control bytes
 * dropped, at most `max` bytes. Owned by the caller. */
char *mail_text_clean(const char *text, size_t len, size_t max);

#endif
