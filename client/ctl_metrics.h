/* SPDX-License-Identifier: ISC
 *
 * The few words of HTTP that `cargomailctl metrics --http` understands. By
 * hand, since it runs where no library may: with read and write only.
 */
#ifndef CTL_METRICS_H
#define CTL_METRICS_H

#include <stddef.h>

#define CTL_METRICS_REQUEST_MAX 8192

enum ctl_metrics_request {
	CTL_METRICS_MORE, /* no end of the head yet */
	CTL_METRICS_GET,
	CTL_METRICS_HEAD,
	CTL_METRICS_ELSEWHERE, /* another path */
	CTL_METRICS_BAD
};

/* What the bytes so far ask for. Fields are not looked at. */
enum ctl_metrics_request ctl_metrics_parse(const char *request, size_t len);

#endif
