/* SPDX-License-Identifier: ISC
 *
 * Names and text out of messages: whatever goes in, a safe base name and
 * harmless text come out.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "file_name.h"
#include "memory.h"
#include "terminal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_harmless(const char *text)
{
	size_t len;
	long code;

	for (; (len = file_name_next(text, &code)) > 0; text += len)
		if (file_name_code_is_bad(code))
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *hostile = x_strndup((const char *)data, size);
	char *name = file_name_clean(hostile, "fallback");
	char *shown = terminal_escape(hostile);

	if (strchr(name, '/') != NULL || name[0] == '.' || name[0] == '-' ||
	    name[0] == '\0' || strlen(name) > FILE_NAME_MAX_LEN)
		abort();
	check_harmless(name);
	check_harmless(shown);
	free(hostile);
	free(name);
	free(shown);
	return 0;
}
