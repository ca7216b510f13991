/* SPDX-License-Identifier: ISC
 *
 * What the signer counts: the rows of sign_metrics.
 */
#ifndef SIGN_METRICS_H
#define SIGN_METRICS_H

#include "metrics.h"

enum sign_metric {
	SIGN_SIGNATURES,
	SIGN_REFUSALS,
	SIGN_CONNECTIONS,
	SIGN_EXPIRY,
	SIGN_METRICS
};

extern const struct metric sign_metrics[SIGN_METRICS + 1];

#endif
