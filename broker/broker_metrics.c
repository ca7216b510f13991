/* SPDX-License-Identifier: ISC
 *
 * See broker_metrics.h; cargomail-metrics(7) lists the same.
 */
#include "broker_metrics.h"

#include <stddef.h>

static const char *const directions[] = { "in", "out", NULL };

/* given-up: past notify_give_up, and delivered all the same. */
static const char *const notifications[] = { "accepted", "refused", "deferred",
	"given-up", NULL };

/* Problem types with which destinations say no, and our own words. */
static const char *const reasons[] = { "form", "purpose", "time", "audience",
	"possession", "subject", "signature", "chain", "user", "published",
	"digest", "not-shared", "revoked", "expired", "agent", "not-enrolled",
	"no-account", "not-allowed", "placeholder", "too-large", "other",
	NULL };

static const char *const replies[] = { "delivered", "deferred", "rejected",
	NULL };

static const char *const conversions[] = { "converted", "kept", "postponed",
	NULL };

static const char *const downgrades[] = { "page", "bounce", NULL };

const struct metric broker_metrics[] = {
	[BROKER_MESSAGES] = { "messages", METRIC_COUNTER,
	    "Messages from Postfix: placeholders that came in, and what users "
	    "submitted.",
	    "direction", directions, NULL },
	[BROKER_UNAUTHENTICATED] = { "unauthenticated_messages", METRIC_COUNTER,
	    "Placeholders whose sender is not proven.", NULL, NULL, NULL },
	[BROKER_NOTIFICATIONS] = { "notifications", METRIC_COUNTER,
	    "Recipients whose destination was told, by its answer.", "outcome",
	    notifications, NULL },
	[BROKER_REFUSALS] = { "refusals", METRIC_COUNTER,
	    "Notifications that were refused, by the reason.", "reason",
	    reasons, NULL },
	[BROKER_RECIPIENTS] = { "recipients", METRIC_COUNTER,
	    "Recipients, by what Postfix was answered.", "outcome", replies,
	    NULL },
	[BROKER_CONVERSIONS] = { "conversions", METRIC_COUNTER,
	    "Submitted messages: shared, left as they are, or to be tried "
	    "again.",
	    "outcome", conversions, NULL },
	[BROKER_DOWNGRADES] = { "downgrades", METRIC_COUNTER,
	    "Recipients without Cargomail of a converted message, by what "
	    "they got.",
	    "type", downgrades, NULL },
	[BROKER_WITHDRAWN] = { "withdrawn_shares", METRIC_COUNTER,
	    "Shares that were withdrawn, since nobody was sent the message.",
	    NULL, NULL, NULL },
	[BROKER_LATENCY] = { "filter_latency_seconds", METRIC_HISTOGRAM,
	    "Time from the end of a message's data to the reply.", "direction",
	    directions, metrics_bounds_latency },
	[BROKER_QUEUE_AGE] = { "queue_age_seconds", METRIC_HISTOGRAM,
	    "How long a message had been in Postfix when its recipients were "
	    "answered.",
	    "direction", directions, metrics_bounds_age },
	[BROKER_PROCESSES] = { "processes", METRIC_GAUGE,
	    "Connections of Postfix, each with its process.", NULL, NULL,
	    NULL },
	[BROKER_DESTINATIONS_DOWN] = { "destinations_down", METRIC_GAUGE,
	    "Destinations that are not tried for a while.", NULL, NULL, NULL },
	[BROKER_METRICS] = { NULL, METRIC_GAUGE, NULL, NULL, NULL, NULL },
};
