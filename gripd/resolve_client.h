/* SPDX-License-Identifier: ISC
 *
 * A client of the resolver: one SOCK_SEQPACKET connection of broker, mailboxd
 * or retrievald, many requests in flight. What comes in is hostile; garbage
 * drops the connection. A connection that is full (too many requests in
 * flight, answers not read) is not read until there is room.
 */
#ifndef RESOLVE_CLIENT_H
#define RESOLVE_CLIENT_H

#include <sys/queue.h>

#include <event2/event.h>

#include <cjson/cJSON.h>

#include "address_policy.h"
#include "chain_cache.h"
#include "dns_client.h"
#include "domain_cache.h"
#include "metrics.h"
#include "outcome.h"
#include "peer_list.h"

/* What all requests share. */
struct resolve_world {
	struct event_base *base;
	struct dns_client *dns;
	struct chain_cache *cache;
	struct domain_cache *domains; /* which have Cargomail */
	struct address_policy *policy;
	bool require_secure; /* dnssec = require */
	int64_t verdict_lifetime; /* seconds */
	size_t requests_max; /* in flight on one connection */
	int64_t (*now)(void); /* seconds since 1970 */
	struct metrics *metrics; /* resolve_metrics */
};

struct resolve_client;

struct resolve_request {
	TAILQ_ENTRY(resolve_request) entry;
	struct resolve_world *world;
	struct resolve_client *client;
	enum peer peer; /* who asks */
	int64_t id;
	cJSON *json;
	/* Set by a handler that does not finish at once: stops what is under
	 * way and frees `state`. Called once, at the end or when the client is
	 * gone. */
	void (*release)(struct resolve_request *request);
	void *state;
};

/* Serves a connected, non-blocking descriptor (taken over) until it ends;
 * then `gone` is called (may be NULL) and it frees itself. */
struct resolve_client *resolve_client_new(struct resolve_world *world, int fd,
    enum peer peer, void (*gone)(void *arg), void *arg);

/* Drops the connection and all its requests, without `gone`. */
void resolve_client_free(struct resolve_client **client);

/* Answers and frees the request; `fields` (taken over) for OK, `why` for the
 * rest. */
void resolve_request_finish(struct resolve_request *request,
    enum outcome outcome, const struct reason *why, cJSON *fields);

#endif
