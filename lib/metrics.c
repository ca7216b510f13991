/* SPDX-License-Identifier: ISC
 *
 * Counters, gauges and histograms in shared memory, and their exposition by
 * OpenMetrics 1.0: see metrics.h. A cell is one number; a histogram has, for
 * each value of its label, a cell a bucket, one for what is larger than all
 * bounds and one for the sum.
 */
#include "metrics.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "json_strict.h"
#include "log.h"
#include "memory.h"
#include "outcome.h"

#define PREFIX_NAME "cargomail_"

const int64_t metrics_bounds_latency[] = { 5, 10, 25, 50, 100, 250, 500, 1000,
	2500, 5000, 10000, 30000, 60000, 300000, 600000, 0 };
const int64_t metrics_bounds_age[] = { 1000, 5000, 10000, 30000, 60000, 300000,
	900000, 3600000, 14400000, 43200000, 86400000, 259200000, 604800000,
	1209600000, 0 };
const int64_t metrics_bounds_rate[] = { 10000, 100000, 1000000, 3000000,
	10000000, 30000000, 100000000, 300000000, 1000000000, 0 };

struct metrics {
	const char *daemon;
	const struct metric *table;
	char *prefix; /* of the families' names */
	size_t *first; /* each family's first cell */
	int64_t *cells; /* shared */
	size_t size; /* of the cells, in bytes */
	int64_t since;
};

static size_t
bounds_count(const struct metric *metric)
{
	size_t count = 0;

	while (metric->bounds != NULL && metric->bounds[count] != 0)
		count++;
	return count;
}

/* Cells for one value of the label. */
static size_t
metric_width(const struct metric *metric)
{
	return metric->type == METRIC_HISTOGRAM ? bounds_count(metric) + 2 : 1;
}

static size_t
metric_values(const struct metric *metric)
{
	size_t count = 0;

	if (metric->label == NULL)
		return 1;
	while (metric->values[count] != NULL)
		count++;
	return count;
}

