/* SPDX-License-Identifier: ISC
 *
 * TXT records: what is read can be written and read again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "grip_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct grip_record record, again;
	char text[GRIP_RECORD_TEXT_SIZE];

	if (grip_record_parse(data, size, &record) != 0)
		return 0;
	grip_record_format(&record, text);
	if (grip_record_parse(text, strlen(text), &again) != 0 ||
	    memcmp(&record, &again, sizeof(record)) != 0)
		abort();
	return 0;
}
