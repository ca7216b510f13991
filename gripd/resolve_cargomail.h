/* SPDX-License-Identifier: ISC
 *
 * The verb `cargomail`: does a domain's mail pass a Cargo Broker, by the TXT
 * at _cargomail.<domain>? For brokers only; answers are kept by their TTL.
 */
#ifndef RESOLVE_CARGOMAIL_H
#define RESOLVE_CARGOMAIL_H

#include "resolve_client.h"

/* Seconds that "there is none" is kept, which comes without a TTL of ours. */
#define RESOLVE_ABSENT_SECONDS 60

/* Finishes the request, now or later. */
void resolve_cargomail_start(struct resolve_request *request);

#endif
