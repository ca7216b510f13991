/* SPDX-License-Identifier: ISC
 *
 * What the signer says to a packet. No I/O: tests and the fuzzer call it as
 * the daemon does.
 */
#ifndef SIGN_ANSWER_H
#define SIGN_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "metrics.h"
#include "sign_ring.h"

/* Who asks, and where to count. */
struct sign_caller {
	const struct sign_ring *ring;
	enum grip_role role;
	const char *user; /* for the log */
	struct metrics *metrics; /* sign_metrics; NULL: none */
};

/* The answer to one request, owned by the caller (free()), or NULL: garbage,
 * drop the connection. `now` in seconds. Logs each token and each refusal. */
char *sign_answer(const struct sign_caller *caller, const void *packet,
    size_t len, int64_t now);

#endif
