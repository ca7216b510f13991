/* SPDX-License-Identifier: ISC
 *
 * Reads certificates and requests, which are root's; texts of records may be
 * a stranger's.
 */
#include "published_key.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "grip_jwk.h"
#include "grip_name.h"
#include "json_strict.h"
#include "memory.h"

X509 *
published_key_read_certificate(const char *path)
{
	FILE *in = fopen(path, "re");
	X509 *certificate;

	if (in == NULL)
		return NULL;
	certificate = PEM_read_X509(in, NULL, NULL, NULL);
	fclose(in);
	ERR_clear_error();
	if (certificate == NULL)
		errno = EINVAL;
	return certificate;
}

static int
set_key(EVP_PKEY *public, struct published_key *key_r)
{
	memset(key_r, 0, sizeof(*key_r));
	if (public == NULL || grip_jwk_spki_hash(public, key_r->hash) != 0) {
		ERR_clear_error();
		errno = EINVAL;
		return -1;
	}
	key_r->type = EVP_PKEY_is_a(public, "ED25519") ? "ed25519" : "p256";
	return 0;
}

int64_t
published_key_time(const ASN1_TIME *time)
{
	struct tm tm;

	return ASN1_TIME_to_tm(time, &tm) == 1 ? timegm(&tm) : 0;
}

int
published_key_read(const char *path, struct published_key *key_r)
{
	X509 *certificate = published_key_read_certificate(path);
	int rc;

	if (certificate == NULL)
		return -1;
	rc = set_key(X509_get0_pubkey(certificate), key_r);
	if (rc == 0) {
		key_r->self_signed =
		    X509_NAME_cmp(X509_get_issuer_name(certificate),
			X509_get_subject_name(certificate)) == 0;
		key_r->from =
		    published_key_time(X509_get0_notBefore(certificate));
		key_r->until =
		    published_key_time(X509_get0_notAfter(certificate));
	}
	X509_free(certificate);
	return rc;
}

int
published_key_read_request(const char *path, struct published_key *key_r)
{
	FILE *in = fopen(path, "re");
	X509_REQ *request;
	int rc;

	if (in == NULL)
		return -1;
	request = PEM_read_X509_REQ(in, NULL, NULL, NULL);
	fclose(in);
	rc = set_key(request != NULL ? X509_REQ_get0_pubkey(request) : NULL,
	    key_r);
	X509_REQ_free(request);
	return rc;
}

char *
published_key_owner(const char *name)
{
	const char *rest;

	if (grip_name_is_service(name, NULL))
		return x_strdup(name);
	if (!grip_name_is_host(name))
		return NULL;
	rest = strchr(name, '.') + 1;
	return strchr(rest, '.') != NULL ? x_asprintf("_rm.%s", rest) : NULL;
}

void
published_key_text(const char *hash, char text_r[GRIP_RECORD_TEXT_SIZE])
{
	struct grip_record record = { 0 };

	hex_parse(hash, record.spki_sha256, SHA256_LEN);
	grip_record_format(&record, text_r);
}

bool
published_key_is(const char *text, const char *hash)
{
	struct grip_record record;
	char found[SHA256_HEX_SIZE];

	if (text == NULL || grip_record_parse(text, strlen(text), &record) != 0)
		return false;
	hex_format(record.spki_sha256, SHA256_LEN, found);
	return strcmp(found, hash) == 0;
}

bool
published_key_in(const cJSON *answer, const char *hash)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, json_array(answer, "records"))
	{
		if (published_key_is(cJSON_GetStringValue(item), hash))
			return true;
	}
	return false;
}
