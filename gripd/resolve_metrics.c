/* SPDX-License-Identifier: ISC
 *
 * See resolve_metrics.h; cargomail-metrics(7) lists the same.
 */
#include "resolve_metrics.h"

#include <stddef.h>

static const char *const outcomes[] = { "verified", "refused", NULL };

/* The names of the checks that are made here. */
static const char *const reasons[] = { "form", "purpose", "time", "audience",
	"possession", "subject", "signature", "chain", "user", "published",
	"other", NULL };

static const char *const answers[] = { "data", "no_data", "no_name", "failed",
	NULL };

const struct metric resolve_metrics[] = {
	[RESOLVE_VERDICTS] = { "verdicts", METRIC_COUNTER,
	    "Tokens that were judged, those from the cache included.",
	    "outcome", outcomes, NULL },
	[RESOLVE_REFUSALS] = { "refusals", METRIC_COUNTER,
	    "Tokens that were refused, by the check that failed.", "reason",
	    reasons, NULL },
	[RESOLVE_QUERIES] = { "dns_queries", METRIC_COUNTER,
	    "Names that were looked up, by what came of it.", "outcome",
	    answers, NULL },
	[RESOLVE_QUERIES_PENDING] = { "dns_queries_pending", METRIC_GAUGE,
	    "Names that are being looked up.", NULL, NULL, NULL },
	[RESOLVE_CACHE_HITS] = { "verdict_cache_hits", METRIC_COUNTER,
	    "Tokens whose verdict was in the cache.", NULL, NULL, NULL },
	[RESOLVE_CACHE] = { "verdict_cache_entries", METRIC_GAUGE,
	    "Verdicts in the cache.", NULL, NULL, NULL },
	[RESOLVE_CONNECTIONS] = { "connections", METRIC_GAUGE,
	    "Connections of other daemons.", NULL, NULL, NULL },
	[RESOLVE_METRICS] = { NULL, METRIC_GAUGE, NULL, NULL, NULL, NULL },
};
