/* SPDX-License-Identifier: ISC
 *
 * Authentication-Results and tag lists: see auth_results.h.
 */
#include "auth_results.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "memory.h"

static int
lower(int byte)
{
	return byte >= 'A' && byte <= 'Z' ? byte + 32 : byte;
}

/* Behind a comment or quoted string that begins at `at`; NULL if it stays
 * open. */
static const char *
skip(const char *at)
{
	int depth = 0;
	bool quoted = *at == '"';

	for (const char *start = at; *at != '\0'; at++) {
		if (*at == '\\' && at[1] != '\0') {
			at++;
			continue;
		}
		if (quoted) {
			if (*at == '"' && at > start)
				return at + 1;
			continue;
		}
		depth += *at == '(';
		depth -= *at == ')';
		if (depth == 0)
			return at + 1;
	}
	return NULL;
}

/* The text without comments, with single spaces, none round "=" and ";".
 * NULL if a comment or a quote stays open. Quoted strings lose their quotes
 * and what would end a value in them. */
static char *
simplify(const char *text)
{
	char *plain = x_malloc(strlen(text) + 2);
	size_t len = 0;

	while (*text != '\0') {
		const char *end = text + 1;

		if ((*text == '(' || *text == '"') &&
		    (end = skip(text)) == NULL) {
			free(plain);
			return NULL;
		}
		if (*text == '"') {
			for (const char *at = text + 1; at < end - 1; at++)
				if (strchr(" ;=\\\"", *at) == NULL)
					plain[len++] = *at;
		} else if (*text == ' ' || *text == '(') {
			if (len > 0 && strchr(" =;", plain[len - 1]) == NULL)
				plain[len++] = ' ';
		} else {
			if ((*text == '=' || *text == ';') && len > 0 &&
			    plain[len - 1] == ' ')
				len--;
			plain[len++] = *text;
		}
		text = end;
	}
	plain[len] = '\0';
	return plain;
}

static void
copy(char *target, size_t size, const char *value, bool to_lower)
{
	size_t len = strlen(value);

	/* What does not fit is not known: nothing will match it. */
	if (len >= size)
		len = 0;
	for (size_t i = 0; i < len; i++)
		target[i] =
		    to_lower ? (char)lower((unsigned char)value[i]) : value[i];
	target[len] = '\0';
}

/* "dkim=pass reason=x header.d=foo.test header.b=abc" */
static void
read_result(char *text, struct auth_results *results)
{
	struct auth_result *r;
	char *word = strsep(&text, " "), *value = strchr(word, '=');

	if (value == NULL || results->count == AUTH_RESULTS_MAX)
		return;
	*value++ = '\0';
	word[strcspn(word, "/")] = '\0'; /* the method's version */
	r = &results->list[results->count++];
	memset(r, 0, sizeof(*r));
	copy(r->method, sizeof(r->method), word, true);
	copy(r->result, sizeof(r->result), value, true);
	while ((word = strsep(&text, " ")) != NULL) {
		value = strchr(word, '=');
		if (value == NULL)
			continue;
		*value++ = '\0';
		if (strcasecmp(word, "header.d") == 0)
			copy(r->domain, sizeof(r->domain), value, true);
		else if (strcasecmp(word, "header.s") == 0)
			copy(r->selector, sizeof(r->selector), value, true);
		else if (strcasecmp(word, "header.b") == 0)
			copy(r->signature, sizeof(r->signature), value, false);
	}
}

int
auth_results_parse(const char *text, struct auth_results *results_r)
{
	char *plain = simplify(text), *rest = plain, *word;

	results_r->authserv_id[0] = '\0';
	results_r->count = 0;
	if (plain == NULL)
		return -1;
	word = strsep(&rest, ";");
	word[strcspn(word, " ")] = '\0'; /* a version may follow */
	copy(results_r->authserv_id, sizeof(results_r->authserv_id), word,
	    true);
	while ((word = strsep(&rest, ";")) != NULL)
		read_result(word, results_r);
	free(plain);
	return results_r->authserv_id[0] != '\0' ? 0 : -1;
}

char *
auth_results_tag(const char *list, const char *tag)
{
	char *plain = x_strdup(list), *rest = plain, *word, *found = NULL;
	size_t len = 0;

	/* White space has no meaning in a tag list but as an end of words,
	 * and no value that we read has words. */
	for (const char *at = list; *at != '\0'; at++)
		if (*at != ' ')
			plain[len++] = *at;
	plain[len] = '\0';
	while ((word = strsep(&rest, ";")) != NULL) {
		char *value = strchr(word, '=');

		if (value == NULL)
			continue;
		*value++ = '\0';
		if (strcmp(word, tag) != 0)
			continue;
		if (found != NULL)
			found[0] = '\0';
		else
			found = x_strdup(value);
	}
	free(plain);
	return found;
}
