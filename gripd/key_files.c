/* SPDX-License-Identifier: ISC
 *
 * Reads keys and certificates. Whatever is wrong is one line that names the
 * path and what to do. Bytes of keys are wiped after parsing.
 */
#include "key_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "grip_name.h"
#include "memory.h"
#include "peer_list.h"
#include "privileges.h"

#define KEY_FILE_MAX 65536
#define KEY_CREDENTIALS "keys_" /* LoadCredential=keys:DIRECTORY */

struct key_place {
	char *path;
	int fd; /* -1: none */
	bool credentials;
};

struct key_files {
	struct key_place places[2]; /* credentials first */
	uid_t user; /* the signer's, 0 if there is none */
};

/* A file that has been opened and read. */
struct key_file {
	char *path;
	char *data;
	size_t len;
};

static int
key_place_open(struct key_place *place, const char *path)
{
	place->fd = -1;
	if (path == NULL)
		return 0;
	place->path = x_strdup(path);
	place->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return place->fd == -1 ? -1 : 0;
}

struct key_files *
key_files_open(const char *keys, const char *credentials, char **error_r)
{
	struct key_files *files = x_calloc(1, sizeof(*files));
	gid_t gid;

	if (privileges_find_user(peer_user(PEER_SIGN), &files->user, &gid) != 0)
		files->user = 0;
	files->places[0].credentials = true;
	/* With credentials the other directory need not be there. */
	if (key_place_open(&files->places[0], credentials) != 0 ||
	    (key_place_open(&files->places[1], keys) != 0 &&
		files->places[0].fd == -1)) {
		*error_r = x_asprintf("keys directory %s: %s",
		    files->places[1].path != NULL ? keys : credentials,
		    strerror(errno));
		key_files_close(&files);
	}
	return files;
}

void
key_files_close(struct key_files **files)
{
	if (*files == NULL)
		return;
	for (size_t i = 0; i < 2; i++) {
		if ((*files)->places[i].fd > 0)
			close((*files)->places[i].fd);
		free((*files)->places[i].path);
	}
	x_free(files);
}

size_t
key_files_directories(const struct key_files *files, int fds_r[2])
{
	size_t count = 0;

	for (size_t i = 0; i < 2; i++)
		if (files->places[i].fd != -1)
			fds_r[count++] = files->places[i].fd;
	return count;
}

/* ---- one file ---- */

static void
key_file_free(struct key_file *file)
{
	if (file->data != NULL)
		OPENSSL_cleanse(file->data, file->len);
	free(file->data);
	free(file->path);
	memset(file, 0, sizeof(*file));
}

/* Opens a file of this name in one place; -1 with errno. */
static int
key_place_find(const struct key_place *place, const char *base,
    struct key_file *file)
{
	/* What systemd calls it if the unit names a whole directory; it has
	 * no directories below. */
	char *credential = x_asprintf(KEY_CREDENTIALS "%s", base);
	const char *const names[] = { base, credential };
	int fd = -1, saved = ENOENT;

	for (char *at = credential; (at = strchr(at, '/')) != NULL;)
		*at = '_';
	for (size_t i = 0;
	     i < (place->credentials ? 2 : 1) && fd == -1 && saved == ENOENT;
	     i++) {
		free(file->path);
		file->path = x_asprintf("%s/%s", place->path, names[i]);
		/* O_NONBLOCK: a FIFO must not hang the start. */
		fd = openat(place->fd, names[i],
		    O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
		saved = errno;
	}
	free(credential);
	errno = saved;
	return fd;
}

/* Opens <name><suffix> in the first place that has it. A key is looked for
 * among the credentials first; a certificate last, since those are as old as
 * the process. Where there is none, file->path is where an administrator puts
 * it. */
static int
key_file_find(const struct key_files *files, const char *name, bool secret,
    struct key_file *file, bool *credentials_r)
{
	char *base = x_asprintf("%s%s", name, secret ? ".key" : ".crt");
	int fd = -1, saved = ENOENT;

