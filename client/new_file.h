/* SPDX-License-Identifier: ISC
 *
 * A new file that is there whole or not at all: written under a temporary
 * name, then renamed to one that did not exist. No link is followed, nothing
 * is overwritten, whatever somebody else does in the directory meanwhile.
 */
#ifndef NEW_FILE_H
#define NEW_FILE_H

#include "outcome.h"

struct new_file {
	int directory; /* descriptors; -1 when closed */
	int fd;
	char temporary[32];
	const char *path; /* of the directory, not owned */
};

/* `directory` is made if it is missing, its parents are not, and must outlive
 * the file. TEMPFAIL or PERMFAIL "local". */
enum outcome new_file_open(struct new_file *file_r, const char *directory,
    struct reason *why);

/* Gives it its name, or "name-2", "name-3" ... if that is taken. *path_r
 * (the caller's) is the path it got. `name` must be a clean base name. */
enum outcome new_file_commit(struct new_file *file, const char *name,
    char **path_r, struct reason *why);

/* Closes; removes the file if it was not committed. */
void new_file_close(struct new_file *file);

#endif
