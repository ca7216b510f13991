/* SPDX-License-Identifier: ISC
 *
 * What `cargomailctl keys rotate` remembers of a key, in the file
 * <keys>/rotation/<name>.state: one JSON object, written whole, synced, then
 * renamed. Nothing in it is secret. Which key is the present one and which the
 * next is told by the files beside, never by this one.
 */
#ifndef ROTATION_STATE_H
#define ROTATION_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "encoding.h"

/* Below the directory of keys; gripd looks there too (KEY_FILES_NEXT). */
#define ROTATION_DIRECTORY "rotation"

/* A key that is no more, but whose record is. Times are seconds since 1970. */
struct rotation_old {
	char key[SHA256_HEX_SIZE]; /* hash */
	int64_t since; /* the signer has the new one; 0: not yet */
	int64_t until; /* its record is needed */
	bool bad; /* was compromised: its record must go at once */
};

struct rotation_state {
	char next[SHA256_HEX_SIZE]; /* made, and not taken up; or "" */
	int64_t made;
	int64_t seen; /* the DNS had it; 0: not yet */
	int64_t ready; /* no cache has the answer without it any more */
	char bad[SHA256_HEX_SIZE]; /* the present key, compromised; or "" */
	struct rotation_old *old;
	size_t old_count;
};

/* Reads it; one that is not there is empty. 0, or -1 with *error_r (one
 * line, free()). rotation_state_free() in both cases. */
int rotation_state_read(const char *keys, const char *name,
    struct rotation_state *state_r, char **error_r);

/* Writes it; an empty one is removed. 0, or -1 with *error_r. */
int rotation_state_write(const char *keys, const char *name,
    const struct rotation_state *state, char **error_r);

void rotation_state_free(struct rotation_state *state);

/* The entry of this key; a new one at the end if there is none. */
struct rotation_old *
rotation_state_add(struct rotation_state *state, const char *key);
/* The same, or NULL. */
struct rotation_old *
rotation_state_find(const struct rotation_state *state, const char *key);
void rotation_state_remove(struct rotation_state *state, size_t number);

/* For people: "new key waits for its record", with dates; "" if nothing is
 * pending. The caller frees. */
char *rotation_state_describe(const struct rotation_state *state, int64_t now);

#endif