	for (size_t i = 0; i < 2 && fd == -1 && saved == ENOENT; i++) {
		const struct key_place *place =
		    &files->places[secret ? i : 1 - i];

		if (place->fd == -1)
			continue;
		*credentials_r = place->credentials;
		fd = key_place_find(place, base, file);
		saved = errno;
	}
	if (fd == -1 && saved == ENOENT && files->places[1].fd != -1) {
		free(file->path);
		file->path = x_asprintf("%s/%s", files->places[1].path, base);
	}
	free(base);
	errno = saved;
	return fd;
}

static char *
key_file_missing(const struct key_file *file, const char *name, bool secret)
{
	if (errno != ENOENT)
		return x_asprintf("%s: %s", file->path, strerror(errno));
	if (!secret)
		return x_asprintf("%s: not there; put the certificate of %s "
				  "there, then its issuers (PEM)",
		    file->path, name);
	return x_asprintf("%s: not there; make it with: gripd keygen %s%s",
	    file->path, grip_name_is_service(name, NULL) ? "" : "-s ", name);
}

/* Who may read a key: root, the signer, and nobody else. systemd gives
 * credentials to the user by an ACL, which shows as a group bit. */
static char *
key_file_secret(const struct key_files *files, const struct key_file *file,
    const struct stat *st, bool credentials)
{
	mode_t open_to = S_IRWXG | S_IRWXO;

	if (credentials)
		open_to &= ~(mode_t)S_IRGRP;
	if (st->st_uid != 0 && st->st_uid != files->user &&
	    st->st_uid != geteuid())
		return x_asprintf("%s: owned by uid %u; do: chown root %s",
		    file->path, (unsigned)st->st_uid, file->path);
	if ((st->st_mode & open_to) != 0)
		return x_asprintf("%s: mode %04o opens the key to others; "
				  "do: chmod 600 %s",
		    file->path, (unsigned)st->st_mode & 07777, file->path);
	return NULL;
}

static int
key_file_load(int fd, const struct stat *st, struct key_file *file,
    char **error_r)
{
	ssize_t n;

	if (!S_ISREG(st->st_mode) || st->st_size > KEY_FILE_MAX) {
		*error_r = x_asprintf("%s: not a regular file below 64 KiB",
		    file->path);
		return -1;
	}
	file->len = (size_t)st->st_size;
	file->data = x_malloc(file->len + 1);
	n = read(fd, file->data, file->len);
	if (n == st->st_size)
		return 0;
	*error_r = x_asprintf("%s: cannot be read whole", file->path);
	return -1;
}

static int
key_file_read(const struct key_files *files, const char *name, bool secret,
    struct key_file *file_r, char **error_r)
{
	bool credentials = false;
	struct stat st;
	int fd, rc = -1;

