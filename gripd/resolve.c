/* SPDX-License-Identifier: ISC
 *
 * The resolver role from start to end. What is opened as root: the sockets in
 * the clients' rooms, the control socket, /etc/resolv.conf. Afterwards it
 * needs no file at all; its descriptors are sockets only.
 */
#include "resolve.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "control.h"
#include "daemon.h"
#include "json_strict.h"
#include "log.h"
#include "memory.h"
#include "metrics_verb.h"
#include "dns_servers.h"
#include "resolve_admin.h"
#include "resolve_client.h"
#include "resolve_metrics.h"

#define DAEMON "gripd-resolve"
#define RESOLV_CONF "/etc/resolv.conf"
#define RESOLV_CONF_MAX 65536

struct connection {
	LIST_ENTRY(connection) entry;
	struct resolve *resolve;
	struct resolve_client *client;
};

struct listener {
	struct resolve *resolve;
	struct peer_listener peer;
	struct event *event;
};

struct resolve {
	const struct gripd_config *config;
	struct dns_options dns;
	struct resolve_world world;
	struct listener listeners[PEER_LISTENERS_MAX];
	size_t listener_count;
	LIST_HEAD(, connection) connections;
	size_t connection_count;
	struct control *control;
	struct resolve_admin *admin;
	int control_fd;
	struct event *signals[3];
};

/* ---- the end ---- */

static void
close_connections(struct resolve *resolve)
{
	struct connection *connection;

	while ((connection = LIST_FIRST(&resolve->connections)) != NULL) {
		LIST_REMOVE(connection, entry);
		resolve_client_free(&connection->client);
		free(connection);
	}
}

static void
resolve_close(struct resolve **resolve)
{
	struct resolve *r = *resolve;

	if (r == NULL)
		return;
	close_connections(r);
	for (size_t i = 0; i < r->listener_count; i++) {
		if (r->listeners[i].event != NULL)
			event_free(r->listeners[i].event);
		close(r->listeners[i].peer.fd);
	}
	if (r->control != NULL)
		control_stop(&r->control);
	if (r->control_fd != -1)
		close(r->control_fd);
	for (size_t i = 0; i < 3; i++)
		if (r->signals[i] != NULL)
			event_free(r->signals[i]);
	resolve_admin_free(&r->admin);
	dns_client_free(&r->world.dns);
	chain_cache_free(&r->world.cache);
	domain_cache_free(&r->world.domains);
	metrics_free(&r->world.metrics);
	address_policy_free(&r->world.policy);
	if (r->world.base != NULL)
		event_base_free(r->world.base);
	x_free(resolve);
}

/* ---- opening ---- */

static int
read_resolv_conf(struct dns_options *options_r, char **error_r)
{
	FILE *file = fopen(RESOLV_CONF, "re");
	char *text;
	size_t len;

	if (file == NULL) {
		*error_r = x_asprintf("cannot read %s: %m; set resolvers",
		    RESOLV_CONF);
		return -1;
	}
	text = x_calloc(1, RESOLV_CONF_MAX);
	len = fread(text, 1, RESOLV_CONF_MAX - 1, file);
	text[len] = '\0';
	fclose(file);
	dns_servers_resolv_conf(text, options_r);
	free(text);
	return 0;
}

static int
read_dns(const struct gripd_config *config, struct dns_options *options_r,
    char **error_r)
{
	int result;

	memset(options_r, 0, sizeof(*options_r));
	options_r->timeout_ms = (int)config->dns_timeout * 1000;
	options_r->queries_max = (size_t)config->dns_queries_max;
	if (config->resolvers.count > 0)
		result = dns_servers_configured(&config->resolvers, options_r,
		    error_r);
	else
		result = read_resolv_conf(options_r, error_r);
	if (result == 0 && config->dnssec == GRIPD_DNSSEC_REQUIRE &&
	    !options_r->trusted) {
		*error_r = x_asprintf("dnssec = require, but %s does not say "
				      "\"options trust-ad\": set resolvers to "
				      "a validating one",
		    RESOLV_CONF);
		return -1;
	}
	return result;
}

