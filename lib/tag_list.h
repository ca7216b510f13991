/* SPDX-License-Identifier: ISC
 *
 * Tag lists in TXT records, "v=grip1; h=sha256; p=...", one tag after the
 * other. Reads hostile text, allocates nothing.
 *
 * Written by hand: no library of the set knows them, and it is one line of
 * text. Fuzzed by fuzz_grip_record and fuzz_cargo_record.
 */
#ifndef TAG_LIST_H
#define TAG_LIST_H

#include <stdbool.h>
#include <stddef.h>

#define TAG_LIST_MAX 4096 /* bytes; a record of ours has about 90 */

/* A stretch of the list; needs no NUL. */
struct tag_span {
	const char *data;
	size_t len;
};

/* Takes one "tag=value" and the ";" after it off the front of *rest; white
 * space around both is left out. 1; 0 at the end; -1 if what is there has no
 * "=" or no tag, and nothing is taken. */
int tag_list_next(struct tag_span *rest, struct tag_span *tag_r,
    struct tag_span *value_r);

/* The same bytes. */
bool tag_list_is(struct tag_span span, const char *text);

/* Begins a list of `len` bytes: true if its first tag is `v` with this
 * version. *rest_r is what follows. */
bool tag_list_open(const void *text, size_t len, const char *version,
    struct tag_span *rest_r);

#endif
