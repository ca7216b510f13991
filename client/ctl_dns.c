/* SPDX-License-Identifier: ISC
 *
 * cargomailctl dns: the TXT records that this host's roles need, made of the
 * certificates in the keys directory (readable by all; the keys are not
 * touched).
 */
#include "ctl.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include <openssl/pem.h>
#include <openssl/x509.h>

#include "grip_jwk.h"
#include "grip_name.h"
#include "grip_record.h"
#include "json_strict.h"
#include "memory.h"

static X509 *
read_certificate(const char *path)
{
	FILE *in = fopen(path, "re");
	X509 *certificate = NULL;

	if (in == NULL)
		return NULL;
	certificate = PEM_read_X509(in, NULL, NULL, NULL);
	fclose(in);
	return certificate;
}

/* The owner name of the record for a certificate of this CN: a service's is
 * its own, a mailbox's `_rm.` and its host name without the first label.
 * NULL if there can be none. The caller frees. */
static char *
record_owner(const char *cn)
{
	const char *rest;

	if (grip_name_is_service(cn, NULL))
		return x_strdup(cn);
	if (!grip_name_is_host(cn))
		return NULL;
	rest = strchr(cn, '.') + 1;
	return strchr(rest, '.') != NULL ? x_asprintf("_rm.%s", rest) : NULL;
}

static void
print_record(const struct ctl *ctl, const char *owner, const char *text)
{
	cJSON *record;
	char *line;

	if (!ctl->json) {
		printf("%s. IN TXT \"%s\"\n", owner, text);
		return;
	}
	record = cJSON_CreateObject();
	json_add_string(record, "name", owner);
	json_add_string(record, "type", "TXT");
	json_add_string(record, "text", text);
	line = json_format(record);
	puts(line != NULL ? line : "");
	free(line);
	cJSON_Delete(record);
}

/* 0, or -1 if the file is not such a certificate. */
static int
print_records_of(const struct ctl *ctl, const char *path)
{
	char cn[GRIP_NAME_SIZE + 1] = "", text[GRIP_RECORD_TEXT_SIZE];
	X509 *certificate = read_certificate(path);
	struct grip_record record;
	char *owner = NULL, *marker;
	int result = -1;

	if (certificate != NULL &&
	    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate),
		NID_commonName, cn, sizeof(cn)) > 0)
		owner = record_owner(cn);
	if (owner == NULL ||
	    grip_jwk_spki_sha256(X509_get0_pubkey(certificate),
		record.spki_sha256) < 0)
		goto out;
	grip_record_format(&record, text);
	print_record(ctl, owner, text);
	if (grip_name_is_service(cn, "_cb")) {
		/* Tells senders that inbound mail passes a broker. */
		marker = x_asprintf("_cargomail.%s", grip_name_domain(cn));
		print_record(ctl, marker, "v=cargomail1");
		free(marker);
	}
	result = 0;
out:
	free(owner);
	X509_free(certificate);
	return result;
}

static int
is_certificate(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 4 && strcmp(entry->d_name + len - 4, ".crt") == 0;
}

int
ctl_dns(const struct ctl *ctl, int argc, char **argv)
{
	struct dirent **entries = NULL;
	int count, i, good = 0, code = 0;
	char *path;

	(void)argv;
	if (argc != 1)
		return EX_USAGE;
	count =
	    scandir(ctl->keys_directory, &entries, is_certificate, alphasort);
	if (count < 0) {
		fprintf(stderr, "cargomailctl: %s: %s\n", ctl->keys_directory,
		    strerror(errno));
		return EX_NOINPUT;
	}
	for (i = 0; i < count; i++) {
		path = x_asprintf("%s/%s", ctl->keys_directory,
		    entries[i]->d_name);
		if (print_records_of(ctl, path) == 0) {
			good++;
		} else {
			fprintf(stderr,
			    "cargomailctl: %s: no certificate of "
			    "a role or a mailbox host\n",
			    path);
			code = EX_DATAERR;
		}
		free(path);
		free(entries[i]);
	}
	free(entries);
	if (good == 0 && code == 0) {
		fprintf(stderr,
		    "cargomailctl: %s: no certificates; cure: "
		    "gripd keygen\n",
		    ctl->keys_directory);
		code = EX_NOINPUT;
	}
	return code;
}
