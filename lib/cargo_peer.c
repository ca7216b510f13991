/* SPDX-License-Identifier: ISC
 *
 * Who we are to a Resource Mailbox and who it is to us; see cargo_peer.h.
 * What gripd says is believed; what the server says is the caller's to judge.
 */
#include "cargo_peer.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/x509.h>

#include "encoding.h"
#include "grip_jwk.h"
#include "grip_remote_key.h"
#include "grip_token.h"
#include "memory.h"

struct cargo_peer {
	struct cargo_peer_options options;
	struct grip_client *signer, *resolver;
	/* Of the identity last asked for; its leaf tells whether gripd's
	 * certificate has changed since. */
	struct grip_identities *identities;
	const struct grip_identity *identity;
	struct tls_der chain[GRIP_PROTOCOL_CHAIN_MAX];
	EVP_PKEY *key;
	char key_hash[SHA256_HEX_SIZE]; /* of its certificate */
	struct http_client *client;
};

static enum outcome
resolve(void *arg, const char *host, struct http_client_addresses *addresses_r,
    struct reason *why)
{
	const struct cargo_peer *peer = arg;
	struct grip_addresses addresses;
	enum outcome outcome;
	size_t i;

	outcome = grip_client_addresses(peer->resolver, host, &addresses, why);
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
	const struct cargo_peer *peer = arg;
	const char *domain = strchr(host, '.');
	struct grip_keys keys;
	enum outcome outcome;
	char *name;
	size_t i;

	memset(pins_r, 0, sizeof(*pins_r));
	if (domain == NULL || strchr(domain + 1, '.') == NULL)
		return OUTCOME_OK;
	name = x_asprintf("_rm%s", domain);
	outcome = grip_client_keys(peer->resolver, name, &keys, why);
	free(name);
	if (outcome != OUTCOME_OK)
		/* The bundle may do, if it is believed at all. */
		return peer->options.outward->trust != NULL ? OUTCOME_OK :
							      outcome;
	if (!keys.secure)
		return OUTCOME_OK;
	for (i = 0; i < keys.count && pins_r->count < HTTP_CLIENT_PINS_MAX; i++)
		if (hex_parse(keys.hashes[i],
			pins_r->spki_sha256[pins_r->count], SHA256_LEN) == 0)
			pins_r->count++;
	return OUTCOME_OK;
}

static void
forget(struct cargo_peer *peer)
{
	http_client_free(&peer->client);
	EVP_PKEY_free(peer->key);
	peer->key = NULL;
	peer->identity = NULL;
	grip_identities_free(&peer->identities);
}

struct cargo_peer *
cargo_peer_new(const struct cargo_peer_options *options, struct reason *why)
{
	struct cargo_peer *peer = x_calloc(1, sizeof(*peer));
	int timeout_ms = (int)options->gripd_timeout * 1000;

	peer->options = *options;
	peer->signer =
	    grip_client_new(peer_socket_path(PEER_SIGN, options->self),
		GRIP_PROTOCOL_SIGN, timeout_ms);
	peer->resolver =
	    grip_client_new(peer_socket_path(PEER_RESOLVE, options->self),
		GRIP_PROTOCOL_RESOLVE, timeout_ms);
	if (peer->signer != NULL && peer->resolver != NULL &&
	    grip_remote_key_init() == 0)
		return peer;
	reason_set(why, OUTCOME_TEMPFAIL, "internal",
	    "cannot prepare keys and connections");
	cargo_peer_free(&peer);
	return NULL;
}

void
cargo_peer_free(struct cargo_peer **peer)
{
	if (*peer == NULL)
		return;
	/* The key uses the signer: it goes first. */
	forget(*peer);
	grip_client_free(&(*peer)->signer);
	grip_client_free(&(*peer)->resolver);
	x_free(peer);
}

struct grip_client *
cargo_peer_signer(struct cargo_peer *peer)
{
	return peer->signer;
}

