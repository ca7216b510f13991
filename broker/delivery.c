/* SPDX-License-Identifier: ISC
 *
 * Grouping of recipients: see delivery.h.
 */
#include "delivery.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

/* The open recipients with the same header lines as the first of them, which
 * is returned; -1 if all have their reply. */
static long
next_group(const struct envelope *envelope, size_t *group, size_t *count_r)
{
	long first = -1;

	*count_r = 0;
	for (size_t i = 0; i < envelope->count; i++) {
		const struct envelope_recipient *r = &envelope->recipients[i];

		if (r->reply[0] != '\0')
			continue;
		if (first < 0)
			first = (long)i;
		if (strcmp(r->prepend, envelope->recipients[first].prepend) ==
		    0)
			group[(*count_r)++] = i;
	}
	return first;
}

void
delivery_run(const struct smtp_client_options *options, delivery_send *send,
    struct envelope *envelope, const char *trace, const char *message,
    size_t len)
{
	size_t *group = x_calloc(envelope->count, sizeof(*group));
	struct smtp_client_message one = {
		.envelope = envelope,
		.recipients = group,
		.data = message,
		.len = len,
	};
	long first;

	while ((first = next_group(envelope, group, &one.count)) >= 0) {
		char *prepend = x_asprintf("%s%s",
		    envelope->recipients[first].prepend, trace);

		one.prepend = prepend;
		send(options, &one);
		free(prepend);
		/* A reply is due in any case, else this would not end. */
		for (size_t i = 0; i < one.count; i++)
			if (envelope->recipients[group[i]].reply[0] == '\0')
				envelope_reply(&envelope->recipients[group[i]],
				    "451 4.3.0", "No reply");
	}
	free(group);
}
