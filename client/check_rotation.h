/* SPDX-License-Identifier: ISC
 *
 * What a rotation of keys still wants of the DNS: records of old keys have an
 * end, before which they are needed and after which they are not.
 */
#ifndef CHECK_ROTATION_H
#define CHECK_ROTATION_H

#include "check.h"

/* Says what is wrong with the records of the keys that `file` was before, of
 * which `answer` is the TXT at `owner`; nothing if all is well. */
void check_rotation(struct check *check, const char *file, const char *owner,
    const cJSON *answer);

#endif
