/* SPDX-License-Identifier: ISC
 *
 * Keys and certificates for tests, made in memory.
 */
#ifndef TLS_FIXTURE_H
#define TLS_FIXTURE_H

#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "tls_server.h"

struct tls_identity {
	EVP_PKEY *key;
	X509 *certificate;
	struct tls_der der;
};

/* "P-256", "P-384", "ED25519" or "RSA". */
static inline EVP_PKEY *
make_key(const char *kind)
{
	if (strcmp(kind, "RSA") == 0)
		return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	if (strcmp(kind, "ED25519") == 0)
		return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	return EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind);
}

static inline void
add_extension(X509 *certificate, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	X509_add_ext(certificate, e, -1);
	X509_EXTENSION_free(e);
}

struct tls_recipe {
	const char *kind; /* of the key */
	const char *cn;
	const char *san; /* "DNS:a.foo.test,…", NULL: none */
	const struct tls_identity *issuer; /* NULL: self-signed */
	bool ca, expired;
};

static inline struct tls_identity
make_identity(struct tls_recipe recipe)
{
	static long serial = 1;
	struct tls_identity id = { .key = make_key(recipe.kind) };
	EVP_PKEY *signer = recipe.issuer != NULL ? recipe.issuer->key : id.key;
	uint8_t *data = NULL;
	X509_NAME *name;
	int len;

	id.certificate = X509_new();
	X509_set_version(id.certificate, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(id.certificate), serial++);
	X509_gmtime_adj(X509_getm_notBefore(id.certificate), -7200);
	X509_gmtime_adj(X509_getm_notAfter(id.certificate),
	    recipe.expired ? -3600 : 86400);
	name = X509_get_subject_name(id.certificate);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)recipe.cn, -1, -1, 0);
	X509_set_issuer_name(id.certificate,
	    recipe.issuer != NULL ?
		X509_get_subject_name(recipe.issuer->certificate) :
		name);
	X509_set_pubkey(id.certificate, id.key);
	if (recipe.ca)
		add_extension(id.certificate, NID_basic_constraints,
		    "critical,CA:TRUE");
	if (recipe.san != NULL)
		add_extension(id.certificate, NID_subject_alt_name, recipe.san);
	X509_sign(id.certificate, signer,
	    EVP_PKEY_is_a(signer, "ED25519") ? NULL : EVP_sha256());
	len = i2d_X509(id.certificate, &data);
	id.der.data = data;
	id.der.len = (size_t)len;
	return id;
}

static inline void
free_identity(struct tls_identity *id)
{
	EVP_PKEY_free(id->key);
	X509_free(id->certificate);
	OPENSSL_free((void *)(uintptr_t)id->der.data);
}

/* The certificate as PEM in a BIO: BIO_get_mem_data, BIO_free. */
static inline BIO *
certificate_pem(const struct tls_identity *id)
{
	BIO *bio = BIO_new(BIO_s_mem());

	PEM_write_bio_X509(bio, id->certificate);
	return bio;
}

#endif
