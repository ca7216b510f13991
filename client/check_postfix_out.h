/* SPDX-License-Identifier: ISC
 *
 * Does what users submit pass the broker, if it is to, and only then?
 */
#ifndef CHECK_POSTFIX_OUT_H
#define CHECK_POSTFIX_OUT_H

#include "check_postfix.h"

/* Says what is wrong; true if nothing is. */
bool
check_postfix_out(struct check *check, const struct check_postfix *postfix);

#endif
