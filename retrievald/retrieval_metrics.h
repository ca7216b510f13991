/* SPDX-License-Identifier: ISC
 *
 * What the retrieval agent counts: the rows of retrieval_metrics.
 */
#ifndef RETRIEVAL_METRICS_H
#define RETRIEVAL_METRICS_H

#include "metrics.h"

enum retrieval_metric {
	RETRIEVAL_PULLS,
	RETRIEVAL_BYTES,
	RETRIEVAL_DURATION,
	RETRIEVAL_RATE,
	RETRIEVAL_WORKERS,
	RETRIEVAL_RESTARTS,
	RETRIEVAL_METRICS
};

extern const struct metric retrieval_metrics[RETRIEVAL_METRICS + 1];

#endif
