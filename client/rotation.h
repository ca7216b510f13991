/* SPDX-License-Identifier: ISC
 *
 * cargomailctl keys rotate: one step of the way from a key to the next each
 * time it runs, by what it finds (cargomailctl(8), KEYS). It may be killed
 * anywhere. What each state of the files means:
 *
 *   keys/N.key, N.crt only              no new key yet, or done
 *   rotation/N.key, no N.crt nor N.csr  making was cut short: made anew
 *   rotation/N.key and N.crt (or .csr)  waits for its record (certificate)
 *   rotation/N.crt (or .csr), no N.key  N.key was renamed: the new key is the
 *                                       present one, the rest follows
 *   N.state has an old key, since 0     the signer may not have taken it up
 *   N.state has old keys                their records are still in the DNS
 *
 * The rename of N.key is the one step that decides; it also removes the old
 * private key. The signer finds the new certificate in either place.
 *
 * Trust: files are root's; what daemons and the DNS say is printed escaped.
 */
#ifndef ROTATION_H
#define ROTATION_H

#include <stdbool.h>
#include <stdio.h>

#include <cjson/cJSON.h>

#include "check.h"
#include "published_key.h"
#include "rotation_state.h"

/* An identity that has the key, and what the DNS says where its record is
 * looked for. */
struct rotation_place {
	const char *name; /* the identity's */
	const char *role;
	char *owner; /* where others look; NULL: has no record */
	char *target; /* where it really stands, behind CNAMEs */
	cJSON *answer; /* NULL: none, see error */
	char *error;
	int64_t lifetime; /* of its longest token */
};

struct rotation {
	const struct check_world *world;
	const char *root; /* put before /etc/letsencrypt; "" */
	const char *keys; /* the directory */
	const char *name; /* of the key's files */
	const cJSON *identities; /* [{name, role, file, lifetime}], by gripd */
	bool force; /* does not wait for the DNS */
	bool compromised;
	FILE *out;

	/* the run's own */
	struct rotation_state state;
	struct rotation_place *places;
	size_t place_count;
	struct published_key present; /* of keys/N.crt; hash "": none */
	struct published_key next; /* of rotation/; hash "": none */
	bool next_certified; /* its certificate is there */
	int64_t now;
	int lock;
};

/* Takes the step. 0: done, or nothing to do before the date that was printed;
 * 75: what has to be there first is not; 65, 66, 73, 77, 78: as in
 * cargomailctl(8). */
int rotation_run(struct rotation *rotation);

/* ---- between the parts of it -------------------------------------------- */

/* "cargomailctl: NAME: ..." on standard error; returns `code`. */
int rotation_fail(const struct rotation *rotation, int code, const char *format,
    ...) __attribute__((format(printf, 3, 4)));

/* <keys>/[rotation/]<name><end>; the caller frees. */
char *
rotation_path(const struct rotation *rotation, bool next, const char *end);

/* Saves the state. 0, or an exit code. */
int rotation_save(const struct rotation *rotation);

/* Is it a server's key, which a CA certifies? */
bool rotation_is_certified(const struct rotation *rotation);

/* Runs a program of the system; true if it says yes. */
bool
rotation_program(const struct rotation *rotation, const char *const argv[]);

/* rotation_after.c: has the signer take the present key up. */
int rotation_take_up(struct rotation *rotation);
bool rotation_is_taken_up(const struct rotation *rotation);
/* Says what is to be done with old records, and forgets those that are gone. */
int rotation_watch(struct rotation *rotation);

/* rotation_files.c: looks at the files and mends what was cut short. */
int rotation_settle(struct rotation *rotation);
/* Makes the next key. */
int rotation_make(struct rotation *rotation);
/* Is the next key fit to be taken? */
int rotation_verify(struct rotation *rotation);
/* The next key becomes the present one, which the state remembers. */
int rotation_commit(struct rotation *rotation);
/* Would the signer start as things are? */
int rotation_check_signer(const struct rotation *rotation);

/* rotation_places.c: asks the DNS; fills and frees the places. */
void rotation_look(struct rotation *rotation);
void rotation_forget_places(struct rotation *rotation);
enum rotation_found { ROTATION_THERE, ROTATION_GONE, ROTATION_UNKNOWN };
/* Does the DNS publish this hash, at any of the places? */
enum rotation_found
rotation_find(const struct rotation *rotation, const char *hash);
/* Prints the records to publish or to drop, indented. */
void rotation_print(const struct rotation *rotation, const char *hash);
/* Is the next key to be seen by everybody? 0; else it has been said. */
int rotation_ready(struct rotation *rotation, bool *later_r);

#endif
