/* SPDX-License-Identifier: ISC
 *
 * Allocation for the daemons: running out of memory aborts, systemd starts
 * the daemon again and whoever waited sees a temporary failure. Code of
 * libgrip does not use this module; it returns errors.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <stddef.h>

/* Never return NULL. The caller owns the result and frees it with free()
 * or x_free(). */
void *x_malloc(size_t size);
void *x_calloc(size_t count, size_t size);
void *x_realloc(void *old, size_t size);
char *x_strdup(const char *text);
char *x_strndup(const char *text, size_t max);
void *x_memdup(const void *data, size_t len);
char *x_asprintf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Frees *pointer (NULL is fine) and sets it to NULL. */
#define x_free(pointer) \
	do { \
		free(*(pointer)); \
		*(pointer) = NULL; \
	} while (0)

#endif
