/* SPDX-License-Identifier: ISC
 *
 * Reading and writing recipes: see cargo_recipe.h.
 */
#include "cargo_recipe.h"

#include <string.h>

#include "mail_encode.h"

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

static const struct cargo_recipe none = {
	.encoding = CARGO_RECIPE_NONE,
	.line = 76,
	.crlf = true,
	.final = 1,
};

/* ---- the layout of quoted-printable ------------------------------------ */

/* "75-75-76-76", or "after-73". */
static int
read_soft(const char *text, struct mail_qp_layout *layout)
{
	uint16_t numbers[4];
	int count = 0;
	bool after;

	if (text == NULL)
		return -1;
	after = strncmp(text, "after-", 6) == 0;
	for (const char *at = after ? text + 6 : text;; at++) {
		char word[8] = "";
		size_t len = strcspn(at, "-");
		int64_t number;

		if (len >= sizeof(word) || count == 4)
			return -1;
		memcpy(word, at, len);
		if (cargo_number_read(word, MAIL_QP_MAX, &number) < 0 ||
		    number < MAIL_QP_MIN)
			return -1;
		numbers[count++] = (uint16_t)number;
		at += len;
		if (*at == '\0')
			break;
	}
	if (count != (after ? 1 : 4))
		return -1;
	if (after)
		layout->after = numbers[0];
	else
		memcpy(layout->max, numbers, sizeof(layout->max));
	return 0;
}

/* Characters in hex: "092e46". */
static int
read_set(const char *text, uint32_t set[4])
{
	unsigned char c;

	if (text == NULL)
		return 0;
	for (; *text != '\0'; text += 2) {
		char digits[3] = { text[0], text[1] };

		if (text[1] == '\0' || hex_parse(digits, &c, 1) < 0 ||
		    c > '~' || (c < ' ' && c != '\t'))
			return -1;
		mail_qp_put(set, c);
	}
	return 0;
}

static bool
is_listed(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list; at != NULL && *at != '\0';) {
		size_t here = strcspn(at, ".");

		if (here == len && memcmp(at, word, len) == 0)
			return true;
		at += here + (at[here] == '.');
	}
	return false;
}

static int
read_layout(const struct mail_parameters *list, struct mail_qp_layout *layout)
{
	const char *style = mail_parameters_get(list, "style");

	layout->first_hard = is_listed(style, "hard");
	layout->from = is_listed(style, "from");
	layout->lower = is_listed(style, "lower");
	layout->breaks = is_listed(style, "breaks");
	layout->blank = is_listed(style, "blank");
	layout->end = is_listed(style, "end-soft") ? 1 :
	    is_listed(style, "end-break")	   ? 2 :
						     0;
	return read_soft(mail_parameters_get(list, "soft"), layout) == 0 &&
		read_set(mail_parameters_get(list, "quote"), layout->quote) ==
		    0 &&
		read_set(mail_parameters_get(list, "first"), layout->first) ==
		    0 ?
	    0 :
	    -1;
}

static void
format_set(const uint32_t set[4], const char *name, struct buffer *out)
{
	bool any = false;

	for (unsigned i = '\t'; i <= '~'; i++) {
		if (!mail_qp_has(set, (unsigned char)i))
			continue;
		if (!any)
			buffer_add_format(out, ";\r\n %s=", name);
		any = true;
		buffer_add_format(out, "%02x", i);
	}
}

static void
format_layout(const struct mail_qp_layout *layout, struct buffer *out)
{
	const struct {
		bool is;
		const char *word;
	} words[] = {
		{ layout->first_hard, "hard" },
		{ layout->from, "from" },
		{ layout->lower, "lower" },
		{ layout->breaks, "breaks" },
		{ layout->blank, "blank" },
		{ layout->end == 1, "end-soft" },
		{ layout->end == 2, "end-break" },
	};
	const char *before = ";\r\n style=";

	if (layout->after > 0)
		buffer_add_format(out, ";\r\n soft=after-%u", layout->after);
	else
		buffer_add_format(out, ";\r\n soft=%u-%u-%u-%u", layout->max[0],
		    layout->max[1], layout->max[2], layout->max[3]);
	format_set(layout->quote, "quote", out);
	format_set(layout->first, "first", out);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!words[i].is)
			continue;
		buffer_add_format(out, "%s%s", before, words[i].word);
		before = ".";
	}
}

/* ---- all of it --------------------------------------------------------- */

/* "yes", "no", or how many. */
static int
read_final(const char *text, int *final_r)
{
	int64_t number = 1;

	if (text != NULL && strcmp(text, "no") == 0)
		number = 0;
	else if (text != NULL && strcmp(text, "yes") != 0 &&
	    cargo_number_read(text, CARGO_RECIPE_FINAL_MAX, &number) < 0)
		return -1;
	*final_r = (int)number;
	return 0;
}

/* "none", or characters. */
static int
read_line(const char *text, int *line_r)
{
	int64_t number = 76;

	if (text != NULL && strcmp(text, "none") == 0)
		number = 0;
	else if (text != NULL &&
	    (cargo_number_read(text, CARGO_RECIPE_LINE_MAX, &number) < 0 ||
		number < 4))
		return -1;
	*line_r = (int)number;
	return 0;
}