static int
read_policy(const struct gripd_config *config, struct address_policy **policy_r,
    char **error_r)
{
	*policy_r = address_policy_new();
	for (size_t i = 0; i < config->allow_addresses.count; i++)
		if (address_policy_add(*policy_r,
			config->allow_addresses.items[i]) != 0) {
			*error_r = x_asprintf("allow_addresses: \"%s\" is not "
					      "a network",
			    config->allow_addresses.items[i]);
			address_policy_free(policy_r);
			return -1;
		}
	return 0;
}

int
resolve_check(const struct gripd_config *config, char **error_r)
{
	struct address_policy *policy = NULL;
	struct dns_options options;
	int result;

	result = read_dns(config, &options, error_r);
	if (result == 0)
		result = read_policy(config, &policy, error_r);
	address_policy_free(&policy);
	return result;
}

static int
open_listeners(struct resolve *resolve, char **error_r)
{
	struct peer_listener listeners[PEER_LISTENERS_MAX];
	size_t count = 0;

	if (peer_list_listen(PEER_RESOLVE, resolve->config->base_directory,
		listeners, &count, error_r) != 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		resolve->listeners[i].resolve = resolve;
		resolve->listeners[i].peer = listeners[i];
	}
	resolve->listener_count = count;
	return 0;
}

struct resolve *
resolve_open(const struct gripd_config *config, char **error_r)
{
	struct resolve *resolve = x_calloc(1, sizeof(*resolve));

	resolve->config = config;
	resolve->control_fd = -1;
	LIST_INIT(&resolve->connections);
	if (read_dns(config, &resolve->dns, error_r) != 0 ||
	    read_policy(config, &resolve->world.policy, error_r) != 0 ||
	    open_listeners(resolve, error_r) != 0 ||
	    (resolve->control_fd = control_listen(DAEMON, error_r)) == -1)
		resolve_close(&resolve);
	return resolve;
}

/* ---- clients ---- */

static void
on_gone(void *arg)
{
	struct connection *connection = arg;

	LIST_REMOVE(connection, entry);
	connection->resolve->connection_count--;
	free(connection);
}

static void
on_accept(evutil_socket_t fd, short what, void *arg)
{
	struct listener *listener = arg;
	struct resolve *resolve = listener->resolve;
	struct connection *connection;
	int client;

	(void)fd;
	(void)what;
	client = peer_list_accept(&listener->peer);
	if (client == -1)
		return;
	connection = x_calloc(1, sizeof(*connection));
	connection->resolve = resolve;
	LIST_INSERT_HEAD(&resolve->connections, connection, entry);
	resolve->connection_count++;
	connection->client = resolve_client_new(&resolve->world, client,
	    listener->peer.route->client, on_gone, connection);
}

/* ---- control ---- */

static cJSON *
new_answer(void)
{
	cJSON *answer = cJSON_CreateObject();

	json_add_string(answer, "outcome", outcome_name(OUTCOME_OK));
	return answer;
}

/* What is not counted, but is so. */
static void
set_gauges(const struct resolve *resolve)
{
	const struct resolve_world *world = &resolve->world;

	metrics_set(world->metrics, RESOLVE_CONNECTIONS, NULL,
	    (int64_t)resolve->connection_count);
	metrics_set(world->metrics, RESOLVE_QUERIES_PENDING, NULL,
	    (int64_t)dns_client_pending(world->dns));
	metrics_set(world->metrics, RESOLVE_CACHE, NULL,
	    (int64_t)chain_cache_count(world->cache));
}

static void
on_metrics(void *context, struct control_connection *connection,
    const cJSON *request)
{
	const struct resolve *resolve = context;

	(void)request;
	set_gauges(resolve);
	metrics_verb_reply(resolve->world.metrics, connection);
}

static void
on_status(void *context, struct control_connection *connection,
    const cJSON *request)
{
	const struct resolve *resolve = context;
	cJSON *answer;

	(void)request;
	set_gauges(resolve);
	answer = metrics_status(resolve->world.metrics);
	json_add_boolean(answer, "dnssec_required",
	    resolve->world.require_secure);
	json_add_boolean(answer, "dnssec_trusted", resolve->dns.trusted);
	control_reply(connection, answer, 1);
}

