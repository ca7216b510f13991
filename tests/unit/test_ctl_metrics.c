/* SPDX-License-Identifier: ISC
 *
 * What may be asked of `cargomailctl metrics --http`.
 */
#include "ctl_metrics.h"
#include "test.h"

TEST(a_request_is_read)
{
	static const struct {
		const char *text;
		enum ctl_metrics_request meaning;
	} table[] = {
		{ "", CTL_METRICS_MORE },
		{ "GET /metrics HTTP/1.1\r\nHost: a\r\n", CTL_METRICS_MORE },
		{ "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", CTL_METRICS_GET },
		{ "GET /metrics HTTP/1.0\n\n", CTL_METRICS_GET },
		{ "GET /metrics?a=b HTTP/1.1\r\n\r\n", CTL_METRICS_GET },
		{ "HEAD /metrics HTTP/1.1\r\n\r\n", CTL_METRICS_HEAD },
		{ "GET /metricsx HTTP/1.1\r\n\r\n", CTL_METRICS_ELSEWHERE },
		{ "GET / HTTP/1.1\r\n\r\n", CTL_METRICS_ELSEWHERE },
		{ "GET", CTL_METRICS_MORE },
		{ "POST /metrics HTTP/1.1\r\n\r\n", CTL_METRICS_BAD },
		{ "\r\n\r\n", CTL_METRICS_BAD },
		{ " GET /metrics HTTP/1.1\r\n\r\n", CTL_METRICS_BAD },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		CHECK_FOR(ctl_metrics_parse(table[i].text,
			      strlen(table[i].text)) == table[i].meaning,
		    "%s", table[i].text);
}

int
main(void)
{
	RUN(a_request_is_read);
	return test_done();
}
