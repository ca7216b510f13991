/* SPDX-License-Identifier: ISC
 *
 * Parameters of structured fields: see mail_parameters.h. Parameters are
 * first read as they stand ("name*0*"), then joined and decoded.
 */
#include "mail_parameters.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "memory.h"
#include "utf8.h"

#define SECTIONS_MAX 100 /* of one name, RFC 2231, 3 */

/* A parameter as it stands: name*section* with its raw value. */
struct piece {
	char *name;
	int section; /* -1: whole */
	bool extended; /* percent encoding, in section 0 also a charset */
	char *value;
};

struct pieces {
	struct piece items[MAIL_PARAMETERS_MAX];
	size_t count;
};

static void
lower_ascii(char *text)
{
	for (; *text != '\0'; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text += 32;
}

char *
mail_text_clean(const char *text, size_t len, size_t max)
{
	char *clean = x_malloc(len * 3 + 1); /* U+FFFD is three bytes */
	size_t out = 0, bytes;
	uint32_t code;

	for (size_t at = 0; at < len; at += bytes) {
		char one[4];
		size_t more;

		bytes = utf8_decode(text + at, len - at, &code);
		if (bytes == 0) {
			bytes = 1;
			code = 0xfffd;
		}
		if (code < ' ' || (code >= 0x7f && code < 0xa0))
			continue;
		more = utf8_encode(code, one);
		if (out + more > max)
			break;
		memcpy(clean + out, one, more);
		out += more;
	}
	clean[out] = '\0';
	return clean;
}

/* ---- reading ----------------------------------------------------------- */

static const char *
skip_space(const char *at)
{
	while (*at == ' ' || *at == '(') {
		int depth = 0;

		if (*at == ' ') {
			at++;
			continue;
		}
		do { /* a comment, RFC 5322 */
			if (*at == '\\' && at[1] != '\0')
				at++;
			else if (*at == '(')
				depth++;
			else if (*at == ')')
				depth--;
			if (*at == '\0')
				return at;
			at++;
		} while (depth > 0);
	}
	return at;
}

/* A quoted string or the run up to white space or ";"; NULL if a quote stays
 * open. Owned by the caller. */
static char *
read_value(const char **at)
{
	const char *from = *at;
	char *value = x_malloc(strlen(from) + 1);
	size_t len = 0;

	if (*from == '"') {
		for (from++; *from != '"'; from++) {
			if (*from == '\\' && from[1] != '\0')
				from++;
			if (*from == '\0') {
				free(value);
				return NULL;
			}
			value[len++] = *from;
		}
		from++;
	} else
		while (*from != '\0' && *from != ' ' && *from != ';')
			value[len++] = *from++;
	value[len] = '\0';
	*at = from;
	return value;
}

/* Takes "*", "*N" or "*N*" off the end of the name. */
static int
split_name(struct piece *piece)
{
	char *star = strchr(piece->name, '*');
	int section = 0, digits = 0;

	piece->section = -1;
	if (star == NULL)
		return 0;
	*star++ = '\0';
	if (*star == '\0') {
		piece->extended = true;
		return 0;
	}
	for (; *star >= '0' && *star <= '9' && digits < 3; star++, digits++)
		section = section * 10 + (*star - '0');
	if (digits == 0 || section >= SECTIONS_MAX)
		return -1;
	if (*star == '*') {
		piece->extended = true;
		star++;
	}
	piece->section = section;
	return *star == '\0' ? 0 : -1;
}

static int
read_piece(const char **at, struct pieces *pieces)
{
	struct piece *piece;
	const char *from = skip_space(*at);
	size_t len = strcspn(from, "= ;\"");

	if (len == 0 || pieces->count == MAIL_PARAMETERS_MAX)
		return -1;
	piece = &pieces->items[pieces->count++];
	*piece = (struct piece){ .name = x_strndup(from, len) };
	lower_ascii(piece->name);
	if (split_name(piece) < 0 || piece->name[0] == '\0')
		return -1;
	from = skip_space(from + len);
	if (*from != '=')
		return -1;
	from = skip_space(from + 1);
	piece->value = read_value(&from);
	if (piece->value == NULL)
		return -1;
	*at = skip_space(from);
	return **at == ';' || **at == '\0' ? 0 : -1;
}

/* ---- RFC 2231 ---------------------------------------------------------- */

static int
hex_value(char digit)
{
	const char *digits = "0123456789abcdef";
	const char *at;

	if (digit >= 'A' && digit <= 'F')
		digit += 32;
	at = digit != '\0' ? strchr(digits, digit) : NULL;
	return at != NULL ? (int)(at - digits) : -1;
}

/* Undoes %XX in place; a percent that begins none stays. The new length. */
static size_t
percent_decode(char *text)
{
	size_t len = 0;

	for (const char *from = text; *from != '\0'; from++) {
		int high = *from == '%' ? hex_value(from[1]) : -1;
		int low = high >= 0 ? hex_value(from[2]) : -1;

		if (low >= 0) {
			text[len++] = (char)(high << 4 | low);
			from += 2;
		} else
			text[len++] = *from;
	}
	text[len] = '\0';
	return len;
}

/* Latin-1 as UTF-8, owned by the caller; others are taken for UTF-8. */
static char *
decode_charset(const char *charset, const char *text, size_t len)
{
	char *wide, *clean;
	size_t out = 0;

	if (strcasecmp(charset, "iso-8859-1") != 0)
		return mail_text_clean(text, len, len * 3);
	wide = x_malloc(len * 2 + 1);
	for (size_t i = 0; i < len; i++)
		out += utf8_encode((unsigned char)text[i], wide + out);
	clean = mail_text_clean(wide, out, out);
	free(wide);
	return clean;
}

/* Adds the bytes of one piece to text[*len]; the charset that the first
 * extended piece names goes to charset_r. */
static void
join_piece(struct piece *piece, char *text, size_t *len, char charset_r[32])
{
	char *value = piece->value;
	char *quote =
	    piece->extended && piece->section <= 0 ? strchr(value, '\'') : NULL;
	size_t bytes;

	if (quote != NULL && strchr(quote + 1, '\'') != NULL) {
		size_t name = (size_t)(quote - value);

		if (name < 32) {
			memcpy(charset_r, value, name);
			charset_r[name] = '\0';
		}
		value = strchr(quote + 1, '\'') + 1;
	}
	bytes = piece->extended ? percent_decode(value) : strlen(value);
	memcpy(text + *len, value, bytes);
	*len += bytes;
}

static struct piece *
find_piece(struct pieces *pieces, const char *name, int section)
{
	for (size_t i = 0; i < pieces->count; i++)
		if (pieces->items[i].section == section &&
		    strcmp(pieces->items[i].name, name) == 0)
			return &pieces->items[i];
	return NULL;
}

/* The value of `name` out of its pieces; sections win over a whole one, as
 * RFC 2231 says, an extended whole over a plain one. */
static char *
join(struct pieces *pieces, const char *name, size_t max)
{
	char charset[32] = "utf-8";
	char *text = x_malloc(max + 1), *value;
	struct piece *piece = find_piece(pieces, name, 0);
	size_t len = 0;

	if (piece != NULL)
		for (int section = 0; section < SECTIONS_MAX; section++) {
			piece = find_piece(pieces, name, section);
			if (piece == NULL)
				break;
			join_piece(piece, text, &len, charset);
		}
	else
		for (size_t i = 0; i < pieces->count; i++) {
			piece = &pieces->items[i];
			if (piece->section != -1 ||
			    strcmp(piece->name, name) != 0 ||
			    (len > 0 && !piece->extended))
				continue;
			len = 0;
			join_piece(piece, text, &len, charset);
		}
	value = decode_charset(charset, text, len);
	free(text);
	return value;
}

/* The same name, section and kind twice is one too many: who reads the first
 * and who reads the last would differ. */
static bool
has_duplicates(const struct pieces *pieces)
{
	for (size_t i = 0; i < pieces->count; i++)
		for (size_t j = 0; j < i; j++) {
			const struct piece *a = &pieces->items[i];
			const struct piece *b = &pieces->items[j];

			if (a->section == b->section &&
			    strcmp(a->name, b->name) == 0 &&
			    (a->section >= 0 || a->extended == b->extended))
				return true;
		}
	return false;
}

static void
pieces_free(struct pieces *pieces)
{
	for (size_t i = 0; i < pieces->count; i++) {
		free(pieces->items[i].name);
		free(pieces->items[i].value);
	}
}

int
mail_parameters_parse(const char *text, struct mail_parameters *list_r)
{
	struct pieces pieces = { .count = 0 };
	const char *at = skip_space(text);
	size_t max = strlen(text), len = strcspn(at, " ;(");
	int result = -1;

	*list_r = (struct mail_parameters){ .value = x_strndup(at, len) };
	lower_ascii(list_r->value);
	at = skip_space(at + len);
	while (*at == ';') {
		at = skip_space(at + 1);
		if (*at == '\0')
			break; /* a lone ";" at the end is common */
		if (*at != ';' && read_piece(&at, &pieces) < 0)
			goto out;
	}
	if (*at != '\0' || has_duplicates(&pieces))
		goto out;
	for (size_t i = 0; i < pieces.count; i++) {
		const char *name = pieces.items[i].name;

		if (mail_parameters_get(list_r, name) != NULL)
			continue;
		list_r->items[list_r->count].value = join(&pieces, name, max);
		list_r->items[list_r->count++].name = x_strdup(name);
	}
	result = 0;
out:
	pieces_free(&pieces);
	if (result < 0)
		mail_parameters_free(list_r);
	return result;
}

void
mail_parameters_free(struct mail_parameters *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].name);
		free(list->items[i].value);
	}
	free(list->value);
	*list = (struct mail_parameters){ .value = NULL };
}

const char *
mail_parameters_get(const struct mail_parameters *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i].name, name) == 0)
			return list->items[i].value;
	return NULL;
}
