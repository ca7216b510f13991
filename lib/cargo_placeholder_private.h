/* SPDX-License-Identifier: ISC
 *
 * What the files of cargo_placeholder share. Nobody else includes it.
 */
#ifndef CARGO_PLACEHOLDER_PRIVATE_H
#define CARGO_PLACEHOLDER_PRIVATE_H

#include "cargo_placeholder.h"
#include "mail_parameters.h"

/* What all external bodies of a message say alike. */
struct placeholder_common {
	char *origin, *share, *category; /* NULL: not known */
	int64_t expires; /* 0: not known */
};

/* A message while it is read. */
struct placeholder_reading {
	const char *message;
	struct cargo_placeholder *placeholder;
	struct reason *why;
	const char *refusal; /* the last: a fixed text */
	/* Only for the reader's own program, NULL else: what could not be
	 * read, and what stands in for parameters that are gone. */
	struct cargo_findings *findings;
	struct placeholder_common instead;
};

/* Notes the refusal; OUTCOME_PERMFAIL. */
enum outcome placeholder_refuse(struct placeholder_reading *reading,
    const char *word, const char *text);

void placeholder_resource_free(struct cargo_resource *resource);

/* The origin field, whichever its spelling; *count_r: how many there are.
 * Owned by the caller. */
char *placeholder_get_origin(const char *message, size_t len, size_t *count_r);

/* ---- one external body ---- */

/* Looks at one part; one that is not ours is left alone. */
enum outcome
placeholder_read_part(struct placeholder_reading *reading, size_t index);

/* Ours by the access type. There is none without one (RFC 2046, 5.2.3): the
 * reader's program takes it for one of ours that lost it. */
bool placeholder_is_ours(const struct placeholder_reading *reading,
    const struct mail_parameters *list);

/* Why the four cannot be read, NULL if they can; then placeholder_common_free
 * is the caller's to call. */
const char *placeholder_read_common(const struct placeholder_reading *reading,
    const struct mail_parameters *list, struct placeholder_common *common_r);
void placeholder_common_free(struct placeholder_common *common);

/* The category in lower case, or NULL if it is none. Owned by the caller. */
char *placeholder_read_category(const char *text);
/* The same text, or neither there. */
bool placeholder_same_text(const char *a, const char *b);

/* ---- for the reader's own program ---- */

/* Fills `instead` from the header (its first `header` bytes), and what that
 * has not from the first part that has it. */
void placeholder_learn(struct placeholder_reading *reading, size_t header);

/* A part that cannot be read becomes a finding, the others are read on. */
enum outcome placeholder_note_finding(struct placeholder_reading *reading,
    size_t index, const char *text);

#endif
