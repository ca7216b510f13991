/* SPDX-License-Identifier: ISC
 *
 * The pull API of retrievald, on pull.sock only.
 */
#ifndef PULL_ROUTES_H
#define PULL_ROUTES_H

#include "visit.h"

/* POST /v1/pulls/lease?wait=N: 200 with a lease, or 204. */
void pull_lease_serve(struct visit *visit);

/* POST /v1/pulls/<lease>/done {}: 204. */
void pull_done_serve(struct visit *visit);

/* POST /v1/pulls/<lease>/failed {"status", "problem", "authenticated",
 * "hash", "detail"}: 204. */
void pull_failed_serve(struct visit *visit);

/* POST /v1/pulls/<lease>/entitled {"hash"}: the origin said yes. 204. */
void pull_entitled_serve(struct visit *visit);

#endif
