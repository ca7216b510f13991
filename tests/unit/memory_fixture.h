/* SPDX-License-Identifier: ISC
 *
 * cJSON without memory: what cannot be read for want of it must not be refused
 * for good.
 */
#ifndef MEMORY_FIXTURE_H
#define MEMORY_FIXTURE_H

#include <stdlib.h>

#include <cjson/cJSON.h>

#include "outcome.h"
#include "test.h"

/* How many times cJSON still gets memory. */
static int allocations;

static inline void *
short_of_memory(size_t size)
{
	return allocations-- > 0 ? malloc(size) : NULL;
}

/* Reads `text` with one allocation more each time, until it can be read: each
 * time before it is TEMPFAIL "memory". How often that was. */
static inline int
read_short_of_memory(enum outcome (*read)(const char *text, struct reason *why),
    const char *text)
{
	cJSON_Hooks hooks = { short_of_memory, free };
	struct reason why = { 0 };
	enum outcome outcome;
	int failed = 0;

	cJSON_InitHooks(&hooks);
	for (;; failed++) {
		allocations = failed;
		outcome = read(text, &why);
		if (outcome == OUTCOME_OK)
			break;
		CHECK_FOR(outcome == OUTCOME_TEMPFAIL &&
			reason_is(&why, "memory"),
		    "%d: %s: %s", failed, why.word, why.text);
	}
	cJSON_InitHooks(NULL);
	return failed;
}

#endif
