/* SPDX-License-Identifier: ISC
 *
 * GRIP_EXPORT marks what libgrip.so shows; everything else in it is hidden.
 */
#ifndef VISIBILITY_H
#define VISIBILITY_H

#define GRIP_EXPORT __attribute__((visibility("default")))

#endif
