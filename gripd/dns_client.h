/* SPDX-License-Identifier: ISC
 *
 * Looking up a name: tries the configured servers in turn within one
 * deadline, follows CNAMEs that lead out of an answer, and says whether every
 * hop was validated. Nothing is cached here: the resolver next door does.
 */
#ifndef DNS_CLIENT_H
#define DNS_CLIENT_H

#include "dns_exchange.h"

#define DNS_SERVERS_MAX 8

struct dns_options {
	struct dns_server servers[DNS_SERVERS_MAX];
	size_t count;
	bool trusted; /* their AD bit is believed */
	int timeout_ms; /* for one name in all */
	size_t queries_max; /* names asked at once */
	struct metrics *metrics; /* resolve_metrics; NULL: none */
};

struct dns_client;
struct dns_lookup;

struct dns_client *
dns_client_new(struct event_base *base, const struct dns_options *options);
/* All lookups must have ended or been cancelled. */
void dns_client_free(struct dns_client **client);

/* Lookups under way. */
size_t dns_client_pending(const struct dns_client *client);

/*
 * Called once from the loop, never from dns_client_lookup; the lookup is gone
 * then. `answer` has DNS_DATA, DNS_NO_DATA, DNS_NO_NAME or DNS_FAILED; it and
 * its records are the module's.
 */
typedef void dns_lookup_done(void *arg, const struct dns_answer *answer);

/* `name` in lower case, without trailing dot. */
struct dns_lookup *dns_client_lookup(struct dns_client *client,
    const char *name, enum dns_type type, dns_lookup_done *done, void *arg);

/* Ends it without a call; NULL is fine. Sets it to NULL. */
void dns_lookup_cancel(struct dns_lookup **lookup);

#endif
