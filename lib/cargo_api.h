/* SPDX-License-Identifier: ISC
 *
 * Names and limits of the HTTP interface of a Resource Mailbox, for both of
 * its ends. The whole of it is told in cargomail-protocol(7).
 */
#ifndef CARGO_API_H
#define CARGO_API_H

#include <stdbool.h>

#define CARGO_API_VERSION 1

/* Paths; what follows a '/' at the end is a hash, an id or a lease. */
#define CARGO_API_RESOURCES "/v1/resources"
#define CARGO_API_RESOURCE "/v1/resources/"
#define CARGO_API_SHARE "/v1/shares/"
#define CARGO_API_NOTIFICATIONS "/v1/notifications"
#define CARGO_API_MESSAGES "/v1/messages"
#define CARGO_API_MESSAGE "/v1/messages/"
#define CARGO_API_SESSIONS "/v1/sessions"
#define CARGO_API_PULLS_LEASE "/v1/pulls/lease"
#define CARGO_API_PULL "/v1/pulls/"
#define CARGO_API_WELL_KNOWN "/.well-known/cargomail"
#define CARGO_API_PAGE "/s/" /* on a web host; a secret follows */

/* Limits of bodies in bytes; resources have their own in the configuration. */
#define CARGO_API_NOTIFICATION_MAX (2 * 1024 * 1024)
#define CARGO_API_BODY_MAX (256 * 1024)

#define CARGO_API_RESOURCES_MAX 200 /* of a share, of a placeholder */
#define CARGO_API_RECIPIENTS_MAX 500 /* of a share */
#define CARGO_API_PAGES_MAX 500 /* of one request for a share */
#define CARGO_API_PAGES_SHARE_MAX 2000 /* of a share */
#define CARGO_API_PAGE_SECRET_LEN 43 /* base64url of 256 bits */
#define CARGO_API_SHARE_ID_LEN 22 /* base64url of 128 bits */
#define CARGO_API_SHARE_SECONDS_MAX (14 * 24 * 3600)
#define CARGO_API_CATEGORY_MAX 64
#define CARGO_API_WAIT_MAX 120 /* seconds, for ?wait= */

/* Of a notification, and of the lease of its pull: the queue id of the message
 * at its broker's Postfix, for the log alone. Letters and digits, this size
 * with its end. */
#define CARGO_API_QUEUE_ID "cargomail-queue-id"
#define CARGO_API_QUEUE_ID_SIZE 33

/* True if the text, or NULL, is one. */
bool cargo_api_is_queue_id(const char *text);

/* The target of a PUT of a resource: its path, and its name (may be NULL)
 * percent-encoded (RFC 3986). Owned by the caller. */
char *cargo_api_resource_path(const char *hash, const char *name);

#endif
