/* SPDX-License-Identifier: ISC
 *
 * Password hashes (Argon2id by libsodium) in short-lived children, one at a
 * time, on top of work_pool.
 */
#ifndef PASSWORD_WORKER_H
#define PASSWORD_WORKER_H

#include <stdbool.h>

#include "work_pool.h"

#define PASSWORD_WORKER_MAX 512 /* bytes of a password */

/* What the children do; for work_pool_fork with parallel 1. */
void password_worker_work(const cJSON *request, int fd, cJSON *answer);

/* Asks whether `password` fits a hash made earlier; `hash` NULL does the
 * same work for nothing (an unknown name must not be told by the time).
 * 0, or -1: too many waiting or a password too long, and no call comes. */
int password_worker_check(struct work_pool *pool, const char *password,
    const char *hash, work_pool_callback *callback, void *arg);

/* Asks for a hash. */
int password_worker_hash(struct work_pool *pool, const char *password,
    work_pool_callback *callback, void *arg);

/* Reads the answers: does it fit; the hash or NULL (the answer's). */
bool password_worker_good(const cJSON *answer);
const char *password_worker_made(const cJSON *answer);

#endif
