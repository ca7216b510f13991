/* SPDX-License-Identifier: ISC
 *
 * What a daemon counts. One table of families gives `status` its members and
 * `metrics` its exposition (OpenMetrics 1.0), so that both tell the same.
 * The values lie in memory that is shared with whatever is forked later and
 * are atomic: threads and processes count without a lock. They begin at zero
 * when the daemon starts. Nothing from outside becomes a name or a label:
 * what is not in the table counts as the last value of its label.
 */
#ifndef METRICS_H
#define METRICS_H

#include <stdint.h>

#include <cjson/cJSON.h>

#include "buffer.h"

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

/*
 * A family. Its name goes behind cargomail_<daemon>_ and has no _total; if it
 * ends in _seconds, _bytes or _bytes_per_second, that is its unit. Seconds of
 * a histogram are observed in milliseconds.
 */
struct metric {
	const char *name;
	enum metric_type type;
	const char *help; /* a sentence */
	const char *label; /* NULL: a single value */
	const char *const *values; /* of the label; ends with NULL */
	const int64_t *bounds; /* of a histogram's buckets; ends with 0 */
};

/* Upper bounds of buckets: 5 ms to 10 minutes; 1 s to 14 days; 10 kB/s to
 * 1 GB/s. */
extern const int64_t metrics_bounds_latency[];
extern const int64_t metrics_bounds_age[];
extern const int64_t metrics_bounds_rate[];

struct metrics;

/* `table` ends with a NULL name and stays the caller's, as does `daemon`, the
 * name of its admin socket. Aborts for want of memory. */
struct metrics *
metrics_new(const char *daemon, const struct metric *table, int64_t now);
void metrics_free(struct metrics **metrics);

/* One more, or some more, of table[metric]; `value` of its label, NULL if it
 * has none. Without `metrics` (in tests) nothing happens. */
void metrics_count(struct metrics *metrics, int metric, const char *value);
void metrics_add(struct metrics *metrics, int metric, const char *value,
    int64_t amount);

/* What a gauge is at, or a counter that is kept elsewhere. */
void metrics_set(struct metrics *metrics, int metric, const char *value,
    int64_t amount);

/* Into a histogram. Less than nothing (a clock went back) is nothing. */
void metrics_observe(struct metrics *metrics, int metric, const char *value,
    int64_t amount);

/* What a counter or gauge is at; of a histogram how many were observed. */
int64_t
metrics_get(const struct metrics *metrics, int metric, const char *value);

/* The beginning of an answer to `status`: outcome, daemon, version, pid,
 * since, then every counter and gauge as name or name_value. */
cJSON *metrics_status(const struct metrics *metrics);

/* Adds the exposition, whole lines, without the # EOF. */
void metrics_format(const struct metrics *metrics, struct buffer *text_r);

#endif
