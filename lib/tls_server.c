/* SPDX-License-Identifier: ISC
 *
 * TLS for servers; see tls_server.h.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "memory.h"
#include "tls_server.h"

/* AES-128-GCM first: the cheapest that is strong. Clients without AES
 * hardware put ChaCha20 first and get it. */
#define CIPHERSUITES \
	"TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:" \
	"TLS_AES_256_GCM_SHA384"

/* Of TLS 1.2, for browsers: forward secret, authenticated encryption. */
#define CIPHERS \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:" \
	"ECDHE-ECDSA-AES256-GCM-SHA384"
/* What a signer of web hosts signs, and with which hash. */
#define WEB_GROUPS "X25519:P-256"
#define WEB_SIGNATURES "ECDSA+SHA256"

/* A leaf and a few certificates above it: bytes that a client may send. */
#define CLIENT_CHAIN_MAX 16384

struct named_context {
	char *name;
	SSL_CTX *ctx;
	bool web;
};

struct tls_server {
	struct named_context *list;
	size_t count;
	bool web; /* one of them is */
};

/* DER of SubjectPublicKeyInfo up to the key's bits. */
static const uint8_t spki_p256[] = {
	0x30,
	0x59,
	0x30,
	0x13,
	0x06,
	0x07,
	0x2a,
	0x86,
	0x48,
	0xce,
	0x3d,
	0x02,
	0x01,
	0x06,
	0x08,
	0x2a,
	0x86,
	0x48,
	0xce,
	0x3d,
	0x03,
	0x01,
	0x07,
	0x03,
	0x42,
	0x00,
	0x04,
};
static const uint8_t spki_ed25519[] = {
	0x30,
	0x2a,
	0x30,
	0x05,
	0x06,
	0x03,
	0x2b,
	0x65,
	0x70,
	0x03,
	0x21,
	0x00,
};

bool
tls_key_is_accepted(const uint8_t *spki, size_t len)
{
	return (len == sizeof(spki_p256) + 64 &&
		   memcmp(spki, spki_p256, sizeof(spki_p256)) == 0) ||
	    (len == sizeof(spki_ed25519) + 32 &&
		memcmp(spki, spki_ed25519, sizeof(spki_ed25519)) == 0);
}

static bool
certificate_is_accepted(X509 *certificate)
{
	uint8_t *spki = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &spki);
	bool accepted;

	/* get0_pubkey decodes: a point off the curve has no key. */
	accepted = len > 0 && tls_key_is_accepted(spki, (size_t)len) &&
	    X509_get0_pubkey(certificate) != NULL;
	OPENSSL_free(spki);
	return accepted;
}

/* Stands in for the whole chain check of a client's certificate: whose key
 * it is will be looked up in DNS, issuer and dates say nothing. */
static int
verify_client(X509_STORE_CTX *store, void *arg)
{
	X509 *leaf = X509_STORE_CTX_get0_cert(store);

	(void)arg;
	if (leaf != NULL && certificate_is_accepted(leaf)) {
		X509_STORE_CTX_set_error(store, X509_V_OK);
		return 1;
	}
	/* Becomes the alert unsupported_certificate. */
	X509_STORE_CTX_set_error(store, X509_V_ERR_INVALID_PURPOSE);
	return 0;
}

static const struct named_context *
find_context(const struct tls_server *tls, const char *name)
{
	size_t i;

	for (i = 0; i < tls->count; i++)
		if (strcasecmp(tls->list[i].name, name) == 0)
			return &tls->list[i];
	return NULL;
}

/* The version was negotiated before the name was known, as if all names
 * were for browsers; those that are not take TLS 1.3 alone. */
static int
check_version(SSL *ssl, bool web, int *alert)
{
	if (SSL_version(ssl) == TLS1_3_VERSION)
		return SSL_TLSEXT_ERR_OK;
	if (web && SSL_set1_groups_list(ssl, WEB_GROUPS) == 1)
		return SSL_TLSEXT_ERR_OK;
	*alert = SSL_AD_PROTOCOL_VERSION;
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int
choose_name(SSL *ssl, int *alert, void *arg)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	const struct named_context *found;

	/* Without SNI the first name answers; the Host field is checked. */
	if (name == NULL)
		return check_version(ssl, false, alert);
	if ((found = find_context(arg, name)) == NULL) {
		*alert = SSL_AD_UNRECOGNIZED_NAME;
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	}
	if (SSL_set_SSL_CTX(ssl, found->ctx) == NULL) {
		*alert = SSL_AD_INTERNAL_ERROR;
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	}
	/* The switch does not bring the mode of verification along. */
	SSL_set_verify(ssl, SSL_CTX_get_verify_mode(found->ctx), NULL);
	return check_version(ssl, found->web, alert);
}

/* A client that offers protocols, but not ours, has come to a wrong door
 * (RFC 7301; keeps other protocols' bytes out). */
static int
choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *outlen,
    const unsigned char *in, unsigned inlen, void *arg)
{
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *chosen;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&chosen, outlen, ours, sizeof(ours) - 1, in,
		inlen) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static int
