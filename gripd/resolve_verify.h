/* SPDX-License-Identifier: ISC
 *
 * The verb `verify`: a token, what it came with, and the question whether it
 * is believed. All checks of GRIP but `digest`, in order (grip(7)).
 */
#ifndef RESOLVE_VERIFY_H
#define RESOLVE_VERIFY_H

#include "resolve_client.h"

/* Finishes the request, now or later. */
void resolve_verify_start(struct resolve_request *request);

#endif
