/* SPDX-License-Identifier: ISC
 *
 * A resource as an answer. Its content is whatever somebody put there, so a
 * browser must not run it: nosniff, a sandbox, and always as a file to be
 * saved.
 */
#ifndef RESOURCE_REPLY_H
#define RESOURCE_REPLY_H

#include "visit.h"

/* ETag, digest (RFC 9530) and what keeps browsers from running it; not
 * Content-Type, Content-Disposition and Cache-Control. */
void resource_reply_headers(struct http_header_list *headers, const char *hash);

/* Content-Disposition: a file to be saved under this name (UTF-8, hostile;
 * NULL or "": none). */
void resource_reply_name(struct http_header_list *headers, const char *name);

/* True if the value of If-None-Match, If-Match or If-Range (or NULL) has the
 * tag of this resource. */
bool resource_reply_matches(const char *list, const char *hash);

/* The file, or the range of it that the request wants. Takes `fd` over. */
void resource_reply(struct visit *visit, const struct store_blob *blob,
    struct http_header_list *headers, int fd);

#endif
