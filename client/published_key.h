/* SPDX-License-Identifier: ISC
 *
 * Keys as others know them: the public key in a certificate or a request, and
 * the TXT record that publishes it. Private keys are gripd's.
 */
#ifndef PUBLISHED_KEY_H
#define PUBLISHED_KEY_H

#include <stdbool.h>
#include <stdint.h>

#include <cjson/cJSON.h>
#include <openssl/x509.h>

#include "encoding.h"
#include "grip_record.h"

struct published_key {
	char hash[SHA256_HEX_SIZE]; /* of its SubjectPublicKeyInfo */
	const char *type; /* as gripd keygen -t has it */
	bool self_signed;
	int64_t from, until; /* of the certificate, seconds since 1970 */
};

/* The first certificate of a PEM file (X509_free()). NULL with errno: ENOENT
 * and the like, or EINVAL if there is none in it. */
X509 *published_key_read_certificate(const char *path);

/* Seconds since 1970 of a date in a certificate; 0 if it cannot be told. */
int64_t published_key_time(const ASN1_TIME *time);

/* The key of that certificate, and of a certificate request (which has no
 * dates). 0, or -1 with errno in the same way. */
int published_key_read(const char *path, struct published_key *key_r);
int published_key_read_request(const char *path, struct published_key *key_r);

/* Where the record of this identity or key stands: a service's at its own
 * name, a mailbox's at `_rm.` and its host name without the first label. NULL
 * if there can be none. The caller frees. */
char *published_key_owner(const char *name);

/* The text of the record for a hash in hex. */
void published_key_text(const char *hash, char text_r[GRIP_RECORD_TEXT_SIZE]);

/* True if a TXT of this text publishes this hash. */
bool published_key_is(const char *text, const char *hash);

/* True if one of the records of a look-up's answer, {records: [text]}, does;
 * false of NULL. */
bool published_key_in(const cJSON *answer, const char *hash);

#endif
