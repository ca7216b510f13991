/* SPDX-License-Identifier: ISC
 *
 * Server authentication of the HTTP client; see http_trust.h.
 *
 * libcurl's own host check falls back to the CN when a certificate has no
 * dNSName, and knows nothing of pins: so the whole judgement is made here,
 * by OpenSSL, and libcurl only obeys.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include "http_trust.h"

#define SYSTEM_BUNDLE "/etc/ssl/certs/ca-certificates.crt"
#define BUNDLE_MAX (8 * 1024 * 1024)
#define CIPHERSUITES \
	"TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:" \
	"TLS_AES_256_GCM_SHA384"

struct http_client_trust {
	X509_STORE *store;
};

/* Adds what the bundle holds; the number of certificates. */
static int
read_bundle(X509_STORE *store, const void *pem, size_t len)
{
	BIO *bio = len <= INT_MAX ? BIO_new_mem_buf(pem, (int)len) : NULL;
	X509 *certificate;
	int count = 0;

	if (bio == NULL)
		return 0;
	while (
	    (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		count += X509_STORE_add_cert(store, certificate) == 1;
		X509_free(certificate);
	}
	BIO_free(bio);
	ERR_clear_error();
	return count;
}

struct http_client_trust *
http_client_trust_new(const void *pem, size_t len, struct reason *why)
{
	struct http_client_trust *trust = calloc(1, sizeof(*trust));

	if (trust == NULL || (trust->store = X509_STORE_new()) == NULL) {
		reason_set(why, OUTCOME_TEMPFAIL, "local", "out of memory");
		free(trust);
		return NULL;
	}
	if (read_bundle(trust->store, pem, len) == 0) {
		reason_set(why, OUTCOME_PERMFAIL, "local",
		    "no certificate in the CA bundle");
		http_client_trust_free(&trust);
	}
	return trust;
}

struct http_client_trust *
http_client_trust_load(const char *path, struct reason *why)
{
	struct http_client_trust *trust = NULL;
	struct buffer pem;
	size_t n = 0;
	char *room;
	FILE *file;

	if (path == NULL)
		path = SYSTEM_BUNDLE;
	buffer_init(&pem, BUNDLE_MAX);
	if ((file = fopen(path, "re")) == NULL) {
		reason_set(why, OUTCOME_TEMPFAIL, "local",
		    "cannot open the CA bundle %s", path);
		return NULL;
	}
	while ((room = buffer_reserve(&pem, 65536)) != NULL &&
	    (n = fread(room, 1, 65536, file)) > 0)
		pem.len += n;
	if (pem.failed || ferror(file))
		reason_set(why, OUTCOME_TEMPFAIL, "local",
		    "cannot read the CA bundle %s", path);
	else
		trust = http_client_trust_new(pem.data, pem.len, why);
	fclose(file);
	buffer_free(&pem);
	return trust;
}

void
http_client_trust_free(struct http_client_trust **trust)
{
	if (*trust == NULL)
		return;
	X509_STORE_free((*trust)->store);
	free(*trust);
	*trust = NULL;
}

static bool
is_pinned(const struct http_client_pins *pins, X509 *leaf)
{
	uint8_t hash[SHA256_LEN], *spki = NULL;
	bool found = false;
	unsigned i;
	int len;

	if (pins->count == 0)
		return false;
	len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &spki);
	if (len <= 0)
		return false;
	SHA256(spki, (size_t)len, hash);
	OPENSSL_free(spki);
	for (i = 0; i < pins->count; i++)
		found |= memcmp(pins->spki_sha256[i], hash, SHA256_LEN) == 0;
	return found;
}

static int
verify_server(X509_STORE_CTX *store, void *arg)
{
	const struct http_trust_check *check = arg;
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(store);
	X509 *leaf = X509_STORE_CTX_get0_cert(store);

	if (leaf != NULL && is_pinned(&check->pins, leaf)) {
		X509_STORE_CTX_set_error(store, X509_V_OK);
		return 1;
	}
	if (check->trust == NULL) {
		X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_UNTRUSTED);
		return 0;
	}
	/* RFC 9525: dNSName alone, a wildcard only as a whole label. */
	X509_VERIFY_PARAM_set_hostflags(param,
	    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
		X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (X509_VERIFY_PARAM_set1_host(param, check->host, 0) != 1) {
		X509_STORE_CTX_set_error(store, X509_V_ERR_OUT_OF_MEM);
		return 0;
	}
	return X509_verify_cert(store) == 1;
}

static int
use_identity(SSL_CTX *ctx, const struct http_identity *identity)
{
	int i, count = sk_X509_num(identity->chain);

	if (SSL_CTX_use_certificate(ctx, sk_X509_value(identity->chain, 0)) !=
	    1)
		return -1;
	for (i = 1; i < count; i++)
		if (SSL_CTX_add1_chain_cert(ctx,
			sk_X509_value(identity->chain, i)) != 1)
			return -1;
	return SSL_CTX_use_PrivateKey(ctx, identity->key) == 1 &&
		SSL_CTX_check_private_key(ctx) == 1 ?
	    0 :
	    -1;
}

int
http_trust_configure(SSL_CTX *ctx, struct http_trust_check *check,
    const struct http_identity *identity)
{
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_ciphersuites(ctx, CIPHERSUITES) != 1)
		return -1;
	if (check->trust != NULL)
		SSL_CTX_set1_cert_store(ctx, check->trust->store);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, verify_server, check);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	if (identity->key != NULL && use_identity(ctx, identity) != 0)
		return -1;
	return 0;
}

enum outcome
http_identity_set(struct http_identity *identity_r,
    const struct http_client_options *options, struct reason *why)
{
	const unsigned char *p;
	X509 *certificate;
	size_t i;

	memset(identity_r, 0, sizeof(*identity_r));
	if (options->key == NULL)
		return OUTCOME_OK;
	if ((identity_r->chain = sk_X509_new_null()) == NULL)
		return reason_set(why, OUTCOME_TEMPFAIL, "local",
		    "out of memory");
	for (i = 0; i < options->chain_len; i++) {
		p = options->chain[i].data;
		certificate = d2i_X509(NULL, &p, (long)options->chain[i].len);
		if (certificate == NULL ||
		    sk_X509_push(identity_r->chain, certificate) == 0) {
			X509_free(certificate);
			break;
		}
	}
	if (i == 0 || i < options->chain_len ||
	    X509_check_private_key(sk_X509_value(identity_r->chain, 0),
		options->key) != 1) {
		http_identity_clear(identity_r);
		ERR_clear_error();
		return reason_set(why, OUTCOME_PERMFAIL, "local",
		    "certificate and key of the client do not fit");
	}
	EVP_PKEY_up_ref(options->key);
	identity_r->key = options->key;
	return OUTCOME_OK;
}

void
http_identity_clear(struct http_identity *identity)
{
	sk_X509_pop_free(identity->chain, X509_free);
	EVP_PKEY_free(identity->key);
	identity->chain = NULL;
	identity->key = NULL;
}
