/* SPDX-License-Identifier: ISC
 *
 * Mail addresses: see mail_address.h. A domain with characters beyond ASCII
 * is turned into A-labels by Punycode (RFC 3492) without any mapping: one
 * that is not in normal form already gives a name that does not exist.
 */
#include "mail_address.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "smtp_line.h"
#include "utf8.h"

#define LOCAL_MAX 64
#define LABEL_MAX 63
#define DOMAIN_MAX 253

/* Text under construction in an array of fixed size. */
struct fixed {
	char *text;
	size_t len, max; /* max without the NUL */
};

static int
fixed_add(struct fixed *out, int byte)
{
	if (out->len >= out->max)
		return -1;
	out->text[out->len++] = (char)byte;
	out->text[out->len] = '\0';
	return 0;
}

static int
lower(int byte)
{
	return byte >= 'A' && byte <= 'Z' ? byte + 32 : byte;
}

/* atext of RFC 5322 and what RFC 6531 adds; a dot counts, too. */
static int
is_atom(unsigned char byte)
{
	return byte >= 0x80 || isalnum(byte) ||
	    (byte != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.", byte) != NULL);
}

static int
needs_quotes(const char *local)
{
	size_t len = strlen(local);

	if (local[0] == '.' || local[len - 1] == '.' ||
	    strstr(local, "..") != NULL)
		return 1;
	for (size_t i = 0; i < len; i++)
		if (!is_atom((unsigned char)local[i]))
			return 1;
	return 0;
}

/* Reads the local part at `text`, unquoted, into local_r; the length read
 * (the "@" stands behind it), or 0. */
static size_t
read_local(const char *text, char local_r[LOCAL_MAX * 2 + 1])
{
	struct fixed out = { local_r, 0, LOCAL_MAX * 2 };
	size_t at = 0;

	local_r[0] = '\0';
	if (text[0] != '"') {
		while (is_atom((unsigned char)text[at]))
			if (fixed_add(&out, text[at++]) < 0)
				return 0;
		return needs_quotes(local_r[0] ? local_r : ".") ? 0 : at;
	}
	for (at = 1; text[at] != '"'; at++) {
		if (text[at] == '\\')
			at++;
		if ((unsigned char)text[at] < ' ' || text[at] == 0x7f ||
		    fixed_add(&out, text[at]) < 0)
			return 0;
	}
	return out.len > 0 ? at + 1 : 0;
}

/* ---- domains ----------------------------------------------------------- */

static uint32_t
punycode_adapt(uint32_t delta, uint32_t points, int first)
{
	uint32_t k = 0;

	delta = first ? delta / 700 : delta / 2;
	for (delta += delta / points; delta > 455; k += 36)
		delta /= 35;
	return k + 36 * delta / (delta + 38);
}

static int
punycode_number(uint32_t number, uint32_t bias, struct fixed *out)
{
	for (uint32_t k = 36;; k += 36) {
		uint32_t t = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
		uint32_t digit;

		if (number < t)
			return fixed_add(out,
			    (int)(number < 26 ? 'a' + number :
						'0' + number - 26));
		digit = t + (number - t) % (36 - t);
		if (fixed_add(out,
			(int)(digit < 26 ? 'a' + digit : '0' + digit - 26)) < 0)
			return -1;
		number = (number - t) / (36 - t);
	}
}

/* RFC 3492, 6.3; `count` is at most LABEL_MAX, so nothing overflows. */
static int
punycode_label(const uint32_t *codes, uint32_t count, struct fixed *out)
{
	uint32_t n = 128, delta = 0, bias = 72, basic = 0, done;

	for (uint32_t i = 0; i < count; i++)
		if (codes[i] < 128) {
			if (fixed_add(out, (int)codes[i]) < 0)
				return -1;
			basic++;
		}
	if (basic > 0 && fixed_add(out, '-') < 0)
		return -1;
	for (done = basic; done < count; delta++, n++) {
		uint32_t least = UINT32_MAX;

		for (uint32_t i = 0; i < count; i++)
			if (codes[i] >= n && codes[i] < least)
				least = codes[i];
		delta += (least - n) * (done + 1);
		n = least;
		for (uint32_t i = 0; i < count; i++) {
			delta += codes[i] < n;
			if (codes[i] != n)
				continue;
			if (punycode_number(delta, bias, out) < 0)
				return -1;
			bias = punycode_adapt(delta, done + 1, done == basic);
			delta = 0;
			done++;
		}
	}
	return 0;
}

static int
normalise_label(const char *text, size_t len, struct fixed *out)
{
	uint32_t codes[LABEL_MAX];
	char label[LABEL_MAX + 1] = "";
	struct fixed one = { label, 0, LABEL_MAX };
	uint32_t count = 0;
	int ascii = 1;

	for (size_t at = 0, bytes; at < len; at += bytes) {
		bytes = count < LABEL_MAX ?
		    utf8_decode(text + at, len - at, &codes[count]) :
		    0;
		if (bytes == 0)
			return -1;
		if (codes[count] < 0x80) {
			codes[count] = (uint32_t)lower((int)codes[count]);
			if (!isalnum((int)codes[count]) &&
			    codes[count] != '-' && codes[count] != '_')
				return -1;
		} else {
			if (codes[count] < 0xa0)
				return -1; /* C1 controls */
			ascii = 0;
		}
		count++;
	}
	if (count == 0)
		return -1;
	for (const char *p = ascii ? "" : "xn--"; *p != '\0'; p++)
		fixed_add(&one, *p);
	if (ascii)
		for (uint32_t i = 0; i < count; i++)
			fixed_add(&one, (int)codes[i]);
	else if (punycode_label(codes, count, &one) < 0)
		return -1;
	for (size_t i = 0; i < one.len; i++)
		if (fixed_add(out, label[i]) < 0)
			return -1;
	return 0;
}

int
mail_address_normalise_domain(const char *domain, size_t len,
    char normal_r[256])
{
	struct fixed out = { normal_r, 0, DOMAIN_MAX };
	size_t start = 0;

	normal_r[0] = '\0';
	for (size_t at = 0; at <= len; at++) {
		if (at < len && domain[at] != '.')
			continue;
		if (start > 0 && fixed_add(&out, '.') < 0)
			return -1;
		if (normalise_label(domain + start, at - start, &out) < 0)
			return -1;
		start = at + 1;
	}
	return 0;
}

/* ---- whole addresses --------------------------------------------------- */

int
mail_address_normalise(const char *address, char normal_r[MAIL_ADDRESS_SIZE])
{
	char local[LOCAL_MAX * 2 + 1], domain[256];
	struct fixed out = { normal_r, 0, MAIL_ADDRESS_SIZE - 1 };
	size_t at = read_local(address, local);
	int quotes;

	normal_r[0] = '\0';
	if (at == 0 || address[at] != '@' || strlen(local) > LOCAL_MAX ||
	    !utf8_valid(local, strlen(local)) ||
	    mail_address_normalise_domain(address + at + 1,
		strlen(address + at + 1), domain) < 0)
		return -1;
	quotes = needs_quotes(local);
	if (quotes)
		fixed_add(&out, '"');
	for (size_t i = 0; local[i] != '\0'; i++) {
		if (quotes && (local[i] == '"' || local[i] == '\\'))
			fixed_add(&out, '\\');
		fixed_add(&out, lower((unsigned char)local[i]));
	}
	if (quotes)
		fixed_add(&out, '"');
	fixed_add(&out, '@');
	for (size_t i = 0; domain[i] != '\0'; i++)
		if (fixed_add(&out, domain[i]) < 0)
			return -1;
	return 0;
}

const char *
mail_address_domain(const char *normal)
{
	const char *at = strrchr(normal, '@');

	return at != NULL ? at + 1 : "";
}

int
mail_address_strip(const char *normal, const char *delimiters,
    char base_r[MAIL_ADDRESS_SIZE])
{
	const char *at = strrchr(normal, '@');
	size_t base;

	if (at == NULL || at == normal || normal[0] == '"')
		return 0;
	base = 1 + strcspn(normal + 1, delimiters);
	if (normal + base >= at)
		return 0;
	snprintf(base_r, MAIL_ADDRESS_SIZE, "%.*s%s", (int)base, normal, at);
	return 1;
}

int
mail_address_parse_path(const char *text, const char **end_r,
    char path_r[MAIL_ADDRESS_SIZE])
{
	const char *start = text + 1;
	int quoted = 0;
	size_t len;

	if (text[0] != '<')
		return -1;
	if (*start == '@') { /* source route (RFC 5321, appendix C): dropped */
		start = strchr(start, ':');
		if (start == NULL)
			return -1;
		start++;
	}
	for (len = 0; quoted || start[len] != '>'; len++) {
		unsigned char byte = (unsigned char)start[len];

		if (byte == '"')
			quoted = !quoted;
		else if (byte == '\\' && quoted)
			byte = (unsigned char)start[++len];
		else if (!quoted && (byte == ' ' || byte == '<'))
			return -1;
		if (byte < ' ' || byte == 0x7f)
			return -1;
	}
	if (len >= MAIL_ADDRESS_SIZE || !utf8_valid(start, len))
		return -1;
	memcpy(path_r, start, len);
	path_r[len] = '\0';
	*end_r = start + len + 1;
	return 0;
}

/* Undoes the "\x{F3}" of RFC 6533, section 3, in which an address with other
 * than ASCII travels; UTF-8 as such stays. 0, or -1. */
static int
decode_unicode(const char *value, char *plain_r, size_t size)
{
	size_t len = 0;

	while (*value != '\0') {
		unsigned long code;
		char *end;

		if (len + 4 >= size)
			return -1;
		if (strncmp(value, "\\x{", 3) != 0) {
			plain_r[len++] = *value++;
			continue;
		}
		if (!isxdigit((unsigned char)value[3]))
			return -1;
		code = strtoul(value + 3, &end, 16);
		if (*end != '}' || code > 0x10ffff)
			return -1;
		len += utf8_encode((uint32_t)code, plain_r + len);
		value = end + 1;
	}
	plain_r[len] = '\0';
	return 0;
}

int
mail_address_parse_orcpt(const char *orcpt, char normal_r[MAIL_ADDRESS_SIZE])
{
	char plain[MAIL_ADDRESS_SIZE];
	int failed;

	if (strncasecmp(orcpt, "utf-8;", 6) == 0)
		failed = decode_unicode(orcpt + 6, plain, sizeof(plain));
	else if (strncasecmp(orcpt, "rfc822;", 7) == 0)
		failed =
		    smtp_line_decode_xtext(orcpt + 7, plain, sizeof(plain));
	else
		return -1;
	return failed < 0 ? -1 : mail_address_normalise(plain, normal_r);
}
