/* SPDX-License-Identifier: ISC
 *
 * What the broker counts: the rows of broker_metrics.
 */
#ifndef BROKER_METRICS_H
#define BROKER_METRICS_H

#include "metrics.h"

enum broker_metric {
	BROKER_MESSAGES,
	BROKER_UNAUTHENTICATED,
	BROKER_NOTIFICATIONS,
	BROKER_REFUSALS,
	BROKER_RECIPIENTS,
	BROKER_CONVERSIONS,
	BROKER_DOWNGRADES,
	BROKER_WITHDRAWN,
	BROKER_LATENCY,
	BROKER_QUEUE_AGE,
	BROKER_PROCESSES,
	BROKER_DESTINATIONS_DOWN,
	BROKER_METRICS
};

extern const struct metric broker_metrics[BROKER_METRICS + 1];

#endif
