/* SPDX-License-Identifier: ISC
 *
 * What the signer tells the administrator of its identities. Of a thousand it
 * is more than a packet holds.
 */
#ifndef SIGN_ADMIN_H
#define SIGN_ADMIN_H

#include <stdint.h>

#include "control.h"
#include "sign_ring.h"

/* When the first of the certificates ends at whose dates anybody looks; 0 if
 * there is none. */
int64_t sign_admin_expiry(const struct sign_ring *ring);

/* Answers with `status` (taken over), and a member for each identity: what
 * and until when. */
void sign_admin_status(const struct sign_ring *ring, cJSON *status,
    struct control_connection *connection);

/* Answers with what is loaded, for who compares it with the DNS. */
void sign_admin_identities(const struct sign_ring *ring,
    struct control_connection *connection);

#endif
