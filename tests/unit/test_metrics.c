/* SPDX-License-Identifier: ISC
 *
 * Counting, also from several processes, the members of `status`, the
 * exposition, and the filter between a daemon and who gathers.
 */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "buffer.h"
#include "json_strict.h"
#include "metrics.h"
#include "metrics_verb.h"
#include "test.h"

enum { PARCELS, WEIGHT, DELAY, SPEED };

static const char *const fates[] = { "kept", "lost", "other", NULL };
static const int64_t bounds[] = { 5, 1000, 1209600000, 0 };

static const struct metric table[] = {
	{ "parcels", METRIC_COUNTER, "Parcels by fate.", "fate", fates, NULL },
	{ "weight_bytes", METRIC_GAUGE, "What lies here.", NULL, NULL, NULL },
	{ "delay_seconds", METRIC_HISTOGRAM, "How long.", NULL, NULL, bounds },
	{ "speed_bytes_per_second", METRIC_HISTOGRAM, "How fast.", "fate",
	    fates, metrics_bounds_rate },
	{ NULL, 0, NULL, NULL, NULL, NULL },
};

static char *
expose(const struct metrics *metrics)
{
	struct buffer text;

	buffer_init(&text, 65536);
	metrics_format(metrics, &text);
	return text.data;
}

static bool
has(const char *text, const char *line)
{
	const char *at = strstr(text, line);

	return at != NULL && (at == text || at[-1] == '\n') &&
	    at[strlen(line)] == '\n';
}

TEST(counts_by_value)
{
	struct metrics *metrics = metrics_new("depot", table, 100);

	metrics_count(metrics, PARCELS, "kept");
	metrics_count(metrics, PARCELS, "kept");
	metrics_count(metrics, PARCELS, "lost");
	metrics_count(metrics, PARCELS, "eaten\n");
	metrics_count(metrics, PARCELS, NULL);
	metrics_set(metrics, WEIGHT, NULL, 77);
	CHECK(metrics_get(metrics, PARCELS, "kept") == 2);
	CHECK(metrics_get(metrics, PARCELS, "lost") == 1);
	CHECK(metrics_get(metrics, PARCELS, "other") == 2);
	CHECK(metrics_get(metrics, WEIGHT, NULL) == 77);
	metrics_count(NULL, PARCELS, "kept");
	metrics_observe(NULL, DELAY, NULL, 1);
	metrics_set(NULL, WEIGHT, NULL, 1);
	metrics_free(&metrics);
	CHECK(metrics == NULL);
}

