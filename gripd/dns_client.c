/* SPDX-License-Identifier: ISC
 *
 * Lookups over exchanges. A failing server is followed by the next one, at
 * most twice round, until the deadline; a definite answer of any of them ends
 * it. What the servers say is hostile as far as the zones behind it go: the
 * chase through CNAMEs is bounded over all packets together.
 */
#include "dns_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <event2/event.h>

#include "memory.h"
#include "resolve_metrics.h"

#define ROUNDS 2
#define TRY_MIN_MS 250
#define TRY_MAX_MS 2000
#define ZONE_SHARE 20 /* of all queries that one zone may have under way */
#define ZONE_LEAST 8

struct dns_client {
	struct event_base *base;
	struct dns_options options;
	int try_ms; /* one server's time */
	size_t pending;
	LIST_HEAD(, dns_lookup) lookups;
};

struct dns_lookup {
	LIST_ENTRY(dns_lookup) entry;
	const char *zone; /* last two labels of the first name */
	char name[DNS_NAME_SIZE];
	struct dns_client *client;
	struct dns_question question; /* the name asked now */
	struct dns_exchange *exchange;
	struct event *deadline;
	size_t attempt; /* for the name asked now */
	unsigned hops; /* CNAMEs so far */
	bool secure; /* all hops so far */
	uint32_t ttl; /* least so far */
	const char *failure;
	dns_lookup_done *done;
	void *arg;
};

struct dns_client *
dns_client_new(struct event_base *base, const struct dns_options *options)
{
	struct dns_client *client = x_calloc(1, sizeof(*client));
	int share = options->timeout_ms / (int)(options->count * ROUNDS);

	client->base = base;
	client->options = *options;
	client->try_ms = share < TRY_MIN_MS ? TRY_MIN_MS :
	    share > TRY_MAX_MS		    ? TRY_MAX_MS :
					      share;
	return client;
}

void
dns_client_free(struct dns_client **client)
{
	x_free(client);
}

size_t
dns_client_pending(const struct dns_client *client)
{
	return client->pending;
}

void
dns_lookup_cancel(struct dns_lookup **lookup)
{
	struct dns_lookup *l = *lookup;

	if (l == NULL)
		return;
	dns_exchange_cancel(&l->exchange);
	event_free(l->deadline);
	l->client->pending--;
	LIST_REMOVE(l, entry);
	free(l);
	*lookup = NULL;
}

/* Tells the answer and frees both. */
static void
finish(struct dns_lookup *lookup, struct dns_answer *answer)
{
	dns_lookup_done *done = lookup->done;
	void *arg = lookup->arg;

	metrics_count(lookup->client->options.metrics, RESOLVE_QUERIES,
	    answer->status == DNS_DATA	      ? "data" :
		answer->status == DNS_NO_DATA ? "no_data" :
		answer->status == DNS_NO_NAME ? "no_name" :
						"failed");
	dns_lookup_cancel(&lookup);
	done(arg, answer);
	dns_answer_free(answer);
}

static void
finish_failed(struct dns_lookup *lookup, const char *detail)
{
	struct dns_answer answer = { 0 };

	dns_answer_fail(&answer, detail);
	finish(lookup, &answer);
}

static void on_answer(void *arg, struct dns_answer *answer);

static void
ask(struct dns_lookup *lookup)
{
	const struct dns_options *options = &lookup->client->options;

	lookup->exchange = dns_exchange_start(lookup->client->base,
	    &options->servers[lookup->attempt++ % options->count],
	    &lookup->question, lookup->client->try_ms, on_answer, lookup);
}

/* The next name of the chain, from the first server on. */
static void
chase(struct dns_lookup *lookup, struct dns_answer *answer)
{
	snprintf(lookup->question.name, sizeof(lookup->question.name), "%s",
	    answer->target);
	dns_answer_free(answer);
	lookup->attempt = 0;
	ask(lookup);
}

static void
on_answer(void *arg, struct dns_answer *answer)
{
	struct dns_lookup *lookup = arg;
	const struct dns_options *options = &lookup->client->options;

	lookup->exchange = NULL; /* it ended itself */
	if (answer->status == DNS_FAILED) {
		if (lookup->attempt >= options->count * ROUNDS) {
			finish(lookup, answer);
			return;
		}
		dns_answer_free(answer);
		ask(lookup);
		return;
	}
	lookup->hops += answer->hops;
	lookup->secure = lookup->secure && answer->secure;
	if (answer->ttl < lookup->ttl)
		lookup->ttl = answer->ttl;
	if (lookup->hops > DNS_CHASE_MAX) {
		dns_answer_free(answer);
		finish_failed(lookup, "too many CNAMEs");
		return;
	}
	if (answer->status == DNS_CHASE) {
		chase(lookup, answer);
		return;
	}
	/* A CNAME of an earlier packet is the name asked in this one. */
	if (answer->hops == 0 && lookup->hops > 0)
		snprintf(answer->target, sizeof(answer->target), "%s",
		    lookup->question.name);
	answer->hops = lookup->hops;
	answer->secure = lookup->secure;
	answer->ttl = lookup->ttl;
	finish(lookup, answer);
}

static void
on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct dns_lookup *lookup = arg;

	(void)fd;
	(void)what;
	finish_failed(lookup, lookup->failure);
}

/* "bar.test" of "_cb.bar.test". */
static const char *
last_labels(const char *name)
{
	const char *at = name + strlen(name);
	int dots = 0;

	while (at > name && (at[-1] != '.' || ++dots < 2))
		at--;
	return at;
}

/* Names that strangers choose may lie in zones whose servers never answer:
 * one zone must not hold all the room. */
static bool
zone_is_busy(const struct dns_client *client, const char *name)
{
	size_t most = client->options.queries_max / ZONE_SHARE, count = 0;
	const char *zone = last_labels(name);
	const struct dns_lookup *lookup;

	LIST_FOREACH(lookup, &client->lookups, entry)
	count += strcmp(lookup->zone, zone) == 0;
	return count >= (most > ZONE_LEAST ? most : ZONE_LEAST);
}

struct dns_lookup *
dns_client_lookup(struct dns_client *client, const char *name,
    enum dns_type type, dns_lookup_done *done, void *arg)
{
	struct dns_lookup *lookup = x_calloc(1, sizeof(*lookup));
	int milliseconds = client->options.timeout_ms;
	struct timeval tv;
	bool busy = client->pending >= client->options.queries_max ||
	    zone_is_busy(client, name);

	lookup->client = client;
	lookup->question.type = type;
	snprintf(lookup->question.name, sizeof(lookup->question.name), "%s",
	    name);
	snprintf(lookup->name, sizeof(lookup->name), "%s", name);
	lookup->zone = last_labels(lookup->name);
	lookup->secure = client->options.trusted;
	lookup->ttl = UINT32_MAX;
	lookup->done = done;
	lookup->arg = arg;
	lookup->failure = busy ? "too many queries under way" : "time-out";
	lookup->deadline = evtimer_new(client->base, on_deadline, lookup);
	if (lookup->deadline == NULL)
		abort(); /* out of memory, as x_calloc */
	client->pending++;
	LIST_INSERT_HEAD(&client->lookups, lookup, entry);
	if (busy)
		milliseconds = 0;
	tv =
	    (struct timeval){ milliseconds / 1000, milliseconds % 1000 * 1000 };
	event_add(lookup->deadline, &tv);
	if (!busy)
		ask(lookup);
	return lookup;
}
