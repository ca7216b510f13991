/* SPDX-License-Identifier: ISC
 *
 * The way back: one re-injection for each distinct set of prepended header
 * lines and each message that is to go, so nobody sees another's
 * destination, page or address.
 *
 * Usually all get the message that came, and recipients differ by their
 * header lines only. A recipient whose `form` is set gets another message,
 * or goes another way: the placeholder, the rebuilt message, the message with
 * a note that is theirs alone.
 */
#ifndef DELIVERY_H
#define DELIVERY_H

#include <stdbool.h>
#include <stddef.h>

#include "envelope.h"
#include "smtp_client.h"

/*
 * What some of the recipients get in place of the message that came. Who
 * shares a form (the same pointer) and has the same header lines shares one
 * re-injection; two forms never do. Borrowed: it and what it points to last
 * until delivery_run returns. All members may be NULL.
 */
struct delivery_form {
	const char *data; /* NULL: the message that came */
	size_t len;
	const char *server; /* NULL: that of the options */
	/* Complete header lines for everybody of this form; they stand above
	 * the trace, below each recipient's own. */
	const char *prepend;
};

/* How one group is sent; smtp_client_send but in tests. */
typedef void delivery_send(const struct smtp_client_options *options,
    const struct smtp_client_message *message);

/* Delivers to every recipient without a reply; afterwards all have one. When
 * Postfix has hung up nothing more is sent, since it will come again.
 * `trace` (our Received line) stands below what is prepended. `message` is
 * for those without a form, or whose form has no data. */
void delivery_run(const struct smtp_client_options *options,
    delivery_send *send, struct envelope *envelope, const char *trace,
    const char *message, size_t len);

#endif