TEST(buckets_have_their_upper_bound)
{
	static const struct {
		int64_t amount;
		const char *line;
	} rows[] = {
		{ -1, "cargomail_depot_delay_seconds_bucket{le=\"0.005\"} 1" },
		{ 5, "cargomail_depot_delay_seconds_bucket{le=\"0.005\"} 1" },
		{ 6, "cargomail_depot_delay_seconds_bucket{le=\"0.005\"} 0" },
		{ 6, "cargomail_depot_delay_seconds_bucket{le=\"1.0\"} 1" },
		{ 1001, "cargomail_depot_delay_seconds_bucket{le=\"1.0\"} 0" },
		{ 1209600001,
		    "cargomail_depot_delay_seconds_bucket{le=\"1.2096e+06\"} "
		    "0" },
		{ 1209600001,
		    "cargomail_depot_delay_seconds_bucket{le=\"+Inf\"} 1" },
		{ 1250, "cargomail_depot_delay_seconds_sum 1.25" },
		{ 1250, "cargomail_depot_delay_seconds_count 1" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct metrics *metrics = metrics_new("depot", table, 100);
		char *text;

		metrics_observe(metrics, DELAY, NULL, rows[i].amount);
		CHECK(metrics_get(metrics, DELAY, NULL) == 1);
		text = expose(metrics);
		CHECK_FOR(has(text, rows[i].line), "%s", rows[i].line);
		free(text);
		metrics_free(&metrics);
	}
}

TEST(exposition_is_complete)
{
	static const char *const lines[] = {
		"# TYPE cargomail_depot_yard_parcels counter",
		"# HELP cargomail_depot_yard_parcels Parcels by fate.",
		"cargomail_depot_yard_parcels_total{fate=\"kept\"} 1",
		"cargomail_depot_yard_parcels_total{fate=\"lost\"} 0",
		"# TYPE cargomail_depot_yard_weight_bytes gauge",
		"# UNIT cargomail_depot_yard_weight_bytes bytes",
		"cargomail_depot_yard_weight_bytes 0",
		"# UNIT cargomail_depot_yard_speed_bytes_per_second "
		"bytes_per_second",
		"cargomail_depot_yard_speed_bytes_per_second_bucket"
		"{fate=\"lost\",le=\"1e+06\"} 1",
		"cargomail_depot_yard_speed_bytes_per_second_bucket"
		"{fate=\"kept\",le=\"+Inf\"} 0",
		"cargomail_depot_yard_start_time_seconds 100",
		"cargomail_depot_yard_build_info{version=\"" VERSION "\"} 1",
	};
	struct metrics *metrics = metrics_new("depot-yard", table, 100);
	char *text;

	metrics_count(metrics, PARCELS, "kept");
	metrics_observe(metrics, SPEED, "lost", 500000);
	text = expose(metrics);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		CHECK_FOR(has(text, lines[i]), "%s", lines[i]);
	free(text);
	metrics_free(&metrics);
}

TEST(status_has_the_same)
{
	struct metrics *metrics = metrics_new("depot", table, 100);
	int64_t value = 0;
	cJSON *status;

	metrics_add(metrics, PARCELS, "lost", 7);
	metrics_set(metrics, WEIGHT, NULL, 9);
	metrics_observe(metrics, DELAY, NULL, 5);
	status = metrics_status(metrics);
	CHECK_STRING(json_string(status, "daemon"), "depot");
	CHECK(json_integer(status, "since", 100, 100, &value) == 0);
	CHECK(json_integer(status, "parcels_lost", 7, 7, &value) == 0);
	CHECK(json_integer(status, "parcels_kept", 0, 0, &value) == 0);
	CHECK(json_integer(status, "weight_bytes", 9, 9, &value) == 0);
	CHECK(
	    cJSON_GetObjectItemCaseSensitive(status, "delay_seconds") == NULL);
	cJSON_Delete(status);
	metrics_free(&metrics);
}

#define PROCESSES 4
#define ROUNDS 20000

TEST(processes_count_together)
{
	struct metrics *metrics = metrics_new("depot", table, 100);

	for (int i = 0; i < PROCESSES; i++)
		if (fork() == 0) {
			for (int j = 0; j < ROUNDS; j++) {
				metrics_count(metrics, PARCELS, "lost");
				metrics_observe(metrics, DELAY, NULL, j);
			}
			_exit(0);
		}
	while (wait(NULL) > 0)
		;
	CHECK(metrics_get(metrics, PARCELS, "lost") == PROCESSES * ROUNDS);
	CHECK(metrics_get(metrics, DELAY, NULL) == PROCESSES * ROUNDS);
	metrics_free(&metrics);
}

TEST(nobody_speaks_for_another)
{
	static const char answer[] =
	    "# TYPE cargomail_gripd_sign_tokens counter\n"
	    "cargomail_gripd_sign_tokens_total 1\n"
	    "cargomail_broker_messages_total 1\n"
	    "# TYPE cargomail_broker_messages counter\n"
	    "# EOF\n"
	    "cargomail_gripd_sign_tokens_total \x1b[2J\n"
	    "\n"
	    "cargomail_up{daemon=\"broker\"} 1\n"
	    "cargomail_gripd_sign_last 2";
	struct buffer text;
	char longest[700];

	buffer_init(&text, 65536);
	CHECK(metrics_verb_filter("gripd-sign", answer, &text) == 6);
	CHECK_STRING(buffer_string(&text),
	    "# TYPE cargomail_gripd_sign_tokens counter\n"
	    "cargomail_gripd_sign_tokens_total 1\n"
	    "cargomail_gripd_sign_last 2\n");
	buffer_clear(&text);
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	memcpy(longest, "cargomail_broker_", 17);
	CHECK(metrics_verb_filter("broker", longest, &text) == 1);
	CHECK(text.len == 0);
	buffer_free(&text);
}

int
main(void)
{
	RUN(counts_by_value);
	RUN(buckets_have_their_upper_bound);
	RUN(exposition_is_complete);
	RUN(status_has_the_same);
	RUN(processes_count_together);
	RUN(nobody_speaks_for_another);
	return test_done();
}