struct metrics *
metrics_new(const char *daemon, const struct metric *table, int64_t now)
{
	struct metrics *metrics = x_calloc(1, sizeof(*metrics));
	size_t count = 0, cells = 0, i;
	char *at;

	while (table[count].name != NULL)
		count++;
	metrics->daemon = daemon;
	metrics->table = table;
	metrics->since = now;
	metrics->prefix = x_asprintf(PREFIX_NAME "%s_", daemon);
	for (at = metrics->prefix; *at != '\0'; at++)
		if (*at == '-')
			*at = '_';
	metrics->first = x_calloc(count + 1, sizeof(*metrics->first));
	for (i = 0; i < count; i++) {
		metrics->first[i] = cells;
		cells += metric_values(&table[i]) * metric_width(&table[i]);
	}
	metrics->size = (cells + 1) * sizeof(*metrics->cells);
	metrics->cells = mmap(NULL, metrics->size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (metrics->cells == MAP_FAILED)
		log_panic("no memory for metrics: %s", strerror(errno));
	return metrics;
}

void
metrics_free(struct metrics **metrics)
{
	if (*metrics == NULL)
		return;
	munmap((*metrics)->cells, (*metrics)->size);
	free((*metrics)->first);
	free((*metrics)->prefix);
	x_free(metrics);
}

/* ---- counting ------------------------------------------------------------ */

static int64_t *
find_cell(const struct metrics *metrics, int number, const char *value)
{
	const struct metric *metric = &metrics->table[number];
	size_t index = 0;

	while (metric->label != NULL && metric->values[index + 1] != NULL &&
	    (value == NULL || strcmp(metric->values[index], value) != 0))
		index++;
	return metrics->cells + metrics->first[number] +
	    index * metric_width(metric);
}

static int64_t
load(const int64_t *cell)
{
	return __atomic_load_n(cell, __ATOMIC_RELAXED);
}

void
metrics_add(struct metrics *metrics, int metric, const char *value,
    int64_t amount)
{
	if (metrics != NULL)
		__atomic_fetch_add(find_cell(metrics, metric, value), amount,
		    __ATOMIC_RELAXED);
}

void
metrics_count(struct metrics *metrics, int metric, const char *value)
{
	metrics_add(metrics, metric, value, 1);
}

void
metrics_set(struct metrics *metrics, int metric, const char *value,
    int64_t amount)
{
	if (metrics != NULL)
		__atomic_store_n(find_cell(metrics, metric, value), amount,
		    __ATOMIC_RELAXED);
}

void
metrics_observe(struct metrics *metrics, int metric, const char *value,
    int64_t amount)
{
	const int64_t *bounds;
	int64_t *cells;
	size_t bucket = 0, count;

	if (metrics == NULL)
		return;
	if (amount < 0)
		amount = 0;
	bounds = metrics->table[metric].bounds;
	count = bounds_count(&metrics->table[metric]);
	cells = find_cell(metrics, metric, value);
	while (bucket < count && amount > bounds[bucket])
		bucket++;
	__atomic_fetch_add(&cells[bucket], 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&cells[count + 1], amount, __ATOMIC_RELAXED);
}

static int64_t
buckets_sum(const int64_t *cells, size_t count)
{
	int64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += load(&cells[i]);
	return sum;
}

int64_t
metrics_get(const struct metrics *metrics, int metric, const char *value)
{
	const struct metric *row = &metrics->table[metric];
	const int64_t *cells = find_cell(metrics, metric, value);

	return row->type == METRIC_HISTOGRAM ?
	    buckets_sum(cells, bounds_count(row) + 1) :
	    load(cells);
}

/* ---- status -------------------------------------------------------------- */

static void
add_member(const struct metrics *metrics, size_t number, size_t index,
    cJSON *answer)
{
	const struct metric *metric = &metrics->table[number];
	int64_t value = load(&metrics->cells[metrics->first[number] + index]);
	char *name;

	if (metric->label == NULL) {
		json_add_integer(answer, metric->name, value);
		return;
	}
	name = x_asprintf("%s_%s", metric->name, metric->values[index]);
	json_add_integer(answer, name, value);
	free(name);
}

cJSON *
metrics_status(const struct metrics *metrics)
{
	cJSON *answer = cJSON_CreateObject();
	const struct metric *table = metrics->table;

	json_add_string(answer, "outcome", outcome_name(OUTCOME_OK));
	json_add_string(answer, "daemon", metrics->daemon);
	json_add_string(answer, "version", VERSION);
	json_add_integer(answer, "pid", getpid());
	json_add_integer(answer, "since", metrics->since);
	for (size_t i = 0; table[i].name != NULL; i++)
		for (size_t j = 0; table[i].type != METRIC_HISTOGRAM &&
		     j < metric_values(&table[i]);
		     j++)
			add_member(metrics, i, j, answer);
	return answer;
}

/* ---- exposition ---------------------------------------------------------- */

static const char *
metric_unit(const char *name)
{
	static const char *const units[] = { "bytes_per_second", "seconds",
		"bytes" };
	size_t len = strlen(name), unit;

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		unit = strlen(units[i]);
		if (len > unit && name[len - unit - 1] == '_' &&
		    strcmp(name + len - unit, units[i]) == 0)
			return units[i];
	}
	return "";
}

static double
in_unit(const struct metric *metric, int64_t amount)
{
	bool seconds = strcmp(metric_unit(metric->name), "seconds") == 0;

	return seconds ? (double)amount / 1000 : (double)amount;
}

/* Bounds have one canonical form: "0.005", "1.0", from a million "1e+06". */
static void
format_bound(const struct metric *metric, size_t index, char text_r[32])
{
	if (metric->bounds[index] == 0) {
		strcpy(text_r, "+Inf");
		return;
	}
	snprintf(text_r, 30, "%.6g", in_unit(metric, metric->bounds[index]));
	if (strpbrk(text_r, ".e") == NULL)
		strcat(text_r, ".0");
}