configure_context(SSL_CTX *ctx, struct tls_server *tls, bool web)
{
	SSL_CTX_set_options(ctx,
	    SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
		SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(ctx,
	    SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	/* Half the read(2) calls; the buffer goes when it is empty. */
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_max_cert_list(ctx, CLIENT_CHAIN_MAX);
	SSL_CTX_set_cert_verify_callback(ctx, verify_client, NULL);
	SSL_CTX_set_verify(ctx, web ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
	SSL_CTX_set_tlsext_servername_callback(ctx, choose_name);
	SSL_CTX_set_tlsext_servername_arg(ctx, tls);
	if (web &&
	    (SSL_CTX_set_cipher_list(ctx, CIPHERS) != 1 ||
		SSL_CTX_set1_sigalgs_list(ctx, WEB_SIGNATURES) != 1))
		return -1;
	return SSL_CTX_set_min_proto_version(ctx,
		   web ? TLS1_2_VERSION : TLS1_3_VERSION) == 1 &&
		SSL_CTX_set_num_tickets(ctx, 0) == 1 &&
		SSL_CTX_set_session_id_context(ctx,
		    (const unsigned char *)"cargomail", 9) == 1 &&
		SSL_CTX_set_ciphersuites(ctx, CIPHERSUITES) == 1 ?
	    0 :
	    -1;
}

static X509 *
parse_certificate(const struct tls_der *der)
{
	const unsigned char *p = der->data;
	X509 *certificate;

	if (der->len == 0 || der->len > LONG_MAX)
		return NULL;
	certificate = d2i_X509(NULL, &p, (long)der->len);
	if (certificate != NULL && p != der->data + der->len) {
		X509_free(certificate);
		return NULL;
	}
	return certificate;
}

/* Chain and key into `ctx`; NULL or a fixed text. */
static const char *
use_identity(SSL_CTX *ctx, const struct tls_name *name)
{
	X509 *certificate;
	bool good;
	size_t i;

	for (i = 0; i < name->chain_len; i++) {
		if ((certificate = parse_certificate(&name->chain[i])) == NULL)
			return "a certificate of the chain is no DER";
		if (i == 0)
			good = certificate_is_accepted(certificate) &&
			    SSL_CTX_use_certificate(ctx, certificate) == 1;
		else
			good = SSL_CTX_add1_chain_cert(ctx, certificate) == 1;
		X509_free(certificate);
		if (!good)
			return "certificate not usable (P-256 or Ed25519)";
	}
	if (name->chain_len == 0)
		return "no certificate";
	if (SSL_CTX_use_PrivateKey(ctx, name->key) != 1 ||
	    SSL_CTX_check_private_key(ctx) != 1)
		return "key does not fit the certificate";
	return NULL;
}

static SSL_CTX *
new_context(struct tls_server *tls, const struct tls_name *name,
    struct reason *why)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	const char *wrong = "OpenSSL refuses the settings";

	if (ctx != NULL && configure_context(ctx, tls, name->web) == 0 &&
	    (wrong = use_identity(ctx, name)) == NULL)
		return ctx;
	reason_set(why, OUTCOME_PERMFAIL, "certificate", "%s: %s", name->name,
	    wrong);
	SSL_CTX_free(ctx);
	ERR_clear_error();
	return NULL;
}

static void
free_list(struct named_context *list, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		free(list[i].name);
		SSL_CTX_free(list[i].ctx);
	}
	free(list);
}

struct tls_server *
tls_server_new(void)
{
	return x_calloc(1, sizeof(struct tls_server));
}

void
tls_server_free(struct tls_server **tls)
{
	if (*tls == NULL)
		return;
	free_list((*tls)->list, (*tls)->count);
	x_free(tls);
}

enum outcome
tls_server_add(struct tls_server *tls, const struct tls_name *name,
    struct reason *why)
{
	SSL_CTX *ctx = new_context(tls, name, why);
	size_t i;

	if (ctx == NULL)
		return OUTCOME_PERMFAIL;
	for (i = 0; i < tls->count; i++)
		if (strcasecmp(tls->list[i].name, name->name) == 0)
			break;
	if (i == tls->count) {
		tls->list = x_realloc(tls->list, (i + 1) * sizeof(*tls->list));
		tls->list[i].name = x_strdup(name->name);
		tls->count++;
	} else {
		SSL_CTX_free(tls->list[i].ctx);
	}
	tls->list[i].ctx = ctx;
	tls->list[i].web = name->web;
	tls->web = tls->web || name->web;
	return OUTCOME_OK;
}

enum outcome
tls_server_replace_all(struct tls_server *tls, const struct tls_name *names,
    size_t count, struct reason *why)
{
	struct named_context *list;
	bool web = false;
	size_t i;

	list = x_calloc(count > 0 ? count : 1, sizeof(*list));
	for (i = 0; i < count; i++) {
		if ((list[i].ctx = new_context(tls, &names[i], why)) == NULL) {
			free_list(list, i);
			return OUTCOME_PERMFAIL;
		}
		list[i].name = x_strdup(names[i].name);
		list[i].web = names[i].web;
		web = web || names[i].web;
	}
	free_list(tls->list, tls->count);
	tls->list = list;
	tls->count = count;
	tls->web = web;
	return OUTCOME_OK;
}

bool
tls_server_has(const struct tls_server *tls, const char *host)
{
	return find_context(tls, host) != NULL;
}

SSL *
tls_server_accept(struct tls_server *tls)
{
	SSL *ssl = tls->count > 0 ? SSL_new(tls->list[0].ctx) : NULL;

	if (ssl == NULL)
		return NULL;
	SSL_set_accept_state(ssl);
	if (tls->web)
		SSL_set_min_proto_version(ssl, TLS1_2_VERSION);
	return ssl;
}
