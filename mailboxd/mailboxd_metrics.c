/* SPDX-License-Identifier: ISC
 *
 * See mailboxd_metrics.h; cargomail-metrics(7) lists the same.
 */
#include "mailboxd_metrics.h"

#include <stddef.h>

/* The problem types of cargo_problem.c. */
static const char *const problems[] = { "form", "purpose", "time", "audience",
	"possession", "subject", "signature", "chain", "user", "published",
	"digest", "credentials", "not-shared", "revoked", "expired", "agent",
	"not-enrolled", "not-released", "no-account", "not-allowed",
	"malformed", "not-found", "conflict", "lease", "too-large",
	"wrong-hash", "wrong-size", "placeholder", "account-limit", "busy",
	"internal", "unavailable", "quota", "no-space", "other", NULL };

static const char *const notifications[] = { "new", "again", NULL };

/* again: a worker was done, but not all is here; linked: nothing had to
 * move. */
static const char *const pulls[] = { "finished", "linked", "again", "retried",
	"failed", "expired", "lapsed", NULL };

static const char *const shares[] = { "made", "revoked", "other", NULL };
static const char *const pages[] = { "viewed", "downloaded", NULL };
static const char *const states[] = { "due", "leased", NULL };

const struct metric mailboxd_metrics[] = {
	[MAILBOXD_CONNECTIONS] = { "connections", METRIC_GAUGE,
	    "Connections of all doors.", NULL, NULL, NULL },
	[MAILBOXD_REFUSED] = { "refused_connections", METRIC_COUNTER,
	    "Handshakes and heads that were refused.", NULL, NULL, NULL },
	[MAILBOXD_REQUESTS] = { "requests", METRIC_COUNTER, "HTTP requests.",
	    NULL, NULL, NULL },
	[MAILBOXD_RECEIVED] = { "received_bytes", METRIC_COUNTER,
	    "Bytes of the bodies of requests.", NULL, NULL, NULL },
	[MAILBOXD_SENT] = { "sent_bytes", METRIC_COUNTER,
	    "Bytes of the bodies of replies.", NULL, NULL, NULL },
	[MAILBOXD_PROBLEMS] = { "problems", METRIC_COUNTER,
	    "Requests that were refused, by the problem type.", "reason",
	    problems, NULL },
	[MAILBOXD_NOTIFICATIONS] = { "notifications", METRIC_COUNTER,
	    "Messages that were announced and taken.", "outcome", notifications,
	    NULL },
	[MAILBOXD_PULLS] = { "pulls", METRIC_COUNTER,
	    "What became of pulls and of leases of them.", "outcome", pulls,
	    NULL },
	[MAILBOXD_PULL_AGE] = { "pull_age_seconds", METRIC_HISTOGRAM,
	    "Time from the notification until the last resource was here.",
	    NULL, NULL, metrics_bounds_age },
	[MAILBOXD_LEASES] = { "leases", METRIC_GAUGE, "Leases that are live.",
	    NULL, NULL, NULL },
	[MAILBOXD_STORED] = { "stored_resources", METRIC_COUNTER,
	    "Resources that came and are durable.", NULL, NULL, NULL },
	[MAILBOXD_STORED_BYTES] = { "stored_bytes", METRIC_COUNTER,
	    "Their bytes.", NULL, NULL, NULL },
	[MAILBOXD_COMMITS] = { "commits", METRIC_COUNTER,
	    "Transactions that are durable.", NULL, NULL, NULL },
	[MAILBOXD_CLOSURES] = { "commit_closures", METRIC_COUNTER,
	    "Changes in them.", NULL, NULL, NULL },
	[MAILBOXD_COMMIT_DURATION] = { "commit_duration_seconds",
	    METRIC_HISTOGRAM,
	    "Time for a transaction, its synchronisation with the disk "
	    "included.",
	    NULL, NULL, metrics_bounds_latency },
	[MAILBOXD_SHARES] = { "shares", METRIC_COUNTER,
	    "Shares that were made or revoked.", "event", shares, NULL },
	[MAILBOXD_PAGES] = { "pages", METRIC_COUNTER,
	    "Pages that were viewed, and resources downloaded by them.",
	    "event", pages, NULL },
	[MAILBOXD_FREE] = { "free_bytes", METRIC_GAUGE,
	    "Bytes free on the disk.", NULL, NULL, NULL },
	[MAILBOXD_ACCOUNTS_MADE] = { "made_accounts", METRIC_COUNTER,
	    "Accounts that came by themselves (create_accounts).", NULL, NULL,
	    NULL },
	[MAILBOXD_ACCOUNTS] = { "accounts", METRIC_GAUGE,
	    "Accounts, by the last walk through the store.", NULL, NULL, NULL },
	[MAILBOXD_RESOURCES] = { "resources", METRIC_GAUGE,
	    "Resources in the store, by the last walk.", NULL, NULL, NULL },
	[MAILBOXD_RESOURCE_BYTES] = { "resource_bytes", METRIC_GAUGE,
	    "Their bytes.", NULL, NULL, NULL },
	[MAILBOXD_QUEUE] = { "queued_pulls", METRIC_GAUGE,
	    "Pulls that wait or are worked on, by the last walk.", "state",
	    states, NULL },
	[MAILBOXD_METRICS] = { NULL, METRIC_GAUGE, NULL, NULL, NULL, NULL },
};
