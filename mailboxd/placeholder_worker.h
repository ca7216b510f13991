/* SPDX-License-Identifier: ISC
 *
 * The body of a notification against the placeholder in it, in a short-lived
 * child: MIME is not read in mailboxd itself. On top of work_pool.
 */
#ifndef PLACEHOLDER_WORKER_H
#define PLACEHOLDER_WORKER_H

#include <stddef.h>
#include <stdint.h>

#include "outcome.h"
#include "work_pool.h"

/* What the children do; for work_pool_fork. */
void placeholder_worker_work(const cJSON *request, int fd, cJSON *answer);

/* Asks about a whole body. 0, or -1: too many waiting or no memory file, and
 * no call comes. */
int placeholder_worker_ask(struct work_pool *pool, const void *body, size_t len,
    work_pool_callback *callback, void *arg);

/* What the placeholder says. Texts are the answer's. */
struct placeholder_facts {
	const char *origin, *share;
};

/* OK, or PERMFAIL "placeholder", "malformed" or "too-large"; TEMPFAIL
 * "unavailable" (also for an `answer` of NULL). */
enum outcome placeholder_worker_read(const cJSON *answer,
    struct placeholder_facts *facts_r, struct reason *why);

#endif
