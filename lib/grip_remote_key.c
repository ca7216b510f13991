/* SPDX-License-Identifier: ISC
 *
 * An OpenSSL provider, built into the program, for keys whose private half is
 * in gripd. It knows two things only: to hold such a key, and to have a whole
 * message signed at once. No signing of digests, no streaming, no verifying:
 * the default provider does whatever needs only the public half.
 *
 * Trust: public keys come from certificates that gripd gave; signatures are
 * checked for size only, the TLS peer checks them.
 */
#include "grip_remote_key.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#define REMOTE_PROVIDER "grip"
#define REMOTE_ORIGIN "grip-origin" /* parameter: struct remote_origin */

/* Where the private half is; travels through OpenSSL as a parameter. */
struct remote_origin {
	const char *identity;
	struct grip_client *signer;
};

struct remote_key {
	const char *type; /* "EC" or "ED25519" */
	EVP_PKEY *public; /* the same key in the default provider */
	OSSL_PARAM *params; /* its public parameters */
	char *identity;
	struct grip_client *signer; /* borrowed */
};

/* ---- key management ---- */

static void *
remote_key_new(const char *type)
{
	struct remote_key *key = calloc(1, sizeof(*key));

	if (key != NULL)
		key->type = type;
	return key;
}

static void *
remote_key_new_ec(void *context)
{
	(void)context;
	return remote_key_new("EC");
}

static void *
remote_key_new_ed25519(void *context)
{
	(void)context;
	return remote_key_new("ED25519");
}

static void
remote_key_free(void *data)
{
	struct remote_key *key = data;

	if (key == NULL)
		return;
	EVP_PKEY_free(key->public);
	OSSL_PARAM_free(key->params);
	free(key->identity);
	free(key);
}

static int
remote_key_has(const void *data, int selection)
{
	const struct remote_key *key = data;

	(void)selection;
	return key != NULL && key->public != NULL;
}

static int
remote_key_match(const void *a, const void *b, int selection)
{
	const struct remote_key *one = a, *other = b;

	(void)selection;
	return EVP_PKEY_eq(one->public, other->public) == 1;
}

/* Only keys made by grip_remote_key_new: OpenSSL offers those of peers too,
 * which belong to the default provider. */
static int
remote_key_import(void *data, int selection, const OSSL_PARAM params[])
{
	const OSSL_PARAM *p = OSSL_PARAM_locate_const(params, REMOTE_ORIGIN);
	struct remote_key *key = data;
	struct remote_origin origin;
	EVP_PKEY_CTX *context;
	int ok;

	(void)selection;
	if (key->public != NULL || p == NULL || p->data == NULL ||
	    p->data_size != sizeof(origin))
		return 0;
	memcpy(&origin, p->data, sizeof(origin));
	key->signer = origin.signer;
	key->identity = strdup(origin.identity);
	context =
	    EVP_PKEY_CTX_new_from_name(NULL, key->type, "provider=default");
	ok = key->identity != NULL && context != NULL &&
	    EVP_PKEY_fromdata_init(context) > 0 &&
	    EVP_PKEY_fromdata(context, &key->public, EVP_PKEY_PUBLIC_KEY,
		(OSSL_PARAM *)(uintptr_t)params) > 0 &&
	    EVP_PKEY_todata(key->public, EVP_PKEY_PUBLIC_KEY, &key->params) > 0;
	EVP_PKEY_CTX_free(context);
	return ok;
}

/* The public half, for comparing with a certificate. Asked for the private
 * one it must fail, or the default provider takes a copy of the public half
 * for the whole key and cannot sign with it. */
static int
remote_key_export(void *data, int selection, OSSL_CALLBACK *callback, void *arg)
{
	const struct remote_key *key = data;

	if ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0)
		return 0;
	return callback(key->params, arg);
}

static const OSSL_PARAM remote_key_params[] = {
	OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
	OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
	OSSL_PARAM_octet_string(REMOTE_ORIGIN, NULL, 0),
	OSSL_PARAM_END,
};

static const OSSL_PARAM *
remote_key_types(int selection)
{
	(void)selection;
	return remote_key_params;
}

static const OSSL_PARAM remote_key_readable[] = {
	OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
	OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
	OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
	OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
	OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
	OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, NULL, 0),
	OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, NULL, 0),
	OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_MANDATORY_DIGEST, NULL, 0),
	OSSL_PARAM_END,
};

