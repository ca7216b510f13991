/* SPDX-License-Identifier: ISC
 *
 * A visit by which an owner makes a resource his own (resource_keep.h): the
 * answer goes out once that is durable.
 */
#ifndef KEEPER_H
#define KEEPER_H

#include "visit.h"

/* Keeps the visit's subject for the visitor's account, and then serves it by
 * `serve`, if the visitor is still there. Refuses it if the resource went
 * meanwhile. */
void keeper_serve(struct visit *visit, void (*serve)(struct visit *visit));

#endif
