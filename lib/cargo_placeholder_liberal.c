/* SPDX-License-Identifier: ISC
 *
 * For the reader's own program: what providers made of a placeholder on its
 * way is read around. Parameters that are gone are learnt from where else they
 * stand; a part that cannot be read becomes a finding.
 */
#include "cargo_placeholder_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "mail_header.h"
#include "mail_parameters.h"
#include "memory.h"

/* "1.3": which child of which child. */
static void
format_number(const struct mime_parts *parts, size_t index, char number_r[32])
{
	char tail[32] = "";

	snprintf(number_r, 32, "%s", parts->parts[index].parent < 0 ? "1" : "");
	while (parts->parts[index].parent >= 0) {
		int parent = parts->parts[index].parent;
		unsigned rank = 0;

		for (size_t i = 0; i <= index; i++)
			rank += parts->parts[i].parent == parent;
		memcpy(tail, number_r, sizeof(tail));
		snprintf(number_r, 32, "%u%s%.20s", rank,
		    tail[0] != '\0' ? "." : "", tail);
		index = (size_t)parent;
	}
}

/* A part that cannot be read becomes a finding, the others are read on. */
enum outcome
placeholder_note_finding(struct placeholder_reading *reading, size_t index,
    const char *text)
{
	struct cargo_placeholder *p = reading->placeholder;
	struct cargo_findings *findings = reading->findings;
	struct cargo_finding *finding;

	if (p->count > 0 && p->resources[p->count - 1].part == index)
		placeholder_resource_free(&p->resources[--p->count]);
	if (findings->count < CARGO_MAX_FINDINGS) {
		finding = &findings->items[findings->count++];
		finding->text = text;
		format_number(&p->parts, index, finding->number);
	}
	return OUTCOME_OK;
}

/* What stands in for lost parameters: of the header field. Taken as it is,
 * since all of it is looked at again where it is used. */
static void
learn_from_header(struct placeholder_reading *reading, size_t len)
{
	struct placeholder_common *instead = &reading->instead;
	struct mail_parameters list;
	const char *value;
	size_t count;
	char *text = placeholder_get_origin(reading->message, len, &count);

	if (text == NULL || count > 1 ||
	    mail_parameters_parse(text, &list) < 0) {
		free(text);
		return;
	}
	free(text);
	instead->origin = x_strdup(list.value);
	if ((value = mail_parameters_get(&list, "share")) != NULL)
		instead->share = x_strdup(value);
	if ((value = mail_parameters_get(&list, "expiration")) == NULL ||
	    clock_parse_mail(value, &instead->expires) < 0)
		instead->expires = 0;
	mail_parameters_free(&list);
	instead->category =
	    mail_header_get(reading->message, len, CARGO_FIELD_CATEGORY);
}

/* And what the header has not, of the first part that has it. */
static void
learn_from_part(struct placeholder_reading *reading, size_t index)
{
	const struct mime_part *part =
	    &reading->placeholder->parts.parts[index];
	struct placeholder_common *instead = &reading->instead, common;
	struct mail_parameters list;
	char *text;

	if (strcmp(part->type, "message/external-body") != 0 ||
	    mime_part_is_embedded(&reading->placeholder->parts, index))
		return;
	text = mail_header_get(reading->message + part->start,
	    part->body - part->start, "Content-Type");
	if (text != NULL && mail_parameters_parse(text, &list) == 0) {
		if (placeholder_is_ours(reading, &list) &&
		    placeholder_read_common(reading, &list, &common) == NULL) {
			placeholder_common_free(instead);
			*instead = common;
		}
		mail_parameters_free(&list);
	}
	free(text);
}

void
placeholder_learn(struct placeholder_reading *reading, size_t header)
{
	const struct mime_parts *parts = &reading->placeholder->parts;

	learn_from_header(reading, header);
	for (size_t i = 0; i < parts->count && reading->instead.share == NULL;
	     i++)
		learn_from_part(reading, i);
}