static bool
same_identity(const struct grip_identity *a, const struct grip_identity *b)
{
	return strcmp(a->name, b->name) == 0 &&
	    a->chain_count == b->chain_count && a->chain_count > 0 &&
	    a->chain[0].len == b->chain[0].len &&
	    memcmp(a->chain[0].der, b->chain[0].der, a->chain[0].len) == 0;
}

static EVP_PKEY *
remote_key(const struct grip_identity *identity, struct grip_client *signer,
    char hash_r[SHA256_HEX_SIZE])
{
	const unsigned char *der = identity->chain[0].der;
	X509 *certificate = d2i_X509(NULL, &der, (long)identity->chain[0].len);
	EVP_PKEY *key = NULL;

	if (certificate != NULL &&
	    grip_jwk_spki_hash(X509_get0_pubkey(certificate), hash_r) == 0)
		key = grip_remote_key_new(certificate, identity->name, signer);
	X509_free(certificate);
	return key;
}

static enum outcome
make_client(struct cargo_peer *peer, struct reason *why)
{
	const struct cargo_peer_options *own = &peer->options;
	struct http_client_options options = {
		.user_agent = own->user_agent,
		.trust = own->outward->trust,
		.pins = outward_trusts(own->outward, "dns") ? pins : NULL,
		.resolve = resolve,
		.arg = peer,
		.ports = &own->outward->port_list,
		.policy = own->outward->policy,
		.chain = peer->chain,
		.connect_ms = (unsigned)own->connect_timeout * 1000,
		.low_speed_rate = (unsigned)own->minimum_rate,
		.low_speed_s = (unsigned)own->stall_timeout,
	};
	size_t i;

	peer->key = remote_key(peer->identity, peer->signer, peer->key_hash);
	if (peer->key == NULL)
		return reason_set(why, OUTCOME_TEMPFAIL, "internal",
		    "certificate of %s cannot be used", peer->identity->name);
	for (i = 0; i < peer->identity->chain_count; i++) {
		peer->chain[i].data = peer->identity->chain[i].der;
		peer->chain[i].len = peer->identity->chain[i].len;
	}
	options.chain_len = peer->identity->chain_count;
	options.key = peer->key;
	peer->client = http_client_new(&options, why);
	return peer->client != NULL ? OUTCOME_OK : OUTCOME_TEMPFAIL;
}

enum outcome
cargo_peer_get(struct cargo_peer *peer, const char *identity,
    struct http_client **client_r, struct reason *why)
{
	struct grip_identities *identities = NULL;
	const struct grip_identity *found;
	enum outcome outcome;

	outcome = grip_client_identities(peer->signer, &identities, why);
	if (outcome != OUTCOME_OK)
		return OUTCOME_TEMPFAIL;
	found = grip_identities_find(identities, identity);
	if (found == NULL || found->role != peer->options.role ||
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
	outcome = make_client(peer, why);
	if (outcome != OUTCOME_OK)
		forget(peer);
	*client_r = peer->client;
	return outcome;
}

bool
cargo_peer_owns(const struct cargo_peer *peer, const char *token)
{
	struct grip_token *parsed = NULL;
	struct reason why;
	bool owns;

	owns = peer->client != NULL &&
	    grip_token_parse(token, strlen(token), &parsed, &why) ==
		OUTCOME_OK &&
	    strcmp(parsed->key_hash, peer->key_hash) == 0;
	grip_token_free(&parsed);
	return owns;
}

enum outcome
cargo_peer_token(struct cargo_peer *peer, const char *identity,
    enum grip_type type, const struct grip_claims *claims, char **token_r,
    struct reason *why)
{
	enum outcome outcome = grip_client_token(peer->signer, identity, type,
	    claims, token_r, why);

	if (outcome != OUTCOME_OK || cargo_peer_owns(peer, *token_r))
		return outcome;
	free(*token_r);
	*token_r = NULL;
	return reason_set(why, OUTCOME_TEMPFAIL, "gripd",
	    "the key of %s has just been replaced", identity);
}
