/* SPDX-License-Identifier: ISC
 *
 * Allocation that aborts instead of failing; see memory.h for why.
 */
#include "memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

static void *
memory_checked(void *pointer)
{
	if (pointer == NULL)
		log_panic("out of memory");
	return pointer;
}

void *
x_malloc(size_t size)
{
	return memory_checked(malloc(size > 0 ? size : 1));
}

void *
x_calloc(size_t count, size_t size)
{
	if (count == 0 || size == 0)
		count = size = 1;
	return memory_checked(calloc(count, size));
}

void *
x_realloc(void *old, size_t size)
{
	return memory_checked(realloc(old, size > 0 ? size : 1));
}

char *
x_strdup(const char *text)
{
	return memory_checked(strdup(text));
}

char *
x_strndup(const char *text, size_t max)
{
	return memory_checked(strndup(text, max));
}

void *
x_memdup(const void *data, size_t len)
{
	void *copy = x_malloc(len);

	if (len > 0)
		memcpy(copy, data, len);
	return copy;
}

char *
x_asprintf(const char *format, ...)
{
	va_list args;
	char *text = NULL;
	int len;

	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	return memory_checked(len < 0 ? NULL : text);
}
