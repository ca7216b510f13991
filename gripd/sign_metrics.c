/* SPDX-License-Identifier: ISC
 *
 * See sign_metrics.h; cargomail-metrics(7) lists the same.
 */
#include "sign_metrics.h"

#include <stddef.h>

static const char *const kinds[] = { "token", "handshake", NULL };

const struct metric sign_metrics[] = {
	[SIGN_SIGNATURES] = { "signatures", METRIC_COUNTER,
	    "Signatures made: under tokens, or in TLS handshakes.", "type",
	    kinds, NULL },
	[SIGN_REFUSALS] = { "refusals", METRIC_COUNTER,
	    "Requests that were refused.", NULL, NULL, NULL },
	[SIGN_CONNECTIONS] = { "connections", METRIC_GAUGE,
	    "Connections of other daemons.", NULL, NULL, NULL },
	[SIGN_EXPIRY] = { "certificate_expiry_seconds", METRIC_GAUGE,
	    "When the first of the certificates from a CA ends, since 1970; "
	    "0 if there is none.",
	    NULL, NULL, NULL },
	[SIGN_METRICS] = { NULL, METRIC_GAUGE, NULL, NULL, NULL, NULL },
};