void
cargo_recipe_read(const struct mail_parameters *list,
    struct cargo_recipe *recipe_r)
{
	const char *encoding = mail_parameters_get(list, "encoding");
	const char *eol = mail_parameters_get(list, "eol");

	*recipe_r = none;
	if (encoding == NULL ||
	    read_line(mail_parameters_get(list, "line"), &recipe_r->line) < 0 ||
	    (eol != NULL && strcmp(eol, "crlf") != 0 &&
		strcmp(eol, "lf") != 0) ||
	    read_final(mail_parameters_get(list, "final"), &recipe_r->final) <
		0)
		return;
	recipe_r->crlf = eol == NULL || strcmp(eol, "crlf") == 0;
	if (strcmp(encoding, "base64") == 0)
		recipe_r->encoding = CARGO_RECIPE_BASE64;
	else if (strcmp(encoding, "quoted-printable") == 0) {
		if (read_layout(list, &recipe_r->layout) == 0)
			recipe_r->encoding = CARGO_RECIPE_QUOTED_PRINTABLE;
	} else if (strcmp(encoding, "7bit") == 0 ||
	    strcmp(encoding, "8bit") == 0 || strcmp(encoding, "binary") == 0)
		recipe_r->encoding = CARGO_RECIPE_IDENTITY;
}

void
cargo_recipe_format(const struct cargo_recipe *recipe,
    enum mime_encoding encoding, struct buffer *out)
{
	static const char *const names[] = {
		[MIME_7BIT] = "7bit",
		[MIME_8BIT] = "8bit",
		[MIME_BINARY] = "binary",
		[MIME_BASE64] = "base64",
		[MIME_QUOTED_PRINTABLE] = "quoted-printable",
	};

	buffer_add_format(out, ";\r\n encoding=%s", names[encoding]);
	if (recipe->encoding == CARGO_RECIPE_QUOTED_PRINTABLE)
		format_layout(&recipe->layout, out);
	if (recipe->encoding != CARGO_RECIPE_BASE64)
		return;
	if (recipe->line > 0)
		buffer_add_format(out, "; line=%d", recipe->line);
	else
		buffer_add_string(out, "; line=none");
	buffer_add_string(out, "; eol=crlf");
	if (recipe->final < 2)
		buffer_add_format(out, "; final=%s",
		    recipe->final == 1 ? "yes" : "no");
	else
		buffer_add_format(out, "; final=%d", recipe->final);
}

enum mail_encode_kind
cargo_recipe_kind(const struct cargo_recipe *recipe)
{
	switch (recipe->encoding) {
	case CARGO_RECIPE_BASE64:
		return MAIL_ENCODE_BASE64;
	case CARGO_RECIPE_QUOTED_PRINTABLE:
		return MAIL_ENCODE_QUOTED_PRINTABLE;
	default:
		return MAIL_ENCODE_IDENTITY;
	}
}

/* ---- learning ---------------------------------------------------------- */

static bool
is_crlf(const char *at)
{
	return at[0] == '\r' && at[1] == '\n';
}

/* All lines but the last have the length of the first and end in CRLF; the
 * digits between them are looked at by the decoder. */
static int
learn_base64(const char *text, size_t len, struct cargo_recipe *recipe,
    int64_t *size_r)
{
	const char *end;
	size_t line, digits = 0, at;

	for (recipe->final = 0; len >= 2 && is_crlf(text + len - 2); len -= 2)
		if (++recipe->final > CARGO_RECIPE_FINAL_MAX)
			return -1;
	end = memchr(text, '\n', len);
	line = end != NULL ? (size_t)(end - text) - 1 : len;
	recipe->line = end != NULL ? (int)line : 0;
	if (end == text || line < 4 ||
	    (end != NULL && line > CARGO_RECIPE_LINE_MAX))
		return -1;
	for (at = 0; len - at > line; at += line + 2, digits += line)
		if (len - at < line + 3 || !is_crlf(text + at + line))
			return -1;
	digits += len - at;
	if (digits < 4 || digits % 4 != 0)
		return -1;
	*size_r = (int64_t)(digits / 4 * 3) - (text[len - 1] == '=') -
	    (text[len - 1] == '=' && text[len - 2] == '=');
	recipe->encoding = CARGO_RECIPE_BASE64;
	return 0;
}

int
cargo_recipe_learn(const char *text, size_t len, enum mime_encoding encoding,
    struct cargo_recipe *recipe_r, int64_t *size_r)
{
	*recipe_r = none;
	*size_r = (int64_t)len;
	switch (encoding) {
	case MIME_7BIT:
	case MIME_8BIT:
	case MIME_BINARY:
		recipe_r->encoding = CARGO_RECIPE_IDENTITY;
		return 0;
	case MIME_BASE64:
		return learn_base64(text, len, recipe_r, size_r);
	case MIME_QUOTED_PRINTABLE:
		recipe_r->encoding = CARGO_RECIPE_QUOTED_PRINTABLE;
		*size_r = -1; /* known when it was decoded */
		return mail_qp_learn(text, len, &recipe_r->layout);
	default:
		return -1;
	}
}
