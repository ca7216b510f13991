/* SPDX-License-Identifier: ISC
 *
 * The three outcomes and their reasons. No allocation, no hostile input but
 * the text that a reason quotes.
 */
#include "outcome.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const outcome_names[] = { "ok", "tempfail", "permfail" };

enum outcome
reason_set(struct reason *why, enum outcome outcome, const char *word,
    const char *format, ...)
{
	va_list args;

	if (why == NULL)
		return outcome;
	why->outcome = outcome;
	snprintf(why->word, sizeof(why->word), "%s", word);
	va_start(args, format);
	vsnprintf(why->text, sizeof(why->text), format, args);
	va_end(args);
	return outcome;
}

bool
reason_is(const struct reason *why, const char *word)
{
	return why != NULL && strcmp(why->word, word) == 0;
}

const char *
outcome_name(enum outcome outcome)
{
	if (outcome > OUTCOME_PERMFAIL)
		outcome = OUTCOME_TEMPFAIL; /* unknown is temporary */
	return outcome_names[outcome];
}

int
outcome_parse(const char *name, enum outcome *outcome_r)
{
	for (unsigned i = 0; i <= OUTCOME_PERMFAIL; i++)
		if (name != NULL && strcmp(name, outcome_names[i]) == 0) {
			*outcome_r = (enum outcome)i;
			return 0;
		}
	return -1;
}
