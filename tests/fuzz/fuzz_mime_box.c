/* SPDX-License-Identifier: ISC
 *
 * What happens inside the MIME box: the look before libetpan, libetpan, and
 * the list that it becomes. Offsets must lie within the message.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mime_box.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mime_parts parts;
	/* libetpan looks one byte beyond the end it was given. */
	char *message = malloc(size + 1);

	memcpy(message, data, size);
	message[size] = '\0';
	if (mime_box_parse(message, size, &parts, NULL) == OUTCOME_OK)
		for (size_t i = 0; i < parts.count; i++) {
			const struct mime_part *p = &parts.parts[i];

			if (p->end > size || p->body > p->end)
				abort();
		}
	mime_parts_free(&parts);
	free(message);
	return 0;
}
