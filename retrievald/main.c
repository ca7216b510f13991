/* SPDX-License-Identifier: ISC
 *
 * retrievald(8), the Resource Retrieval Agent: fetches what was shared with
 * the accounts of our mailboxd from origins that strangers name. Keeps
 * nothing on disk, holds no key, speaks no DNS.
 */
#include <signal.h>
#include <stdlib.h>
#include <sysexits.h>

#include <event2/event.h>

#include "control.h"
#include "daemon.h"
#include "http_client.h"
#include "log.h"
#include "memory.h"
#include "metrics_verb.h"
#include "peer_list.h"
#include "retrievald_config.h"
#include "worker_pool.h"

struct retrievald {
	struct retrievald_config config;
	struct event_base *base;
	struct control *control;
	struct worker_pool *pool;
};

static void
stop(evutil_socket_t number, short what, void *arg)
{
	(void)number;
	(void)what;
	event_base_loopbreak(arg);
}

static void
answer_status(void *context, struct control_connection *connection,
    const cJSON *request)
{
	const struct retrievald *retrievald = context;

	(void)request;
	control_reply(connection,
	    metrics_status(worker_pool_metrics(retrievald->pool)), 1);
}

static void
answer_metrics(void *context, struct control_connection *connection,
    const cJSON *request)
{
	const struct retrievald *retrievald = context;

	(void)request;
	metrics_verb_reply(worker_pool_metrics(retrievald->pool), connection);
}

static const struct control_verb verbs[] = {
	{ "status", answer_status },
	{ "metrics", answer_metrics },
	{ NULL, NULL },
};

/* Everything that needs root or the whole file system. */
static void
configure(struct retrievald *retrievald, const struct daemon_options *options)
{
	struct retrievald_config *config = &retrievald->config;
	char *error = NULL;

	if (retrievald_config_read(options->config, config, &error) < 0)
		log_fatal(EX_CONFIG, "%s", error);
	if (outward_open(&config->outward, options->config, &error) < 0)
		log_fatal(EX_CONFIG, "%s", error);
	if (options->check)
		exit(EX_OK);
}

static void
serve(struct retrievald *retrievald, int control_fd)
{
	struct event *terminate, *interrupt;

	terminate =
	    evsignal_new(retrievald->base, SIGTERM, stop, retrievald->base);
	interrupt =
	    evsignal_new(retrievald->base, SIGINT, stop, retrievald->base);
	event_add(terminate, NULL);
	event_add(interrupt, NULL);
	retrievald->control =
	    control_start(retrievald->base, control_fd, verbs, retrievald);
	daemon_notify_ready(retrievald->base);
	log_text(LOG_INFO, "-", "started", "%d workers",
	    (int)retrievald->config.workers);
	event_base_dispatch(retrievald->base);
	daemon_notify_stopping();
	event_free(terminate);
	event_free(interrupt);
	control_stop(&retrievald->control);
}

int
main(int argc, char **argv)
{
	struct daemon_options options = { .config = SYSCONFDIR
		"/cargomail/retrievald.conf" };
	struct retrievald retrievald = { 0 };
	char *error = NULL;
	int control_fd;

	daemon_options(argc, argv, false, &options);
	log_open("retrievald", options.debug ? LOG_DEBUG : LOG_INFO);
	daemon_prepare();
	configure(&retrievald, &options);
	control_fd = control_listen("retrievald", &error);
	if (control_fd < 0)
		log_fatal(EX_OSERR, "%s", error);
	peer_enter_room(PEER_RETRIEVAL, retrievald.config.base_directory, NULL);
	/* Nothing to read again: the bundle lies outside of the chroot. */
	signal(SIGHUP, SIG_IGN);
	retrievald.base = event_base_new();
	if (retrievald.base != NULL)
		retrievald.pool =
		    worker_pool_start(retrievald.base, &retrievald.config);
	if (retrievald.pool == NULL)
		log_fatal(EX_OSERR, "cannot start workers");
	serve(&retrievald, control_fd);
	worker_pool_stop(&retrievald.pool);
	event_base_free(retrievald.base);
	retrievald_config_free(&retrievald.config);
	return 0;
}
