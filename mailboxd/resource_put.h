/* SPDX-License-Identifier: ISC
 *
 * PUT and DELETE of a resource.
 */
#ifndef RESOURCE_PUT_H
#define RESOURCE_PUT_H

#include "visit.h"

/* PUT /v1/resources/<hash>: owner, broker for its user, or retrievald under
 * a lease. */
void resource_put_serve(struct visit *visit);

/* DELETE /v1/resources/<hash>: owner. */
void resource_delete_serve(struct visit *visit);

#endif
