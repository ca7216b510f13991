/* SPDX-License-Identifier: ISC
 *
 * The two ends of a notification: see notify_peer.h.
 */
#include "notify_peer.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/x509.h>

#include "grip_remote_key.h"
#include "memory.h"
#include "peer_list.h"

struct notify_peer {
	const struct broker_config *config;
	const struct http_client_trust *trust;
	struct grip_client *signer, *resolver;
	struct http_client *local; /* on mailbox.sock */
	/* Of the identity last asked for. */
	struct grip_identities *identities;
	const struct grip_identity *identity;
	struct tls_der chain[GRIP_PROTOCOL_CHAIN_MAX];
	EVP_PKEY *key;
	struct http_client *client;
};

struct notify_peer *
notify_peer_new(const struct broker_config *config,
    const struct http_client_trust *trust)
{
	struct notify_peer *peer = x_calloc(1, sizeof(*peer));
	int timeout = (int)config->gripd_timeout * 1000;

	peer->config = config;
	peer->trust = trust;
	peer->signer = grip_client_new(peer_socket_path(PEER_SIGN,
	    PEER_BROKER), GRIP_PROTOCOL_SIGN, timeout);
	peer->resolver = grip_client_new(peer_socket_path(PEER_RESOLVE,
	    PEER_BROKER), GRIP_PROTOCOL_RESOLVE, timeout);
	if (peer->signer == NULL || peer->resolver == NULL)
		abort(); /* out of memory */
	return peer;
}

static void
forget(struct notify_peer *peer)
{
	http_client_free(&peer->client);
	EVP_PKEY_free(peer->key);
	peer->key = NULL;
	peer->identity = NULL;
	grip_identities_free(&peer->identities);
}

void
notify_peer_free(struct notify_peer **peer)
{
	struct notify_peer *old = *peer;

	if (old == NULL)
		return;
	forget(old);
	http_client_free(&old->local);
	grip_client_free(&old->signer);
	grip_client_free(&old->resolver);
	x_free(peer);
}

struct grip_client *
notify_peer_signer(struct notify_peer *peer)
{
	return peer->signer;
}

/* ---- the destination --------------------------------------------------- */

static enum outcome
resolve(void *arg, const char *host,
    struct http_client_addresses *addresses_r, struct reason *why)
{
	const struct notify_peer *peer = arg;
	struct grip_addresses addresses;
	enum outcome outcome;
	size_t i;

	outcome = grip_client_addresses(peer->resolver, host, &addresses,
	    why);
	if (outcome != OUTCOME_OK)
		return outcome;
	memset(addresses_r, 0, sizeof(*addresses_r));
	for (i = 0; i < addresses.count && i < HTTP_CLIENT_ADDRESSES_MAX; i++)
		memcpy(addresses_r->text[i], addresses.text[i],
		    sizeof(addresses_r->text[i]));
	addresses_r->count = (unsigned)i;
	addresses_r->ttl = (unsigned)addresses.ttl;
	return OUTCOME_OK;
}

/* The keys that _rm.<domain> publishes; only a validated answer counts. */
static enum outcome
pins(void *arg, const char *host, struct http_client_pins *pins_r,
    struct reason *why)
{
	const struct notify_peer *peer = arg;
	const char *domain = strchr(host, '.');
	struct grip_keys keys;
	enum outcome outcome;
	char *name;

	memset(pins_r, 0, sizeof(*pins_r));
	if (domain == NULL || strchr(domain + 1, '.') == NULL)
		return OUTCOME_OK;
	name = x_asprintf("_rm%s", domain);
	outcome = grip_client_keys(peer->resolver, name, &keys, why);
	free(name);
	if (outcome != OUTCOME_OK) /* the bundle may do, if it is believed */
		return peer->trust != NULL ? OUTCOME_OK : outcome;
	for (size_t i = 0; keys.secure && i < keys.count &&
	    pins_r->count < HTTP_CLIENT_PINS_MAX; i++)
		if (hex_parse(keys.hashes[i],
		    pins_r->spki_sha256[pins_r->count], SHA256_LEN) == 0)
			pins_r->count++;
	return OUTCOME_OK;
}

