/* SPDX-License-Identifier: ISC
 *
 * Configuration files: `key = value` lines, `#` comments, a line that starts
 * with white space continues the one before (as in Postfix's main.cf). Each
 * daemon declares its keys once, in a table that the reader, `-n` and the
 * test of the manual use. An unknown key, a bad value or a key given twice
 * is an error that names file, line and key; nothing starts. A key that an
 * older version knew stays in the table, with what to do about it.
 *
 * Written by hand because the grammar is one line and no library of the set
 * reads such files.
 */
#ifndef CONFIG_FILE_H
#define CONFIG_FILE_H

#include <stddef.h>
#include <stdint.h>

enum config_type {
	CONFIG_STRING, /* char *, owned by the target */
	CONFIG_LIST, /* struct config_list: commas and white space */
	CONFIG_INTEGER, /* int64_t */
	CONFIG_SIZE, /* int64_t bytes; suffix K, M, G (1024-based) */
	CONFIG_DURATION, /* int64_t seconds; suffix s, m, h, d */
	CONFIG_BOOLEAN, /* int: yes or no */
	CONFIG_CHOICE, /* int: index into `choices` */
	CONFIG_GONE, /* an older version's: an error that says `fallback` */
};

struct config_list {
	char **items;
	size_t count;
};

struct config_key {
	const char *name;
	enum config_type type;
	size_t offset; /* offsetof() in the target struct */
	const char *fallback; /* default as text; NULL: must be given */
	int64_t min, max; /* for numbers; both 0: any >= 0 */
	const char *const *choices; /* NULL-ended, for CONFIG_CHOICE */
};

/* A key that is no more, and what to do about it, as "use new_key". */
#define CONFIG_OLD(key, advice) \
	{ \
		key, CONFIG_GONE, 0, advice, 0, 0, NULL \
	}

/*
 * Fills *target (which must be zeroed) from `path` and the defaults; `keys`
 * ends with a NULL name. Returns 0, or -1 with *error_r (one line, owned by
 * the caller: free()).
 */
int config_file_read(const char *path, const struct config_key *keys,
    void *target, char **error_r);

/* The same for somebody who needs few of the keys: others are passed over. */
int config_file_peek(const char *path, const struct config_key *keys,
    void *target, char **error_r);

/* The same from memory; `name` stands for the path in errors. */
int config_file_parse(const char *name, const char *text, size_t len,
    const struct config_key *keys, void *target, char **error_r);

/* Frees the strings and lists in *target and zeroes them. */
void config_file_free(const struct config_key *keys, void *target);

/* 1 if the list has this item (exact). */
int config_list_has(const struct config_list *list, const char *item);

#endif