static const OSSL_PARAM *
remote_key_gettable(void *context)
{
	(void)context;
	return remote_key_readable;
}

static int
remote_key_get(void *data, OSSL_PARAM params[])
{
	const struct remote_key *key = data;

	return EVP_PKEY_get_params(key->public, params);
}

static const char *
remote_key_operation_ec(int operation)
{
	return operation == OSSL_OP_SIGNATURE ? "ECDSA" : NULL;
}

static const char *
remote_key_operation_ed25519(int operation)
{
	return operation == OSSL_OP_SIGNATURE ? "ED25519" : NULL;
}

#define ENTRY(id, function) \
	{ \
		id, (void (*)(void))(function) \
	}
#define KEY_DISPATCH(kind) \
	static const OSSL_DISPATCH remote_key_##kind[] = { \
		ENTRY(OSSL_FUNC_KEYMGMT_NEW, remote_key_new_##kind), \
		ENTRY(OSSL_FUNC_KEYMGMT_FREE, remote_key_free), \
		ENTRY(OSSL_FUNC_KEYMGMT_HAS, remote_key_has), \
		ENTRY(OSSL_FUNC_KEYMGMT_MATCH, remote_key_match), \
		ENTRY(OSSL_FUNC_KEYMGMT_IMPORT, remote_key_import), \
		ENTRY(OSSL_FUNC_KEYMGMT_IMPORT_TYPES, remote_key_types), \
		ENTRY(OSSL_FUNC_KEYMGMT_EXPORT, remote_key_export), \
		ENTRY(OSSL_FUNC_KEYMGMT_EXPORT_TYPES, remote_key_types), \
		ENTRY(OSSL_FUNC_KEYMGMT_GET_PARAMS, remote_key_get), \
		ENTRY(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, remote_key_gettable), \
		ENTRY(OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, \
		    remote_key_operation_##kind), \
		{ 0, NULL }, \
	}

KEY_DISPATCH(ec);
KEY_DISPATCH(ed25519);

/* ---- signature: one shot, whole content ---- */

struct remote_signature {
	struct remote_key *key; /* borrowed, OpenSSL keeps it */
};

static void *
remote_signature_new(void *context, const char *properties)
{
	(void)context;
	(void)properties;
	return calloc(1, sizeof(struct remote_signature));
}

static void
remote_signature_free(void *data)
{
	free(data);
}

static void *
remote_signature_copy(void *data)
{
	struct remote_signature *copy = malloc(sizeof(*copy));

	if (copy != NULL)
		memcpy(copy, data, sizeof(*copy));
	return copy;
}

/* P-256 with SHA-256, or Ed25519 which has no digest: what gripd does. */
static int
remote_signature_init(void *data, const char *digest, void *key,
    const OSSL_PARAM params[])
{
	struct remote_signature *signature = data;

	(void)params;
	if (key == NULL)
		return 0;
	signature->key = key;
	if (strcmp(signature->key->type, "EC") == 0)
		return digest != NULL && EVP_MD_is_a(EVP_sha256(), digest);
	return digest == NULL || *digest == '\0';
}

static int
remote_signature_sign(void *data, unsigned char *signature_r, size_t *len_r,
    size_t size, const unsigned char *content, size_t len)
{
	struct remote_signature *signature = data;
	const struct remote_key *key = signature->key;
	size_t max = (size_t)EVP_PKEY_get_size(key->public);
	struct reason why;

	if (signature_r == NULL) {
		*len_r = max;
		return 1;
	}
	*len_r = size < max ? size : max;
	if (grip_client_handshake(key->signer, key->identity, content, len,
		signature_r, len_r, &why) == OUTCOME_OK)
		return 1;
	ERR_raise_data(ERR_LIB_USER, ERR_R_INTERNAL_ERROR, "gripd: %s: %s",
	    why.word, why.text);
	return 0;
}

static const OSSL_DISPATCH remote_signature[] = {
	ENTRY(OSSL_FUNC_SIGNATURE_NEWCTX, remote_signature_new),
	ENTRY(OSSL_FUNC_SIGNATURE_FREECTX, remote_signature_free),
	ENTRY(OSSL_FUNC_SIGNATURE_DUPCTX, remote_signature_copy),
	ENTRY(OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, remote_signature_init),
	ENTRY(OSSL_FUNC_SIGNATURE_DIGEST_SIGN, remote_signature_sign),
	{ 0, NULL },
};

/* ---- provider ---- */

#define PROPERTIES "provider=" REMOTE_PROVIDER

static const OSSL_ALGORITHM remote_keys[] = {
	{ "EC:id-ecPublicKey:1.2.840.10045.2.1", PROPERTIES, remote_key_ec,
	    "" },
	{ "ED25519:1.3.101.112", PROPERTIES, remote_key_ed25519, "" },
	{ NULL, NULL, NULL, NULL },
};

static const OSSL_ALGORITHM remote_signatures[] = {
	{ "ECDSA", PROPERTIES, remote_signature, "" },
	{ "ED25519:1.3.101.112", PROPERTIES, remote_signature, "" },
	{ NULL, NULL, NULL, NULL },
};

static const OSSL_ALGORITHM *
remote_provider_query(void *context, int operation, int *no_cache)
{
	(void)context;
	*no_cache = 0;
	if (operation == OSSL_OP_KEYMGMT)
		return remote_keys;
	return operation == OSSL_OP_SIGNATURE ? remote_signatures : NULL;
}

static const OSSL_DISPATCH remote_provider[] = {
	ENTRY(OSSL_FUNC_PROVIDER_QUERY_OPERATION, remote_provider_query),
	{ 0, NULL },
};

static int
remote_provider_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in,
    const OSSL_DISPATCH **out, void **context)
{
	(void)in;
	*out = remote_provider;
	*context = (void *)(uintptr_t)handle; /* unused, but not NULL */
	return 1;
}

