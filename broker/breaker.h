/* SPDX-License-Identifier: ISC
 *
 * What the broker's processes share: counters, and a circuit breaker for
 * each destination, so that one that is down costs a time-out now and then
 * and not one for each message.
 */
#ifndef BREAKER_H
#define BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>

enum breaker_counter {
	BREAKER_MESSAGES, /* taken in */
	BREAKER_NOTIFIED, /* recipients whose destination said yes */
	BREAKER_REFUSED, /* ... said no */
	BREAKER_UNAUTHENTICATED, /* messages */
	BREAKER_DELIVERED, /* recipients that Postfix took back */
	BREAKER_DEFERRED, /* recipients told to come again */
	BREAKER_REJECTED, /* recipients refused for good */
	BREAKER_SUBMITTED, /* messages that came outbound */
	BREAKER_CONVERTED, /* of them: a share was made */
	BREAKER_KEPT, /* not converted */
	BREAKER_WITHDRAWN, /* shares, since nothing was taken */
	BREAKER_PAGES, /* recipients with a page of their own */
	BREAKER_COUNTERS
};

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

void breaker_count(struct breaker *breaker, enum breaker_counter counter);

/* Adds the counters and the number of open breakers to an object. */
void breaker_status(struct breaker *breaker, int64_t now, cJSON *status);

#endif
