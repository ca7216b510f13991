/* SPDX-License-Identifier: ISC
 *
 * See retrieval_metrics.h; cargomail-metrics(7) lists the same.
 */
#include "retrieval_metrics.h"

#include <stddef.h>

static const char *const outcomes[] = { "done", "failed", NULL };
static const char *const states[] = { "busy", "idle", NULL };

const struct metric retrieval_metrics[] = {
	[RETRIEVAL_PULLS] = { "pulls", METRIC_COUNTER,
	    "Leases that were worked on: done, or something failed for now or "
	    "for good.",
	    "outcome", outcomes, NULL },
	[RETRIEVAL_BYTES] = { "retrieved_bytes", METRIC_COUNTER,
	    "Bytes of resources that came from origins.", NULL, NULL, NULL },
	[RETRIEVAL_DURATION] = { "pull_duration_seconds", METRIC_HISTOGRAM,
	    "Time from a lease to its end.", "outcome", outcomes,
	    metrics_bounds_latency },
	[RETRIEVAL_RATE] = { "pull_rate_bytes_per_second", METRIC_HISTOGRAM,
	    "Rate of each lease in which bytes came.", NULL, NULL,
	    metrics_bounds_rate },
	[RETRIEVAL_WORKERS] = { "workers", METRIC_GAUGE,
	    "Processes, by whether they have a lease.", "state", states, NULL },
	[RETRIEVAL_RESTARTS] = { "worker_restarts", METRIC_COUNTER,
	    "Processes that took the place of one that died.", NULL, NULL,
	    NULL },
	[RETRIEVAL_METRICS] = { NULL, METRIC_GAUGE, NULL, NULL, NULL, NULL },
};
