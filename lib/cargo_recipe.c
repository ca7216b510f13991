/* SPDX-License-Identifier: ISC
 *
 * Reading recipes: see cargo_recipe.h.
 */
#include "cargo_recipe.h"

#include <string.h>

int
cargo_number_read(const char *text, int64_t max, int64_t *number_r)
{
	int64_t number = 0;

	if (text == NULL || *text == '\0' || strlen(text) > 16)
		return -1;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		number = number * 10 + (*text - '0');
	}
	*number_r = number;
	return number <= max ? 0 : -1;
}

void
cargo_recipe_read(const struct mail_parameters *list,
    struct cargo_recipe *recipe_r)
{
	const char *encoding = mail_parameters_get(list, "encoding");
	const char *line = mail_parameters_get(list, "line");
	const char *eol = mail_parameters_get(list, "eol");
	const char *final = mail_parameters_get(list, "final");
	int64_t length = 76;

	*recipe_r = (struct cargo_recipe){ CARGO_RECIPE_NONE, 76, true, true };
	if (encoding == NULL ||
	    (line != NULL && cargo_number_read(line, 996, &length) < 0) ||
	    length < 4 || length % 4 != 0 ||
	    (eol != NULL && strcmp(eol, "crlf") != 0 &&
		strcmp(eol, "lf") != 0) ||
	    (final != NULL && strcmp(final, "yes") != 0 &&
		strcmp(final, "no") != 0))
		return;
	if (strcmp(encoding, "base64") == 0)
		recipe_r->encoding = CARGO_RECIPE_BASE64;
	else if (strcmp(encoding, "7bit") == 0 ||
	    strcmp(encoding, "8bit") == 0 || strcmp(encoding, "binary") == 0)
		recipe_r->encoding = CARGO_RECIPE_IDENTITY;
	recipe_r->line = (int)length;
	recipe_r->crlf = eol == NULL || strcmp(eol, "crlf") == 0;
	recipe_r->final = final == NULL || strcmp(final, "yes") == 0;
}
