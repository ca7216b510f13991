/* SPDX-License-Identifier: ISC
 *
 * GET and HEAD of a resource, and the owner's list of resources.
 */
#ifndef RESOURCE_GET_H
#define RESOURCE_GET_H

#include "visit.h"

/* GET, HEAD /v1/resources/<hash>: owner, or agent with token A. */
void resource_get_serve(struct visit *visit);

/* GET /v1/resources[?after=<hash>]: owner. */
void resource_list_serve(struct visit *visit);

#endif
