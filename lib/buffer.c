/* SPDX-License-Identifier: ISC
 *
 * A growing run of bytes with a hard limit. Holds hostile bytes, looks at
 * none of them. data[len] is always NUL once something was added.
 */
#include "buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
buffer_init(struct buffer *buffer, size_t max)
{
	memset(buffer, 0, sizeof(*buffer));
	buffer->max = max;
}

void
buffer_free(struct buffer *buffer)
{
	size_t max = buffer->max;

	free(buffer->data);
	buffer_init(buffer, max);
}

char *
buffer_reserve(struct buffer *buffer, size_t len)
{
	size_t need, size;
	char *data;

	if (buffer->failed || len > buffer->max ||
	    buffer->len > buffer->max - len) {
		buffer->failed = true;
		return NULL;
	}
	need = buffer->len + len + 1;
	if (need > buffer->size) {
		size = buffer->size < 128 ? 256 : buffer->size * 2;
		if (size > buffer->max + 1)
			size = buffer->max + 1;
		if (size < need)
			size = need;
		data = realloc(buffer->data, size);
		if (data == NULL) {
			buffer->failed = true;
			return NULL;
		}
		buffer->data = data;
		buffer->size = size;
	}
	return buffer->data + buffer->len;
}

int
buffer_add(struct buffer *buffer, const void *data, size_t len)
{
	char *room = buffer_reserve(buffer, len);

	if (room == NULL)
		return -1;
	if (len > 0)
		memcpy(room, data, len);
	buffer->len += len;
	buffer->data[buffer->len] = '\0';
	return 0;
}

int
buffer_add_string(struct buffer *buffer, const char *text)
{
	return buffer_add(buffer, text, strlen(text));
}

int
buffer_add_format(struct buffer *buffer, const char *format, ...)
{
	va_list args;
	char *text = NULL;
	int len, rc;

	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	if (len < 0) {
		buffer->failed = true;
		return -1;
	}
	rc = buffer_add(buffer, text, (size_t)len);
	free(text);
	return rc;
}

void
buffer_consume(struct buffer *buffer, size_t len)
{
	if (len >= buffer->len)
		len = buffer->len;
	if (len == 0)
		return;
	memmove(buffer->data, buffer->data + len, buffer->len - len);
	buffer->len -= len;
	buffer->data[buffer->len] = '\0';
}

void
buffer_clear(struct buffer *buffer)
{
	buffer->len = 0;
	buffer->failed = false;
	if (buffer->data != NULL)
		buffer->data[0] = '\0';
}

const char *
buffer_string(const struct buffer *buffer)
{
	return buffer->data != NULL ? buffer->data : "";
}
