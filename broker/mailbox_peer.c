/* SPDX-License-Identifier: ISC
 *
 * The two ends of a request to a mailbox: see mailbox_peer.h.
 */
#include "mailbox_peer.h"

#include <stdlib.h>
#include <string.h>

#include "cargo_peer.h"
#include "cargo_problem.h"
#include "log.h"
#include "memory.h"
#include "peer_list.h"

struct mailbox_peer {
	const struct broker_config *config;
	struct cargo_peer *remote;
	struct http_client *local; /* on mailbox.sock */
};

struct mailbox_peer *
mailbox_peer_new(const struct broker_config *config)
{
	struct mailbox_peer *peer = x_calloc(1, sizeof(*peer));
	struct cargo_peer_options options = {
		.self = PEER_BROKER,
		.role = GRIP_ROLE_BROKER,
		.user_agent = "Cargomail-broker/" VERSION,
		.outward = &config->outward,
		.gripd_timeout = config->gripd_timeout,
		.connect_timeout = config->connect_timeout,
		.stall_timeout = config->notify_timeout,
	};
	struct reason why;

	peer->config = config;
	peer->remote = cargo_peer_new(&options, &why);
	if (peer->remote == NULL)
		log_panic("%s", why.text);
	return peer;
}

void
mailbox_peer_free(struct mailbox_peer **peer)
{
	if (*peer == NULL)
		return;
	cargo_peer_free(&(*peer)->remote);
	http_client_free(&(*peer)->local);
	x_free(peer);
}

bool
mailbox_peer_is_local(const struct mailbox_peer *peer,
    const struct service_url *url)
{
	return config_list_has(&peer->config->local_mailboxes, url->text);
}

char *
mailbox_peer_url(const struct mailbox_peer *peer, const struct service_url *url,
    const char *path)
{
	if (mailbox_peer_is_local(peer, url))
		return x_asprintf("http://localhost%s", path);
	return x_asprintf("%s%s", url->text, path);
}

static enum outcome
get_local(struct mailbox_peer *peer, struct http_client **client_r,
    struct reason *why)
{
	struct http_client_options options = {
		.user_agent = "Cargomail-broker/" VERSION,
		.unix_socket = peer_socket_path(PEER_MAILBOX, PEER_BROKER),
		.connect_ms = (unsigned)peer->config->connect_timeout * 1000,
		.low_speed_s = (unsigned)peer->config->notify_timeout,
	};

	if (peer->local == NULL)
		peer->local = http_client_new(&options, why);
	*client_r = peer->local;
	return peer->local != NULL ? OUTCOME_OK : OUTCOME_TEMPFAIL;
}

enum outcome
mailbox_peer_get(struct mailbox_peer *peer, const char *identity,
    const struct service_url *url, struct http_client **client_r,
    struct reason *why)
{
	if (mailbox_peer_is_local(peer, url))
		return get_local(peer, client_r, why);
	return cargo_peer_get(peer->remote, identity, client_r, why);
}

enum outcome
mailbox_peer_token(struct mailbox_peer *peer,
    const struct mailbox_peer_token *what, char **token_r, struct reason *why)
{
	if (mailbox_peer_is_local(peer, what->url))
		return grip_client_token(cargo_peer_signer(peer->remote),
		    what->identity, what->type, what->claims, token_r, why);
	return cargo_peer_token(peer->remote, what->identity, what->type,
	    what->claims, token_r, why);
}

bool
mailbox_peer_owns(const struct mailbox_peer *peer,
    const struct service_url *url, const char *token)
{
	return mailbox_peer_is_local(peer, url) ||
	    cargo_peer_owns(peer->remote, token);
}

enum outcome
mailbox_peer_judge(const struct service_url *url,
    const struct http_result *result, struct reason *why)
{
	const struct cargo_problem *problem =
	    cargo_problem_find(result->problem);
	bool permanent = problem != NULL && problem->permanent &&
	    result->authenticated && result->status >= 400;

	return reason_set(why, permanent ? OUTCOME_PERMFAIL : OUTCOME_TEMPFAIL,
	    problem != NULL ? problem->name : "unavailable",
	    "%s answers %u %s %s", url->host, result->status, result->problem,
	    result->detail);
}
