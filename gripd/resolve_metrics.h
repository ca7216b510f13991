/* SPDX-License-Identifier: ISC
 *
 * What the resolver counts: the rows of resolve_metrics.
 */
#ifndef RESOLVE_METRICS_H
#define RESOLVE_METRICS_H

#include "metrics.h"

enum resolve_metric {
	RESOLVE_VERDICTS,
	RESOLVE_REFUSALS,
	RESOLVE_QUERIES,
	RESOLVE_QUERIES_PENDING,
	RESOLVE_CACHE_HITS,
	RESOLVE_CACHE,
	RESOLVE_CONNECTIONS,
	RESOLVE_METRICS
};

extern const struct metric resolve_metrics[RESOLVE_METRICS + 1];

#endif
