/* SPDX-License-Identifier: ISC
 *
 * broker(8), the Cargo Broker: takes placeholders, and what users submit, from
 * Postfix by LMTP, tells the recipients' Resource Mailboxes, puts resources
 * into the senders', and gives the messages back. Keeps nothing on disk but
 * the secret in its shares' names, holds no key, speaks no DNS.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include <event2/event.h>

#include "breaker.h"
#include "broker_config.h"
#include "broker_metrics.h"
#include "clock.h"
#include "connection.h"
#include "control.h"
#include "daemon.h"
#include "destination_map.h"
#include "grip_remote_key.h"
#include "http_client.h"
#include "log.h"
#include "memory.h"
#include "metrics_verb.h"
#include "peer_list.h"
#include "privileges.h"
#include "probe.h"
#include "renotify_child.h"
#include "share_secret.h"
#include "unix_socket.h"

#define STOP_SECONDS 5 /* for connections under way */

struct broker {
	struct broker_config config;
	struct destination_map *map, *origins;
	struct breaker *breaker;
	struct event_base *base;
	struct connection_list *connections;
	unsigned char secret[SHARE_SECRET_LEN];
	uid_t postfix;
	struct metrics *metrics;
	struct probe *probe;
	struct renotify_children *renotify;
};

static void
stop(evutil_socket_t number, short what, void *arg)
{
	(void)number;
	(void)what;
	event_base_loopbreak(arg);
}

static const struct metrics *
current_metrics(const struct broker *broker)
{
	metrics_set(broker->metrics, BROKER_PROCESSES, NULL,
	    (int64_t)connection_count(broker->connections));
	metrics_set(broker->metrics, BROKER_DESTINATIONS_DOWN, NULL,
	    breaker_open(broker->breaker, clock_now()));
	return broker->metrics;
}

static void
answer_status(void *context, struct control_connection *connection,
    const cJSON *request)
{
	(void)request;
	control_reply(connection, metrics_status(current_metrics(context)), 1);
}

static void
answer_metrics(void *context, struct control_connection *connection,
    const cJSON *request)
{
	(void)request;
	metrics_verb_reply(current_metrics(context), connection);
}

static void
answer_probe(void *context, struct control_connection *connection,
    const cJSON *request)
{
	struct broker *broker = context;

	probe_answer(broker->probe, connection, request);
}

static void
answer_renotify(void *context, struct control_connection *connection,
    const cJSON *request)
{
	struct broker *broker = context;

	renotify_children_serve(broker->renotify, connection, request);
}

static const struct control_verb verbs[] = {
	{ "status", answer_status },
	{ "metrics", answer_metrics },
	{ "probe", answer_probe },
	{ "renotify", answer_renotify },
	{ NULL, NULL },
};

/* Everything that needs the whole file system. */
static void
configure(struct broker *broker, const struct daemon_options *options)
{
	struct broker_config *config = &broker->config;
	char *error = NULL;

	if (broker_config_read(options->config, config, &error) < 0)
		log_fatal(EX_CONFIG, "%s", error);
	broker->map = destination_map_read(config->destinations,
	    &config->outward.port_list, &error);
	if (broker->map != NULL && config->out_listen[0] != '\0') {
		broker->origins = destination_map_read(config->origins,
		    &config->outward.port_list, &error);
		if (broker->origins == NULL)
			destination_map_free(&broker->map);
	}
	if (broker->map == NULL)
		log_fatal(EX_CONFIG, "%s", error);
	if (outward_open(&config->outward, options->config, &error) < 0)
		log_fatal(EX_CONFIG, "%s", error);
	if (options->check)
		exit(EX_OK);
}

/* A socket for Postfix, which lies in Postfix's own chroot. One that was
 * passed has its owner and mode already, and there may be no user table. */
