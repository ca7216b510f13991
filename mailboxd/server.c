/* SPDX-License-Identifier: ISC
 *
 * Start, loop and end of mailboxd. See server.h.
 */
#include <sys/socket.h>

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "admin.h"
#include "clock.h"
#include "daemon.h"
#include "due.h"
#include "garbage.h"
#include "grip_remote_key.h"
#include "log.h"
#include "memory.h"
#include "message.h"
#include "password_worker.h"
#include "peer_list.h"
#include "placeholder_worker.h"
#include "privileges.h"
#include "pull_server.h"
#include "row_cache.h"
#include "server.h"
#include "server_tls.h"
#include "server_world.h"
#include "visit.h"
#include "wait_list.h"

#define STORE_PATH "/store"
#define TICK_SECONDS 5
#define STOP_MS 5000
/* The loop waits for a signature, and everybody with it: a signer that hangs
 * is asked again after a while only. */
#define SIGN_MS 1000
#define SIGN_PAUSE_MS 10000

/* ---- as root ------------------------------------------------------------- */

/* "0.0.0.0:443", "[::]:443": a listening socket, or -1 with *error_r. */
static int
bind_address(const char *text, char **error_r)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV |
		    AI_PASSIVE,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	char *host = x_strdup(text), *port = strrchr(host, ':'), *name = host;
	const int yes = 1;
	int fd = -1;

	if (port != NULL)
		*port++ = '\0';
	if (*name == '[' && name[strlen(name) - 1] == ']') {
		name[strlen(name) - 1] = '\0';
		name++;
	}
	if (port == NULL || getaddrinfo(name, port, &hints, &list) != 0) {
		*error_r = x_asprintf("listen: %s is not ADDRESS:PORT", text);
		goto out;
	}
	fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	if (fd == -1)
		goto fail;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (list->ai_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes,
		    sizeof(yes));
	if (bind(fd, list->ai_addr, list->ai_addrlen) == 0 &&
	    listen(fd, 1024) == 0)
		goto out;
fail:
	*error_r = x_asprintf("cannot listen on %s: %s", text, strerror(errno));
	if (fd != -1)
		close(fd);
	fd = -1;
out:
	freeaddrinfo(list);
	free(host);
	return fd;
}

static int
bind_world(const struct mailboxd *mailboxd, struct server_sockets *sockets,
    char **error_r)
{
	const struct config_list *list = &mailboxd->config->listen;
	size_t i;
	int fd;

	sockets->listen_count = (unsigned)daemon_passed_sockets("https",
	    sockets->listen, SERVER_LISTEN_MAX);
	if (sockets->listen_count > 0)
		return 0;
	for (i = 0; i < list->count && i < SERVER_LISTEN_MAX; i++) {
		fd = bind_address(list->items[i], error_r);
		if (fd == -1)
			return -1;
		sockets->listen[sockets->listen_count++] = fd;
	}
	return 0;
}

int
server_bind(struct mailboxd *mailboxd, struct server_sockets *sockets_r,
    char **error_r)
{
	memset(sockets_r, 0, sizeof(*sockets_r));
	if (bind_world(mailboxd, sockets_r, error_r) == -1 ||
	    peer_list_listen(PEER_MAILBOX, mailboxd->config->base_directory,
		mailboxd->peers, &mailboxd->peer_count, error_r) == -1)
		return -1;
	sockets_r->control = control_listen("mailboxd", error_r);
	return sockets_r->control == -1 ? -1 : 0;
}

/* ---- in the room --------------------------------------------------------- */

/* On the committer's thread. */
static void
observe_commit(void *arg, int64_t milliseconds)
{
	metrics_observe(arg, MAILBOXD_COMMIT_DURATION, NULL, milliseconds);
}

static void
open_store(struct mailboxd *mailboxd)
{
	const struct store_options options = {
		.free_floor = mailboxd->config->free_space_floor,
		.disk_threads = (int)mailboxd->config->disk_threads,
		.observe = observe_commit,
		.observe_arg = mailboxd->metrics,
	};
	struct reason why;

	mailboxd->store = store_open(STORE_PATH, &options, &why);
	/* Paths in it are those within the room. */
	if (mailboxd->store == NULL)
		log_fatal(why.outcome == OUTCOME_PERMFAIL ? EX_CONFIG :
							    EX_TEMPFAIL,
		    "in %s/%s: %s", mailboxd->config->base_directory,
		    peer_directory(PEER_MAILBOX), why.text);
	if (store_start(mailboxd->store, mailboxd->base) == -1)
		log_fatal(EX_OSERR, "cannot start the store: %s",
		    strerror(errno));
}

static void
open_tls(struct mailboxd *mailboxd)
{
	if (grip_remote_key_init() == -1)
		log_fatal(EX_OSERR, "OpenSSL takes no provider");
	mailboxd->tls = tls_server_new();
	mailboxd->signer =
	    grip_client_new(peer_socket_path(PEER_SIGN, PEER_MAILBOX),
		GRIP_PROTOCOL_SIGN, SIGN_MS);
	grip_client_set_pause(mailboxd->signer, SIGN_PAUSE_MS);
	mailboxd->resolver = local_asker_new(mailboxd->base,
	    peer_socket_path(PEER_RESOLVE, PEER_MAILBOX),
	    GRIP_PROTOCOL_RESOLVE);
}

