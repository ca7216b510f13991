/* SPDX-License-Identifier: ISC
 *
 * The names that stand in tokens: hosts, services, addresses, origins. Each
 * has one spelling only (lower-case A-labels, no trailing dot), so names are
 * compared byte by byte.
 *
 * Written by hand: these are exact shapes of the protocol, narrower than what
 * any URL or address library accepts.
 */
#ifndef GRIP_NAME_H
#define GRIP_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "visibility.h"

#define GRIP_NAME_MAX 253 /* characters of a DNS name in text */
#define GRIP_NAME_SIZE 254 /* with NUL */
#define GRIP_ADDRESS_MAX 320 /* characters of a mail address */

/* "mailbox.hospital.test": two labels at least of [a-z0-9-], not an IP
 * address. */
GRIP_EXPORT bool grip_name_is_host(const char *name);

/* "_cb.bar.test": an underscore label, then a host name. If `role` is not
 * NULL that label must be this one ("_cb", "_rra", "_rm"). */
GRIP_EXPORT bool grip_name_is_service(const char *name, const char *role);

/* The domain that a service name speaks for ("bar.test"); points into
 * `name`. NULL if it is no service name. */
GRIP_EXPORT const char *grip_name_domain(const char *name);

/* "alice@foo.test": a local part without control bytes, then a host name.
 * Local parts may hold UTF-8 and are not folded here. */
GRIP_EXPORT bool grip_name_is_address(const char *address);

/* The domain of an address; points into it. NULL if there is none. */
GRIP_EXPORT const char *grip_name_address_domain(const char *address);

/* "https://" host [":" port]. If `host_r` is not NULL the host goes there. */
GRIP_EXPORT bool
grip_name_is_origin(const char *origin, char host_r[GRIP_NAME_SIZE]);

#endif