/* name and suffix, {label="value",le="bound"}; either may be missing. */
static void
format_name(const struct metrics *metrics, size_t number, size_t index,
    const char *suffix, const char *bound, struct buffer *text)
{
	const struct metric *metric = &metrics->table[number];
	const char *comma = "";

	buffer_add_format(text, "%s%s%s", metrics->prefix, metric->name,
	    suffix);
	if (metric->label != NULL || bound != NULL)
		buffer_add_string(text, "{");
	if (metric->label != NULL) {
		buffer_add_format(text, "%s=\"%s\"", metric->label,
		    metric->values[index]);
		comma = ",";
	}
	if (bound != NULL)
		buffer_add_format(text, "%sle=\"%s\"", comma, bound);
	if (metric->label != NULL || bound != NULL)
		buffer_add_string(text, "}");
}

/* The count is the sum of the buckets as they were read, so that both agree
 * while others count on. */
static void
format_histogram(const struct metrics *metrics, size_t number, size_t index,
    struct buffer *text)
{
	const struct metric *metric = &metrics->table[number];
	const int64_t *cells = metrics->cells + metrics->first[number] +
	    index * metric_width(metric);
	size_t count = bounds_count(metric);
	int64_t sum = 0;
	char bound[32];

	for (size_t i = 0; i <= count; i++) {
		sum += load(&cells[i]);
		format_bound(metric, i, bound);
		format_name(metrics, number, index, "_bucket", bound, text);
		buffer_add_format(text, " %lld\n", (long long)sum);
	}
	format_name(metrics, number, index, "_count", NULL, text);
	buffer_add_format(text, " %lld\n", (long long)sum);
	format_name(metrics, number, index, "_sum", NULL, text);
	buffer_add_format(text, " %.15g\n",
	    in_unit(metric, load(&cells[count + 1])));
}

static void
format_head(const struct metrics *metrics, const char *name, const char *type,
    const char *help, struct buffer *text)
{
	const char *unit = metric_unit(name);

	buffer_add_format(text, "# TYPE %s%s %s\n", metrics->prefix, name,
	    type);
	if (unit[0] != '\0')
		buffer_add_format(text, "# UNIT %s%s %s\n", metrics->prefix,
		    name, unit);
	buffer_add_format(text, "# HELP %s%s %s\n", metrics->prefix, name,
	    help);
}

static void
format_family(const struct metrics *metrics, size_t number, struct buffer *text)
{
	static const char *const types[] = {
		[METRIC_COUNTER] = "counter",
		[METRIC_GAUGE] = "gauge",
		[METRIC_HISTOGRAM] = "histogram",
	};
	const struct metric *metric = &metrics->table[number];
	const int64_t *cells = metrics->cells + metrics->first[number];

	format_head(metrics, metric->name, types[metric->type], metric->help,
	    text);
	for (size_t i = 0; i < metric_values(metric); i++) {
		if (metric->type == METRIC_HISTOGRAM) {
			format_histogram(metrics, number, i, text);
			continue;
		}
		format_name(metrics, number, i,
		    metric->type == METRIC_COUNTER ? "_total" : "", NULL, text);
		buffer_add_format(text, " %lld\n", (long long)load(&cells[i]));
	}
}

void
metrics_format(const struct metrics *metrics, struct buffer *text_r)
{
	format_head(metrics, "build", "info", "Which version runs.", text_r);
	buffer_add_format(text_r, "%sbuild_info{version=\"%s\"} 1\n",
	    metrics->prefix, VERSION);
	format_head(metrics, "start_time_seconds", "gauge",
	    "When it was started, since 1970.", text_r);
	buffer_add_format(text_r, "%sstart_time_seconds %lld\n",
	    metrics->prefix, (long long)metrics->since);
	for (size_t i = 0; metrics->table[i].name != NULL; i++)
		format_family(metrics, i, text_r);
}
