/* SPDX-License-Identifier: ISC
 *
 * File names out of messages. They are hostile: what is left of one is a
 * base name that no shell, terminal or directory can be fooled with.
 */
#ifndef FILE_NAME_H
#define FILE_NAME_H

#include <stddef.h>

/* Longest name made, in bytes; leaves room for "-999" and a temporary
 * name below the 255 of most file systems. */
#define FILE_NAME_MAX_LEN 200

/*
 * A safe name made of `hostile` (may be NULL): what follows the last slash
 * or backslash, without control, direction-changing and invisible
 * characters or bad UTF-8 (each becomes "_"), without leading dots, dashes
 * and blanks or trailing dots and blanks, and at most FILE_NAME_MAX_LEN
 * bytes long with its extension kept. If nothing is left it is `fallback`.
 * The caller frees.
 */
char *file_name_clean(const char *hostile, const char *fallback);

/* "scan.mp4" and 2 become "scan-2.mp4"; for a name already taken. The
 * caller frees. */
char *file_name_number(const char *name, unsigned number);

/*
 * The next character of UTF-8 text: its length in bytes and its code point
 * in *code_r; 0 at the end. A byte that begins no valid character (also
 * overlong forms and surrogates) counts as one and gives the code -1.
 */
size_t file_name_next(const char *text, long *code_r);

/* 1 for characters that must reach neither a terminal nor a file name:
 * controls, line separators, direction marks, invisible ones, and -1. */
int file_name_code_is_bad(long code);

#endif