bool
notify_peer_is_local(const struct notify_peer *peer,
    const struct service_url *url)
{
	return config_list_has(&peer->config->local_mailboxes, url->text);
}

char *
notify_peer_url(const struct notify_peer *peer, const struct service_url *url,
    const char *path)
{
	if (notify_peer_is_local(peer, url))
		return x_asprintf("http://localhost%s", path);
	return x_asprintf("%s%s", url->text, path);
}

/* ---- ourselves --------------------------------------------------------- */

static bool
same_identity(const struct grip_identity *a, const struct grip_identity *b)
{
	return strcmp(a->name, b->name) == 0 &&
	    a->chain[0].len == b->chain[0].len &&
	    memcmp(a->chain[0].der, b->chain[0].der, a->chain[0].len) == 0;
}

static EVP_PKEY *
remote_key(const struct grip_identity *identity, struct grip_client *signer)
{
	const unsigned char *der = identity->chain[0].der;
	X509 *certificate = d2i_X509(NULL, &der,
	    (long)identity->chain[0].len);
	EVP_PKEY *key = NULL;

	if (certificate != NULL)
		key = grip_remote_key_new(certificate, identity->name, signer);
	X509_free(certificate);
	return key;
}

static enum outcome
make_client(struct notify_peer *peer, struct reason *why)
{
	const struct broker_config *config = peer->config;
	struct http_client_options options = {
		.user_agent = "Cargomail-broker/" VERSION,
		.trust = peer->trust,
		.pins = broker_config_trusts(config, "dns") ? pins : NULL,
		.resolve = resolve,
		.arg = peer,
		.policy = config->policy,
		.chain = peer->chain,
		.chain_len = peer->identity->chain_count,
		.connect_ms = (unsigned)config->connect_timeout * 1000,
		.low_speed_s = (unsigned)config->notify_timeout,
	};

	peer->key = remote_key(peer->identity, peer->signer);
	if (peer->key == NULL)
		return reason_set(why, OUTCOME_TEMPFAIL, "internal",
		    "certificate of %s cannot be used", peer->identity->name);
	for (size_t i = 0; i < peer->identity->chain_count; i++) {
		peer->chain[i].data = peer->identity->chain[i].der;
		peer->chain[i].len = peer->identity->chain[i].len;
	}
	options.key = peer->key;
	peer->client = http_client_new(&options, why);
	return peer->client != NULL ? OUTCOME_OK : OUTCOME_TEMPFAIL;
}

static enum outcome
get_local(struct notify_peer *peer, struct http_client **client_r,
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
notify_peer_get(struct notify_peer *peer, const char *identity,
    const struct service_url *url, struct http_client **client_r,
    struct reason *why)
{
	struct grip_identities *identities = NULL;
	const struct grip_identity *found;

	if (notify_peer_is_local(peer, url))
		return get_local(peer, client_r, why);
	if (grip_client_identities(peer->signer, &identities, why) !=
	    OUTCOME_OK)
		return OUTCOME_TEMPFAIL;
	found = grip_identities_find(identities, identity);
	if (found == NULL || found->role != GRIP_ROLE_BROKER ||
	    found->chain_count == 0) {
		grip_identities_free(&identities);
		return reason_set(why, OUTCOME_TEMPFAIL, "unknown-identity",
		    "gripd has no certificate of %s for us", identity);
	}
	if (peer->client != NULL && same_identity(found, peer->identity)) {
		grip_identities_free(&identities);
		*client_r = peer->client;
		return OUTCOME_OK;
	}
	forget(peer);
	peer->identities = identities;
	peer->identity = found;
	if (make_client(peer, why) != OUTCOME_OK) {
		forget(peer);
		return OUTCOME_TEMPFAIL;
	}
	*client_r = peer->client;
	return OUTCOME_OK;
}
