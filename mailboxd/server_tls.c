/* SPDX-License-Identifier: ISC
 *
 * Server names become TLS contexts whose private keys are in gripd.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "grip_remote_key.h"
#include "memory.h"
#include "server_tls.h"

struct name {
	struct tls_der chain[GRIP_PROTOCOL_CHAIN_MAX];
	EVP_PKEY *key;
};

static EVP_PKEY *
remote_key(const struct mailboxd *mailboxd,
    const struct grip_identity *identity)
{
	const unsigned char *der = identity->chain[0].der;
	EVP_PKEY *key = NULL;
	X509 *leaf;

	leaf = d2i_X509(NULL, &der, (long)identity->chain[0].len);
	if (leaf != NULL)
		key =
		    grip_remote_key_new(leaf, identity->name, mailboxd->signer);
	X509_free(leaf);
	return key;
}

/* Browsers know no Ed25519. */
static enum outcome
check_key(const char *host, const EVP_PKEY *key, bool web, struct reason *why)
{
	if (key == NULL || (web && !EVP_PKEY_is_a(key, "EC")))
		return reason_set(why, OUTCOME_PERMFAIL, "certificate",
		    "the certificate of %s has no P-256%s key", host,
		    web ? "" : " or Ed25519");
	return OUTCOME_OK;
}

static enum outcome
fill_name(const struct mailboxd *mailboxd,
    const struct grip_identities *identities, const char *host,
    struct name *name, struct tls_name *tls_name, struct reason *why)
{
	const enum grip_role role =
	    tls_name->web ? GRIP_ROLE_WEB : GRIP_ROLE_MAILBOX;
	const struct grip_identity *identity;
	size_t i;

	identity = grip_identities_find(identities, host);
	if (identity == NULL || identity->role != role ||
	    identity->chain_count == 0)
		return reason_set(why, OUTCOME_PERMFAIL, "certificate",
		    "gripd has no key and certificate for %s "
		    "(role %s)",
		    host, grip_role_name(role));
	name->key = remote_key(mailboxd, identity);
	if (check_key(host, name->key, tls_name->web, why) != OUTCOME_OK)
		return OUTCOME_PERMFAIL;
	for (i = 0; i < identity->chain_count; i++) {
		name->chain[i].data = identity->chain[i].der;
		name->chain[i].len = identity->chain[i].len;
	}
	tls_name->name = host;
	tls_name->chain = name->chain;
	tls_name->chain_len = identity->chain_count;
	tls_name->key = name->key;
	return OUTCOME_OK;
}

enum outcome
server_tls_load(struct mailboxd *mailboxd, struct reason *why)
{
	const struct config_list *hosts = &mailboxd->config->server_names;
	const struct config_list *web = &mailboxd->config->web_hosts;
	const size_t count = hosts->count + web->count;
	struct grip_identities *identities = NULL;
	struct tls_name *tls_names;
	enum outcome outcome;
	struct name *names;
	const char *host;
	size_t i;

	outcome = grip_client_identities(mailboxd->signer, &identities, why);
	if (outcome != OUTCOME_OK)
		return outcome;
	names = x_calloc(count, sizeof(*names));
	tls_names = x_calloc(count, sizeof(*tls_names));
	/* Mailboxes first: the first name answers who names none. */
	for (i = 0; i < count && outcome == OUTCOME_OK; i++) {
		tls_names[i].web = i >= hosts->count;
		host = tls_names[i].web ?
		    mailboxd_config_web_host(web->items[i - hosts->count]) :
		    hosts->items[i];
		outcome = fill_name(mailboxd, identities, host, &names[i],
		    &tls_names[i], why);
	}
	if (outcome == OUTCOME_OK)
		outcome = tls_server_replace_all(mailboxd->tls, tls_names,
		    count, why);
	for (i = 0; i < count; i++)
		EVP_PKEY_free(names[i].key);
	free(names);
	free(tls_names);
	grip_identities_free(&identities);
	return outcome;
}
