/* SPDX-License-Identifier: ISC
 *
 * Asks gripd from an event loop without blocking it: mailboxd verifies
 * tokens with it. One non-blocking SOCK_SEQPACKET connection, requests
 * pipelined, answers matched by id in any order. It connects when there is
 * something to ask; when the connection ends or garbage comes, everything
 * pending fails temporarily and the next connection waits 100 ms, doubling
 * to 5 s. Not part of libgrip. Aborts for want of memory.
 *
 * Trust: reads packets of gripd, through grip_protocol.
 */
#ifndef LOCAL_ASKER_H
#define LOCAL_ASKER_H

#include <stdint.h>

#include <event2/event.h>

#include <cjson/cJSON.h>

#include "outcome.h"

#define LOCAL_ASKER_PENDING_MAX 4096

struct local_asker;

/*
 * The end of one request, exactly once unless cancelled. `answer` is the
 * whole answer if `outcome` is OK, else NULL; it and `why` are the asker's
 * and last for the call. May ask again or cancel; may not free the asker.
 */
typedef void local_asker_callback(void *arg, enum outcome outcome,
    const cJSON *answer, const struct reason *why);

/* `protocol` as in grip_protocol.h. Never NULL. */
struct local_asker *local_asker_new(struct event_base *base,
    const char *socket_path, const char *protocol);

/* Closes; pending requests are dropped without a call. Sets to NULL. */
void local_asker_free(struct local_asker **asker);

/*
 * Asks `request` (taken over; from the composers of grip_protocol.h). The
 * callback always comes later from the loop, never from within this call.
 * Beyond LOCAL_ASKER_PENDING_MAX it comes with tempfail "busy"; after
 * `timeout_ms` with tempfail "gripd". Returns an id (> 0) for cancelling.
 */
uint64_t local_asker_ask(struct local_asker *asker, cJSON *request,
    int timeout_ms, local_asker_callback *callback, void *arg);

/* The callback will not come any more; an unknown id is fine. */
void local_asker_cancel(struct local_asker *asker, uint64_t id);

#endif