static void
on_flush(void *context, struct control_connection *connection,
    const cJSON *request)
{
	struct resolve *resolve = context;
	cJSON *answer = new_answer();

	(void)request;
	json_add_integer(answer, "flushed",
	    (int64_t)chain_cache_flush(resolve->world.cache));
	domain_cache_flush(resolve->world.domains);
	control_reply(connection, answer, 1);
}

static void
on_lookup(void *context, struct control_connection *connection,
    const cJSON *request)
{
	const struct resolve *resolve = context;

	resolve_admin_lookup(resolve->admin, connection, request);
}

static const struct control_verb control_verbs[] = {
	{ "status", on_status },
	{ "metrics", on_metrics },
	{ "flush", on_flush },
	{ "lookup", on_lookup },
	{ NULL, NULL },
};

/* ---- serving ---- */

static void
on_end(evutil_socket_t number, short what, void *arg)
{
	struct resolve *resolve = arg;

	(void)number;
	(void)what;
	event_base_loopbreak(resolve->world.base);
}

/* SIGHUP: forget what was believed, as after a compromise. */
static void
on_hangup(evutil_socket_t number, short what, void *arg)
{
	struct resolve *resolve = arg;
	size_t count = chain_cache_flush(resolve->world.cache);

	(void)number;
	(void)what;
	domain_cache_flush(resolve->world.domains);
	log_text(LOG_INFO, "-", "flush", "%zu verdicts", count);
}

static int
start_events(struct resolve *resolve)
{
	struct event_base *base = resolve->world.base;

	resolve->signals[0] = evsignal_new(base, SIGTERM, on_end, resolve);
	resolve->signals[1] = evsignal_new(base, SIGINT, on_end, resolve);
	resolve->signals[2] = evsignal_new(base, SIGHUP, on_hangup, resolve);
	for (size_t i = 0; i < 3; i++)
		if (resolve->signals[i] == NULL ||
		    event_add(resolve->signals[i], NULL) != 0)
			return -1;
	for (size_t i = 0; i < resolve->listener_count; i++) {
		struct listener *listener = &resolve->listeners[i];

		listener->event = event_new(base, listener->peer.fd,
		    EV_READ | EV_PERSIST, on_accept, listener);
		if (listener->event == NULL ||
		    event_add(listener->event, NULL) != 0)
			return -1;
	}
	resolve->control =
	    control_start(base, resolve->control_fd, control_verbs, resolve);
	if (resolve->control == NULL)
		return -1;
	resolve->control_fd = -1; /* its own now */
	return 0;
}

/* 0 when told to end, -1 if it could not start. */
static int
serve(struct resolve *resolve)
{
	const struct gripd_config *config = resolve->config;
	struct resolve_world *world = &resolve->world;

	world->base = event_base_new();
	if (world->base == NULL)
		return -1;
	world->metrics = metrics_new(DAEMON, resolve_metrics, clock_now());
	resolve->dns.metrics = world->metrics;
	world->dns = dns_client_new(world->base, &resolve->dns);
	resolve->admin = resolve_admin_new(world->dns);
	world->cache = chain_cache_new((size_t)config->verdicts_max);
	world->domains = domain_cache_new();
	world->require_secure = config->dnssec == GRIPD_DNSSEC_REQUIRE;
	world->verdict_lifetime = config->verdict_lifetime;
	world->requests_max = (size_t)config->requests_max;
	world->now = clock_now;
	if (start_events(resolve) != 0)
		return -1;
	daemon_notify_ready(resolve->world.base);
	log_text(LOG_INFO, "-", "ready", "%zu sockets, %zu DNS servers%s",
	    resolve->listener_count, resolve->dns.count,
	    resolve->dns.trusted ? "" : " (AD not trusted)");
	event_base_dispatch(world->base);
	daemon_notify_stopping();
	return 0;
}

int
resolve_serve(struct resolve **resolve)
{
	int result = serve(*resolve);

	resolve_close(resolve);
	return result;
}