int
grip_remote_key_init(void)
{
	/* Held until the process ends, like the default library context
	 * they are loaded into. */
	static OSSL_PROVIDER *loaded, *other;

	if (loaded != NULL)
		return 0;
	/* An explicit load of one provider turns off the implicit load of
	 * the default one. Everything but our keys prefers the default. */
	if (other == NULL)
		other = OSSL_PROVIDER_load(NULL, "default");
	if (other == NULL ||
	    !OSSL_PROVIDER_add_builtin(NULL, REMOTE_PROVIDER,
		remote_provider_init) ||
	    !EVP_set_default_properties(NULL, "?provider=default"))
		return -1;
	loaded = OSSL_PROVIDER_load(NULL, REMOTE_PROVIDER);
	return loaded != NULL ? 0 : -1;
}

static bool
remote_key_supported(const EVP_PKEY *public)
{
	char group[32];
	size_t len;

	if (EVP_PKEY_is_a(public, "ED25519"))
		return true;
	return EVP_PKEY_is_a(public, "EC") &&
	    EVP_PKEY_get_group_name(public, group, sizeof(group), &len) == 1 &&
	    strcmp(group, "prime256v1") == 0;
}

EVP_PKEY *
grip_remote_key_new(const X509 *certificate, const char *identity,
    struct grip_client *signer)
{
	EVP_PKEY *public = X509_get0_pubkey(certificate), *key = NULL;
	struct remote_origin origin = { identity, signer };
	OSSL_PARAM *params = NULL, *merged = NULL, ours[2];
	EVP_PKEY_CTX *context = NULL;

	if (public == NULL || !remote_key_supported(public) ||
	    EVP_PKEY_todata(public, EVP_PKEY_PUBLIC_KEY, &params) <= 0)
		return NULL;
	ours[0] = OSSL_PARAM_construct_octet_string(REMOTE_ORIGIN, &origin,
	    sizeof(origin));
	ours[1] = OSSL_PARAM_construct_end();
	merged = OSSL_PARAM_merge(params, ours);
	context = EVP_PKEY_CTX_new_from_name(NULL,
	    EVP_PKEY_get0_type_name(public), PROPERTIES);
	if (merged == NULL || context == NULL ||
	    EVP_PKEY_fromdata_init(context) <= 0 ||
	    EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, merged) <= 0)
		key = NULL;
	EVP_PKEY_CTX_free(context);
	OSSL_PARAM_free(merged);
	OSSL_PARAM_free(params);
	return key;
}
