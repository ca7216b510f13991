/* SPDX-License-Identifier: ISC
 *
 * The one way JSON comes in. A validator runs before cJSON: exact length,
 * valid UTF-8, no byte-order mark, no raw control bytes, no \u0000, member
 * names unique after decoding, integers only and within +-2^53, depth at
 * most 8, nothing after the value. cJSON accepts the contrary of each.
 * Returns errors, also for want of memory: libgrip stands on it.
 */
#ifndef JSON_STRICT_H
#define JSON_STRICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#define JSON_MAX_DEPTH 8
#define JSON_MAX_INTEGER 9007199254740992LL /* 2^53 */

/* The text of an error that does not lie in the bytes. */
#define JSON_NO_MEMORY "out of memory"

/* NULL if the bytes are good JSON in our sense, else a fixed text that says
 * what is wrong. */
const char *json_check(const char *data, size_t len);

/* Checks and parses. NULL with *error_r (fixed text) on failure. The caller
 * owns the tree: cJSON_Delete(). `error_r` may be NULL. */
cJSON *json_parse(const char *data, size_t len, const char **error_r);

/* The member's text, or NULL if it is absent or no string. */
const char *json_string(const cJSON *object, const char *name);

/* 0 and the value if the member is an integer within [min, max], else -1. */
int json_integer(const cJSON *object, const char *name, int64_t min,
    int64_t max, int64_t *value_r);

/* 1 true, 0 false, -1 absent or no boolean. */
int json_boolean(const cJSON *object, const char *name);

/* The member if it is an array or object, else NULL. */
const cJSON *json_array(const cJSON *object, const char *name);
const cJSON *json_object(const cJSON *object, const char *name);

/* True if `object` is an object whose members are all in the NULL-ended
 * list; the first that is not goes to *unknown_r (may be NULL). */
bool json_members_known(const cJSON *object, const char *const *names,
    const char **unknown_r);

/* True if it is an object with exactly these members, no more, no fewer. */
bool json_members_exact(const cJSON *object, const char *const *names);

/* Adds a member; -1 for want of memory. Integers beyond an int are written
 * exactly (cJSON alone would print them as floating point). */
int json_add_string(cJSON *object, const char *name, const char *value);
int json_add_integer(cJSON *object, const char *name, int64_t value);
int json_add_boolean(cJSON *object, const char *name, bool value);
int json_add_item(cJSON *object, const char *name, cJSON *item);

/* The object as compact text, owned by the caller (free()); NULL for want
 * of memory. */
char *json_format(const cJSON *value);

#endif
