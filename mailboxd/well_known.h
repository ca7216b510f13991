/* SPDX-License-Identifier: ISC
 *
 * GET /.well-known/cargomail: what this server name is.
 */
#ifndef WELL_KNOWN_H
#define WELL_KNOWN_H

#include "visit.h"

void well_known_serve(struct visit *visit);

#endif