	memset(file_r, 0, sizeof(*file_r));
	*error_r = NULL;
	fd = key_file_find(files, name, secret, file_r, &credentials);
	if (fd == -1) {
		*error_r = key_file_missing(file_r, name, secret);
		return -1;
	}
	if (fstat(fd, &st) != 0)
		*error_r = x_asprintf("%s: %s", file_r->path, strerror(errno));
	else if (secret)
		*error_r = key_file_secret(files, file_r, &st, credentials);
	if (*error_r == NULL)
		rc = key_file_load(fd, &st, file_r, error_r);
	close(fd);
	return rc;
}

/* ---- keys ---- */

bool
key_files_supported(const EVP_PKEY *key)
{
	char group[32];
	size_t len;

	if (EVP_PKEY_is_a(key, "ED25519"))
		return true;
	return EVP_PKEY_is_a(key, "EC") &&
	    EVP_PKEY_get_group_name(key, group, sizeof(group), &len) == 1 &&
	    strcmp(group, "prime256v1") == 0;
}

/* A daemon cannot be asked for a passphrase. */
static int
key_no_passphrase(char *text_r, int size, int writing, void *arg)
{
	(void)text_r;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

EVP_PKEY *
key_files_read_key(const struct key_files *files, const char *name,
    char **error_r)
{
	EVP_PKEY *key = NULL;
	struct key_file file;
	BIO *bio = NULL;

	if (key_file_read(files, name, true, &file, error_r) != 0)
		goto out;
	bio = BIO_new_mem_buf(file.data, (int)file.len);
	if (bio != NULL)
		key =
		    PEM_read_bio_PrivateKey(bio, NULL, key_no_passphrase, NULL);
	if (key == NULL)
		*error_r = x_asprintf("%s: no private key in PEM without a "
				      "passphrase",
		    file.path);
	else if (!key_files_supported(key)) {
		*error_r = x_asprintf("%s: neither P-256 nor Ed25519; make "
				      "one with: gripd keygen %s",
		    file.path, name);
		EVP_PKEY_free(key);
		key = NULL;
	}
out:
	BIO_free(bio);
	ERR_clear_error();
	key_file_free(&file);
	return key;
}

/* ---- certificates ---- */

static bool
key_common_name_is(X509 *leaf, const char *name)
{
	X509_NAME *subject = X509_get_subject_name(leaf);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	ASN1_STRING *value;

	/* Exactly one, or it is not clear whose certificate it is. */
	if (at < 0 ||
	    X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0)
		return false;
	value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
	return (size_t)ASN1_STRING_length(value) == strlen(name) &&
	    memcmp(ASN1_STRING_get0_data(value), name, strlen(name)) == 0;
}

static char *
key_chain_wrong(X509 *leaf, EVP_PKEY *key, const char *name,
    const struct grip_identity *identity)
{
	const unsigned flags = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
	    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;

	if (EVP_PKEY_eq(X509_get0_pubkey(leaf), key) != 1)
		return x_strdup("the first certificate is not that of the "
				"key beside it");
	if (identity->role == GRIP_ROLE_MAILBOX ||
	    identity->role == GRIP_ROLE_WEB) {
		if (X509_check_host(leaf, identity->name, 0, flags, NULL) == 1)
			return NULL;
		return x_asprintf("has no subjectAltName DNS:%s; get one with "
				  "the request of: gripd keygen -%c %s",
		    identity->name, identity->role == GRIP_ROLE_WEB ? 'w' : 's',
		    name);
	}
	if (key_common_name_is(leaf, identity->name) ||
	    key_common_name_is(leaf, name))
		return NULL;
	return x_asprintf("its CN is not %s", identity->name);
}

/* The certificates of a PEM file as DER; 0, or -1. */
static int
key_chain_parse(BIO *bio, struct grip_identity *chain_r, X509 **leaf_r)
{
	struct grip_certificate *certificate;
	X509 *x509;
	int len;

	while ((x509 = PEM_read_bio_X509(bio, NULL, key_no_passphrase, NULL)) !=
	    NULL) {
		if (chain_r->chain_count == GRIP_PROTOCOL_CHAIN_MAX) {
			X509_free(x509);
			return -1;
		}
		certificate = &chain_r->chain[chain_r->chain_count];
		len = i2d_X509(x509, &certificate->der);
		if (*leaf_r == NULL)
			*leaf_r = x509;
		else
			X509_free(x509);
		if (len <= 0)
			return -1;
		certificate->len = (size_t)len;
		chain_r->chain_count++;
	}
	return chain_r->chain_count > 0 ? 0 : -1;
}

void
key_files_free_chain(struct grip_identity *identity)
{
	for (size_t i = 0; i < identity->chain_count; i++)
		OPENSSL_free(identity->chain[i].der);
	memset(identity->chain, 0, sizeof(identity->chain));
	identity->chain_count = 0;
}

/* Reads one file into *fresh, which is freed on failure. */
static int
key_chain_read(const struct key_files *files, const char *name, EVP_PKEY *key,
    const struct grip_identity *identity, struct grip_identity *fresh,
    char **error_r)
{
	const char *slash = strrchr(name, '/');
	const char *key_name = slash != NULL ? slash + 1 : name;
	char *wrong = NULL;
	struct key_file file;
	X509 *leaf = NULL;
	BIO *bio = NULL;
	int rc = -1;

	if (key_file_read(files, name, false, &file, error_r) != 0)
		goto out;
	bio = BIO_new_mem_buf(file.data, (int)file.len);
	if (bio == NULL || key_chain_parse(bio, fresh, &leaf) != 0)
		wrong = x_asprintf("not 1 to %d certificates in PEM",
		    GRIP_PROTOCOL_CHAIN_MAX);
	else
		wrong = key_chain_wrong(leaf, key, key_name, identity);
	if (wrong == NULL)
		rc = 0;
	else
		*error_r = x_asprintf("%s: %s", file.path, wrong);
out:
	if (rc != 0)
		key_files_free_chain(fresh);
	free(wrong);
	X509_free(leaf);
	BIO_free(bio);
	ERR_clear_error();
	key_file_free(&file);
	return rc;
}

int
key_files_read_chain(const struct key_files *files, const char *name,
    EVP_PKEY *key, struct grip_identity *identity, char **error_r)
{
	struct grip_identity fresh = { .chain_count = 0 };
	char *next, *error = NULL;
	int rc;

	rc = key_chain_read(files, name, key, identity, &fresh, error_r);
	if (rc != 0) {
		/* A rotation that was cut short: the key is the new one, its
		 * certificate not in its place yet. */
		next = x_asprintf(KEY_FILES_NEXT "/%s", name);
		rc = key_chain_read(files, next, key, identity, &fresh, &error);
		if (rc == 0)
			x_free(error_r);
		free(error);
		free(next);
	}
	if (rc != 0)
		return -1;
	key_files_free_chain(identity);
	memcpy(identity->chain, fresh.chain, sizeof(fresh.chain));
	identity->chain_count = fresh.chain_count;
	return 0;
}
