/* SPDX-License-Identifier: ISC
 *
 * The request target in origin-form: a path and a query, decoded in place.
 * Reads hostile bytes. Used by http_parse.c alone.
 */
#ifndef HTTP_TARGET_H
#define HTTP_TARGET_H

#include "http_parse.h"

/* Splits and decodes `target` (NUL-terminated, overwritten) into segments
 * and query of *request. NULL, or a fixed text that says what is wrong. */
const char *http_target_parse(char *target, struct http_request *request);

#endif
