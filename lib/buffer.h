/* SPDX-License-Identifier: ISC
 *
 * A growing run of bytes with a hard limit. An addition that fails (limit
 * or memory) sets `failed` and all later ones do nothing, so a caller may
 * add many times and look once.
 */
#ifndef BUFFER_H
#define BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct buffer {
	char *data; /* NUL-terminated after every addition */
	size_t len; /* bytes, without that NUL */
	size_t size; /* allocated */
	size_t max; /* limit for len */
	bool failed;
};

/* `max` in bytes; nothing is allocated yet. */
void buffer_init(struct buffer *buffer, size_t max);

/* Frees the bytes; the buffer may be used again (same limit). */
void buffer_free(struct buffer *buffer);

/* 0, or -1 if the buffer has failed. */
int buffer_add(struct buffer *buffer, const void *data, size_t len);
int buffer_add_string(struct buffer *buffer, const char *text);
int buffer_add_format(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Makes room for `len` more bytes and returns where they go, or NULL; the
 * caller then adds what it wrote there to buffer->len. */
char *buffer_reserve(struct buffer *buffer, size_t len);

/* Drops the first `len` bytes (at most buffer->len). */
void buffer_consume(struct buffer *buffer, size_t len);

/* Forgets the content and a failure, keeps the memory. */
void buffer_clear(struct buffer *buffer);

/* The bytes as a C string, "" if there are none. Owned by the buffer. */
const char *buffer_string(const struct buffer *buffer);

#endif
