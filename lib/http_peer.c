/* SPDX-License-Identifier: ISC
 *
 * Peers of the HTTP client; see http_peer.h. URLs and addresses come from
 * strangers.
 */
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "http_peer.h"

#define TTL_MAX_S 300
#define PINS_S 50

/* The characters that a request line may hold. */
static bool
path_is_good(const char *path)
{
	const unsigned char *p;

	for (p = (const unsigned char *)path; *p != '\0'; p++)
		if (*p <= 0x20 || *p >= 0x7f || *p == '#')
			return false;
	return path[0] == '/';
}

static bool
local_url_is_good(const char *url)
{
	static const char prefix[] = "http://localhost";

	return strncmp(url, prefix, sizeof(prefix) - 1) == 0 &&
	    path_is_good(url + sizeof(prefix) - 1);
}

/* True for the text of an address that the policy allows. Only such text
 * gets into a line for libcurl. */
static bool
address_is_good(const char *text, const struct address_policy *policy)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST }, *info;
	bool allowed;

	if (getaddrinfo(text, NULL, &hints, &info) != 0)
		return false;
	allowed =
	    policy == NULL || address_policy_allows(info->ai_addr, policy);
	freeaddrinfo(info);
	return allowed;
}

/* Composes peer->addresses; how many there are. */
static unsigned
compose_addresses(struct http_peer *peer, const struct service_url *url,
    const struct http_client_addresses *addresses)
{
	unsigned i, good = 0;
	struct buffer line;

	buffer_init(&line, sizeof(peer->addresses) - 1);
	buffer_add_format(&line, "%s:%u:", url->host, url->port);
	for (i = 0; i < addresses->count && i < HTTP_CLIENT_ADDRESSES_MAX;
	     i++) {
		if (!address_is_good(addresses->text[i], peer->options->policy))
			continue;
		buffer_add_format(&line, "%s%s", good > 0 ? "," : "",
		    addresses->text[i]);
		good++;
	}
	if (line.failed)
		good = 0;
	snprintf(peer->addresses, sizeof(peer->addresses), "%s",
	    good > 0 ? buffer_string(&line) : "");
	buffer_free(&line);
	return good;
}

static enum outcome
resolve(struct http_peer *peer, const struct service_url *url,
    struct reason *why)
{
	const struct http_client_options *options = peer->options;
	struct http_client_addresses addresses = { 0 };
	int64_t now = clock_monotonic_ms();
	enum outcome outcome;

	if (options->resolve == NULL ||
	    (strcmp(peer->resolved, url->text) == 0 &&
		now < peer->resolved_until))
		return OUTCOME_OK;
	peer->resolved[0] = '\0';
	outcome = options->resolve(options->arg, url->host, &addresses, why);
	if (outcome != OUTCOME_OK)
		return outcome;
	if (addresses.count == 0)
		return reason_set(why, OUTCOME_TEMPFAIL, "resolve",
		    "%s has no address", url->host);
	if (compose_addresses(peer, url, &addresses) == 0)
		return reason_set(why, OUTCOME_PERMFAIL, "address",
		    "%s has no address that we may connect to", url->host);
	snprintf(peer->resolved, sizeof(peer->resolved), "%s", url->text);
	peer->resolved_until = now +
	    1000 *
		(int64_t)(addresses.ttl < TTL_MAX_S ? addresses.ttl :
						      TTL_MAX_S);
	return OUTCOME_OK;
}

/* The host that handshakes are judged by, and its pins. */
static enum outcome
set_check(struct http_peer *peer, const struct service_url *url,
    struct reason *why)
{
	const struct http_client_options *options = peer->options;
	struct http_trust_check *check = &peer->check;
	int64_t now = clock_monotonic_ms();
	enum outcome outcome;

	if (strcmp(check->host, url->host) == 0 && now < peer->pinned_until)
		return OUTCOME_OK;
	check->host[0] = '\0';
	memset(&check->pins, 0, sizeof(check->pins));
	if (options->pins != NULL) {
		outcome =
		    options->pins(options->arg, url->host, &check->pins, why);
		if (outcome != OUTCOME_OK)
			return outcome;
		if (check->pins.count > HTTP_CLIENT_PINS_MAX)
			check->pins.count = HTTP_CLIENT_PINS_MAX;
	}
	snprintf(check->host, sizeof(check->host), "%s", url->host);
	peer->pinned_until = now + 1000 * PINS_S;
	return OUTCOME_OK;
}

void
http_peer_init(struct http_peer *peer,
    const struct http_client_options *options)
{
	memset(peer, 0, sizeof(*peer));
	peer->options = options;
	peer->check.trust = options->trust;
}

void
http_peer_forget(struct http_peer *peer)
{
	peer->resolved[0] = '\0';
	peer->check.host[0] = '\0';
}

enum outcome
http_peer_find(struct http_peer *peer, const char *url_text, struct reason *why)
{
	struct service_url url;
	enum outcome outcome;
	const char *path;

	if (peer->options->unix_socket != NULL) {
		if (!local_url_is_good(url_text))
			goto bad;
		return OUTCOME_OK;
	}
	if (service_url_split(url_text, peer->options->ports, &url, &path) !=
		0 ||
	    !path_is_good(path))
		goto bad;
	if ((outcome = resolve(peer, &url, why)) != OUTCOME_OK)
		return outcome;
	return set_check(peer, &url, why);
bad:
	return reason_set(why, OUTCOME_PERMFAIL, "url",
	    "not a URL that we speak to: %.120s", url_text);
}
