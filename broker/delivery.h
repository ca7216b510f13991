/* SPDX-License-Identifier: ISC
 *
 * The way back: one re-injection for each distinct set of prepended header
 * lines, so nobody sees another's destination.
 */
#ifndef DELIVERY_H
#define DELIVERY_H

#include <stddef.h>

#include "envelope.h"
#include "smtp_client.h"

/* How one group is sent; smtp_client_send but in tests. */
typedef void delivery_send(const struct smtp_client_options *options,
    const struct smtp_client_message *message);

/* Delivers to every recipient without a reply; afterwards all have one.
 * `trace` (our Received line) stands below what is prepended. */
void delivery_run(const struct smtp_client_options *options,
    delivery_send *send, struct envelope *envelope, const char *trace,
    const char *message, size_t len);

#endif
