/* SPDX-License-Identifier: ISC
 *
 * Shares: who of the world may read which resources of an account, until
 * when. Made and withdrawn by the owner, or by an enrolled broker for its
 * user; a broker shares only what it put for that message and withdraws only
 * that share.
 */
#ifndef SHARE_H
#define SHARE_H

#include "visit.h"

/* PUT /v1/shares/<id>. 201; 200 the very same again, perhaps with more
 * pages; 409 conflict. */
void share_put_serve(struct visit *visit);

/* DELETE /v1/shares/<id>: withdraws it. 204, also when it was before. */
void share_delete_serve(struct visit *visit);

#endif
