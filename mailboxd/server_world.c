/* SPDX-License-Identifier: ISC
 *
 * The sockets of the world are served as soon as gripd has shown a certificate
 * for every host name: it may start beside us, and certificates come when
 * somebody asked an authority for them. One line says what we wait for.
 */
#include "server_world.h"

#include <stdio.h>
#include <sysexits.h>

#include "daemon.h"
#include "log.h"
#include "memory.h"
#include "server_tls.h"

#define AGAIN_SECONDS 1
/* One command tells the signer and us; it must have read them before. */
#define RELOAD_SECONDS 1

/* Who connects before they are there waits in the backlog. */
struct server_world {
	struct mailboxd *mailboxd;
	const struct server_sockets *sockets;
	struct event *again;
	struct event *reload;
	struct reason said; /* what we wait for */
};

static void
world_listen(const struct server_world *world)
{
	struct mailboxd *mailboxd = world->mailboxd;
	unsigned flags =
	    mailboxd->config->proxy_protocol ? HTTP_LISTEN_PROXY : 0;

	for (unsigned i = 0; i < world->sockets->listen_count; i++)
		if (http_server_listen(mailboxd->http,
			world->sockets->listen[i], mailboxd->tls, DOOR_TLS,
			flags) == -1)
			log_fatal(EX_OSERR, "cannot serve the sockets");
	daemon_notify_status("serves");
	log_text(LOG_INFO, "-", "ready", "%s",
	    mailboxd->config->server_names.items[0]);
}

static void
world_open(evutil_socket_t fd, short events, void *arg)
{
	const struct timeval again = { AGAIN_SECONDS, 0 };
	struct server_world *world = arg;
	enum outcome outcome;
	struct reason why;

	(void)fd;
	(void)events;
	outcome = server_tls_load(world->mailboxd, &why);
	if (outcome == OUTCOME_OK) {
		world_listen(world);
		return;
	}
	if (!reason_is(&why, world->said.word)) {
		daemon_notify_status(why.text);
		log_text(LOG_WARNING, "-", "wait", "%s%s",
		    outcome == OUTCOME_TEMPFAIL ? "gripd: " : "", why.text);
	}
	world->said = why;
	event_add(world->again, &again);
}

static void
world_reload(evutil_socket_t fd, short events, void *arg)
{
	struct server_world *world = arg;
	struct log_line line;
	enum outcome outcome;
	struct reason why;

	(void)fd;
	(void)events;
	outcome = server_tls_load(world->mailboxd, &why);
	log_begin(&line, outcome == OUTCOME_OK ? LOG_INFO : LOG_ERROR, "-",
	    "reload");
	if (outcome != OUTCOME_OK)
		log_reason(&line, &why);
	log_end(&line);
}

void
server_world_reload(struct server_world *world)
{
	const struct timeval later = { RELOAD_SECONDS, 0 };

	event_add(world->reload, &later);
}

struct server_world *
server_world_new(struct mailboxd *mailboxd,
    const struct server_sockets *sockets)
{
	struct server_world *world = x_calloc(1, sizeof(*world));

	world->mailboxd = mailboxd;
	world->sockets = sockets;
	world->again = event_new(mailboxd->base, -1, 0, world_open, world);
	world->reload = event_new(mailboxd->base, -1, 0, world_reload, world);
	if (world->again == NULL || world->reload == NULL)
		log_fatal(EX_OSERR, "libevent cannot start");
	world_open(-1, 0, world);
	return world;
}

void
server_world_free(struct server_world **world)
{
	event_free((*world)->again);
	event_free((*world)->reload);
	x_free(world);
}
