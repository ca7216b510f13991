/* SPDX-License-Identifier: ISC
 *
 * The JSON validator, and that whatever passes it survives cJSON, printing
 * and a second pass.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "json_strict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cJSON *value = json_parse((const char *)data, size, NULL);
	char *text;

	if (value == NULL)
		return 0;
	text = json_format(value);
	if (text != NULL && json_check(text, strlen(text)) != NULL)
		abort();
	free(text);
	cJSON_Delete(value);
	return 0;
}
