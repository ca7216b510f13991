/* SPDX-License-Identifier: ISC
 *
 * What the broker's processes share: a circuit breaker for each destination,
 * so that one that is down costs a time-out now and then and not one for
 * each message.
 */
#ifndef BREAKER_H
#define BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#define BREAKER_PLACES 5 /* half of the lmtp processes of postfix-setup */

struct breaker;

/* In memory shared with children; opens for `pause` seconds after
 * `failures` in a row. NULL with errno. */
struct breaker *breaker_new(int64_t failures, int64_t pause);
void breaker_free(struct breaker **breaker);

/* False while the destination is not to be tried. When the pause is over it
 * is tried again, and one failure more opens it again. */
bool breaker_allows(struct breaker *breaker, const char *host, int64_t now);

void breaker_report(struct breaker *breaker, const char *host, bool success,
    int64_t now);

/* How many destinations are not to be tried now. */
int64_t breaker_open(struct breaker *breaker, int64_t now);

/* A place for a process that is going to wait long; false if none is left.
 * Postfix has few processes for us, and whoever sends what never comes must
 * not hold them all. The place of a process that died is free. */
bool breaker_hold(struct breaker *breaker);
void breaker_let_go(struct breaker *breaker);

#endif