static int
listen_lmtp(struct broker *broker, const char *name, const char *path)
{
	const struct broker_config *config = &broker->config;
	struct unix_socket_owner owner = { .mode = 0600 };
	int fd = daemon_passed_socket(name);

	if (path[0] == '\0') {
		if (fd >= 0)
			close(fd); /* the unit has it, we do not want it */
		return -1;
	}
	broker->postfix = CONNECTION_ANY_PEER;
	if (privileges_find_user(config->listen_user, &owner.uid, &owner.gid) ==
	    0)
		broker->postfix = owner.uid;
	else if (fd < 0)
		log_fatal(EX_NOUSER, "there is no user %s (listen_user)",
		    config->listen_user);
	if (fd < 0)
		fd = unix_socket_listen(path, SOCK_STREAM, &owner);
	if (fd < 0)
		log_fatal(EX_OSERR, "cannot listen on %s: %s", path,
		    strerror(errno));
	return fd;
}

static void
serve(struct broker *broker, int control_fd)
{
	const struct renotify_options renotify = { &broker->config, broker->map,
		broker->breaker, broker->metrics };
	struct event *terminate, *interrupt;
	struct control *control;

	terminate = evsignal_new(broker->base, SIGTERM, stop, broker->base);
	interrupt = evsignal_new(broker->base, SIGINT, stop, broker->base);
	event_add(terminate, NULL);
	event_add(interrupt, NULL);
	broker->renotify = renotify_children_new(broker->base, &renotify);
	control = control_start(broker->base, control_fd, verbs, broker);
	control_set_text(control, "renotify", RENOTIFY_TEXT_MAX);
	daemon_notify_ready(broker->base);
	log_text(LOG_INFO, "-", "started", "%zu lines of destinations",
	    destination_map_count(broker->map));
	event_base_dispatch(broker->base);
	daemon_notify_stopping();
	event_free(terminate);
	event_free(interrupt);
	renotify_children_free(&broker->renotify);
	control_stop(&control);
}

int
main(int argc, char **argv)
{
	struct daemon_options options = { .config = SYSCONFDIR
		"/cargomail/broker.conf" };
	struct broker broker = { .postfix = 0 };
	struct connection_options connections;
	char *error = NULL;
	int control_fd, fds[CONNECTION_KINDS];

	daemon_options(argc, argv, false, &options);
	log_open("broker", options.debug ? LOG_DEBUG : LOG_INFO);
	daemon_prepare();
	configure(&broker, &options);
	control_fd = control_listen("broker", &error);
	if (control_fd < 0)
		log_fatal(EX_OSERR, "%s", error);
	fds[CONNECTION_IN] = listen_lmtp(&broker, "in", broker.config.listen);
	fds[CONNECTION_OUT] =
	    listen_lmtp(&broker, "out", broker.config.out_listen);
	peer_enter_room(PEER_BROKER, broker.config.base_directory,
	    broker.config.group[0] != '\0' ? broker.config.group : NULL);
	signal(SIGHUP, SIG_IGN); /* what it reads lies outside the chroot */
	if (broker.origins != NULL)
		share_secret_open(CONNECTION_SPOOL, broker.secret);
	broker.base = event_base_new();
	broker.breaker = breaker_new(broker.config.breaker_failures,
	    broker.config.breaker_pause);
	broker.metrics = metrics_new("broker", broker_metrics, clock_now());
	broker.probe = probe_new();
	if (broker.base == NULL || broker.breaker == NULL ||
	    broker.probe == NULL || grip_remote_key_init() < 0)
		log_fatal(EX_OSERR, "cannot start: out of memory");
	connections = (struct connection_options){ &broker.config, broker.map,
		broker.origins, broker.secret, broker.breaker, broker.metrics,
		broker.postfix, broker.probe };
	broker.connections = connection_start(broker.base, fds, &connections);
	serve(&broker, control_fd);
	connection_stop(&broker.connections, STOP_SECONDS);
	event_base_free(broker.base);
	breaker_free(&broker.breaker);
	probe_free(&broker.probe);
	metrics_free(&broker.metrics);
	destination_map_free(&broker.map);
	destination_map_free(&broker.origins);
	broker_config_free(&broker.config);
	return 0;
}
