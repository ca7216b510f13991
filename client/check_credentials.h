/* SPDX-License-Identifier: ISC
 *
 * The private keys as systemd hands them to the signer.
 */
#ifndef CHECK_CREDENTIALS_H
#define CHECK_CREDENTIALS_H

#include "check.h"

/* Says whether what the unit names of the keys is all there that the policy
 * needs, and not too much. Nothing where systemd does not run. */
void check_credentials(struct check *check);

#endif