/* The local doors; the world's follow with the certificates. */
static int
open_http(struct mailboxd *mailboxd)
{
	struct http_server_limits limits = http_server_default_limits;
	enum door door;
	unsigned i;

	limits.max_connections = (unsigned)mailboxd->config->connections;
	limits.max_per_client =
	    (unsigned)mailboxd->config->connections_per_client;
	mailboxd->http =
	    http_server_new(mailboxd->base, &limits, &visit_handler, mailboxd);
	for (i = 0; i < mailboxd->peer_count; i++) {
		door = mailboxd->peers[i].route->client == PEER_RETRIEVAL ?
		    DOOR_PULL :
		    DOOR_BROKER;
		if (http_server_listen(mailboxd->http, mailboxd->peers[i].fd,
			NULL, (int)door, 0) == -1)
			return -1;
	}
	return 0;
}

static void
on_tick(evutil_socket_t fd, short events, void *arg)
{
	struct mailboxd *mailboxd = arg;

	(void)fd;
	(void)events;
	garbage_sweep(mailboxd->store, clock_now(), NULL, NULL);
	due_sweep(mailboxd->store, mailboxd->config->sent_keep, clock_now());
}

/* ---- signals ------------------------------------------------------------- */

static void
on_stopped(void *arg)
{
	struct mailboxd *mailboxd = arg;

	event_base_loopexit(mailboxd->base, NULL);
}

static void
on_stop(evutil_socket_t signal, short events, void *arg)
{
	struct mailboxd *mailboxd = arg;

	(void)signal;
	(void)events;
	daemon_notify_stopping();
	http_server_stop(mailboxd->http, STOP_MS, on_stopped, mailboxd);
}

static void
on_reload(evutil_socket_t signal, short events, void *arg)
{
	(void)signal;
	(void)events;
	server_world_reload(arg);
}

/* ---- all ----------------------------------------------------------------- */

static void
fork_workers(struct server_sockets *sockets)
{
	sockets->passwords = work_pool_fork(password_worker_work, 1, 20);
	sockets->placeholders = work_pool_fork(placeholder_worker_work, 4, 20);
	if (sockets->passwords == -1 || sockets->placeholders == -1)
		log_fatal(EX_OSERR, "cannot start the work processes: %s",
		    strerror(errno));
}

static void
open_all(struct mailboxd *mailboxd, struct server_sockets *sockets)
{
	struct reason why;

	fork_workers(sockets);
	mailboxd->metrics =
	    metrics_new("mailboxd", mailboxd_metrics, clock_now());
	mailboxd->base = event_base_new();
	if (mailboxd->base == NULL)
		log_fatal(EX_OSERR, "libevent cannot start");
	mailboxd->passwords = work_pool_new(mailboxd->base, sockets->passwords);
	mailboxd->placeholders =
	    work_pool_new(mailboxd->base, sockets->placeholders);
	open_tls(mailboxd);
	open_store(mailboxd);
	mailboxd->rows = row_cache_new();
	mailboxd->messages = wait_list_new(mailboxd->base, message_try);
	mailboxd->pulls = pull_server_new(mailboxd, &why);
	if (mailboxd->pulls == NULL)
		log_fatal(EX_TEMPFAIL, "%s", why.text);
	if (open_http(mailboxd) == -1)
		log_fatal(EX_OSERR, "cannot serve the sockets");
	mailboxd->control = control_start(mailboxd->base, sockets->control,
	    admin_verbs, mailboxd);
}

static void
close_all(struct mailboxd *mailboxd)
{
	/* First who asks, then what was asked for; the last callbacks of
	 * the store still find everything else. */
	http_server_free(&mailboxd->http);
	store_close(&mailboxd->store);
	control_stop(&mailboxd->control);
	wait_list_free(&mailboxd->messages);
	row_cache_free(&mailboxd->rows);
	pull_server_free(&mailboxd->pulls);
	work_pool_free(&mailboxd->passwords);
	work_pool_free(&mailboxd->placeholders);
	local_asker_free(&mailboxd->resolver);
	tls_server_free(&mailboxd->tls);
	grip_client_free(&mailboxd->signer);
	metrics_free(&mailboxd->metrics);
}

int
server_run(struct mailboxd *mailboxd, struct server_sockets *sockets)
{
	const struct timeval tick = { TICK_SECONDS, 0 };
	struct server_world *world;
	struct event *events[4];
	size_t i;

	open_all(mailboxd, sockets);
	world = server_world_new(mailboxd, sockets);
	events[0] = evsignal_new(mailboxd->base, SIGTERM, on_stop, mailboxd);
	events[1] = evsignal_new(mailboxd->base, SIGINT, on_stop, mailboxd);
	events[2] = evsignal_new(mailboxd->base, SIGHUP, on_reload, world);
	events[3] =
	    event_new(mailboxd->base, -1, EV_PERSIST, on_tick, mailboxd);
	for (i = 0; i < 4; i++)
		if (events[i] == NULL ||
		    event_add(events[i], i == 3 ? &tick : NULL) == -1)
			log_fatal(EX_OSERR, "libevent cannot start");
	daemon_notify_ready(mailboxd->base);
	event_base_dispatch(mailboxd->base);
	server_world_free(&world);
	close_all(mailboxd);
	for (i = 0; i < 4; i++)
		event_free(events[i]);
	event_base_free(mailboxd->base);
	return EX_OK;
}
