/* SPDX-License-Identifier: ISC
 *
 * Makes keys, certificates, requests and TXT records. Runs alone and
 * offline; nothing of it is in the signer's process. A key is never
 * overwritten, and what was begun is removed if it cannot be finished.
 *
 * Trust: options and existing files are root's.
 */
#include "keygen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "grip_jwk.h"
#include "grip_name.h"
#include "grip_record.h"
#include "key_files.h"
#include "memory.h"

#define KEYGEN_DIRECTORY SYSCONFDIR "/cargomail/keys"
#define KEYGEN_SERIAL_BYTES 16

struct keygen {
	const char *name;
	const char *directory;
	const char *type; /* "p256" or "ed25519" */
	bool request; /* -s */
	bool web; /* -w: a host for browsers, whose key is not published */
	bool record_only; /* -p */
	bool is_host; /* a mailbox, not a _cb or _rra */
	EVP_PKEY *key;
};

static int
keygen_usage(void)
{
	fprintf(stderr,
	    "usage: gripd keygen [-psw] [-d directory] "
	    "[-t p256|ed25519] name\n");
	return EX_USAGE;
}

/* Browsers know no Ed25519. */
static int
keygen_web_name(const struct keygen *keygen)
{
	if (keygen->is_host && strcmp(keygen->type, "p256") == 0)
		return EX_OK;
	fprintf(stderr,
	    "gripd keygen: %s: -w is for the host name of a web host, and "
	    "a key of type p256\n",
	    keygen->name);
	return EX_USAGE;
}

static int
keygen_options(struct keygen *keygen, int argc, char **argv)
{
	int option;

	optind = 0; /* scan from the start, whoever scanned before */
	while ((option = getopt(argc, argv, "d:pst:w")) != -1) {
		switch (option) {
		case 'd':
			keygen->directory = optarg;
			break;
		case 'p':
			keygen->record_only = true;
			break;
		case 's':
			keygen->request = true;
			break;
		case 't':
			keygen->type = optarg;
			break;
		case 'w':
			keygen->request = keygen->web = true;
			break;
		default:
			return keygen_usage();
		}
	}
	if (argc - optind != 1 || (keygen->record_only && keygen->request) ||
	    (strcmp(keygen->type, "p256") != 0 &&
		strcmp(keygen->type, "ed25519") != 0))
		return keygen_usage();
	keygen->name = argv[optind];
	keygen->is_host = grip_name_is_host(keygen->name);
	if (keygen->web)
		return keygen_web_name(keygen);
	if (keygen->is_host || grip_name_is_service(keygen->name, "_cb") ||
	    grip_name_is_service(keygen->name, "_rra") ||
	    grip_name_is_service(keygen->name, "_rm"))
		return EX_OK;
	fprintf(stderr,
	    "gripd keygen: %s: not _cb.DOMAIN, _rra.DOMAIN, "
	    "_rm.DOMAIN or the host name of a mailbox, in "
	    "lower case\n",
	    keygen->name);
	return EX_USAGE;
}

/* ---- files ---- */

static char *
keygen_path(const struct keygen *keygen, const char *suffix)
{
	return x_asprintf("%s/%s%s", keygen->directory, keygen->name, suffix);
}

/* Searchable for all, whatever the umask: the signer reads certificates
 * again as a user of its own. Keys are closed by their own mode. */
static int
keygen_make_directory(const char *path)
{
	if (mkdir(path, 0755) != 0)
		return errno == EEXIST ? 0 : -1;
	return chmod(path, 0755);
}

static int
keygen_sync_directory(const char *directory)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd != -1 ? fsync(fd) : -1;

	if (fd != -1)
		close(fd);
	return rc;
}

/* Writes the whole BIO durably to a new file, or removes it again. `flags`
 * is O_EXCL for what must not be there yet, else O_TRUNC. */
static int
keygen_write(const struct keygen *keygen, const char *suffix, BIO *pem,
    int flags)
{
	char *path = keygen_path(keygen, suffix), *data;
	long len = BIO_get_mem_data(pem, &data);
	mode_t mode = strcmp(suffix, ".key") == 0 ? 0600 : 0644;
	int fd, rc = EX_CANTCREAT;

	fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | flags,
	    mode);
	if (fd == -1) {
		fprintf(stderr, "gripd keygen: %s: %s\n", path,
		    strerror(errno));
		free(path);
		return rc;
	}
	if (fchmod(fd, mode) == 0 && write(fd, data, (size_t)len) == len &&
	    fsync(fd) == 0 && keygen_sync_directory(keygen->directory) == 0) {
		fprintf(stderr, "made %s\n", path);
		rc = EX_OK;
	} else {
		fprintf(stderr, "gripd keygen: %s: %s\n", path,
		    strerror(errno));
		unlink(path);
	}
	close(fd);
	free(path);
	return rc;
}

static int
keygen_crypto_failed(const struct keygen *keygen)
{
	fprintf(stderr, "gripd keygen: %s: %s\n", keygen->name,
	    ERR_error_string(ERR_get_error(), NULL));
	return EX_SOFTWARE;
}

/* ---- certificates and requests ---- */

/* With a fixed string type OpenSSL does not apply X.520's limit of 64
 * characters, which names of services can pass. */
static int
keygen_set_subject(X509_NAME *subject, const char *name)
{
	return X509_NAME_add_entry_by_NID(subject, NID_commonName,
	    V_ASN1_UTF8STRING, (const unsigned char *)name, -1, -1, 0);
}

static int
keygen_extend(STACK_OF(X509_EXTENSION) * *list, int nid, const char *value)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	int ok =
	    extension != NULL && X509v3_add_ext(list, extension, -1) != NULL;

	X509_EXTENSION_free(extension);
	return ok;
}

/* A mailbox is a TLS server known by its DNS name; the others are clients. */
static STACK_OF(X509_EXTENSION) *
    keygen_extensions(const struct keygen *keygen, bool own)
{
	STACK_OF(X509_EXTENSION) *list = NULL;
	char *names = x_asprintf("DNS:%s", keygen->name);
	int ok;

	ok = keygen_extend(&list, NID_key_usage, "critical,digitalSignature");
	if (ok && own)
		ok = keygen_extend(&list, NID_basic_constraints,
		    "critical,CA:FALSE");
	if (ok && keygen->is_host)
		ok = keygen_extend(&list, NID_subject_alt_name, names) &&
		    keygen_extend(&list, NID_ext_key_usage, "serverAuth");
	else if (ok)
		ok = keygen_extend(&list, NID_ext_key_usage, "clientAuth");
	free(names);
	if (!ok) {
		sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
		list = NULL;
	}
	return list;
}

static const EVP_MD *
keygen_digest(const struct keygen *keygen)
{
	return EVP_PKEY_is_a(keygen->key, "ED25519") ? NULL : EVP_sha256();
}

static int
keygen_set_serial(X509 *certificate)
{
	unsigned char bytes[KEYGEN_SERIAL_BYTES];
	BIGNUM *number = NULL;
	int ok;

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return 0;
	bytes[0] = (bytes[0] & 0x7f) | 0x40; /* positive, full length */
	number = BN_bin2bn(bytes, sizeof(bytes), NULL);
	ok = number != NULL &&
	    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) !=
		NULL;
	BN_free(number);
	return ok;
}

/* Valid for ever (RFC 5280, section 4.1.2.5): what counts is the DNS. */
static int
keygen_fill_certificate(const struct keygen *keygen, X509 *certificate)
{
	STACK_OF(X509_EXTENSION) *list = keygen_extensions(keygen, true);
	X509_NAME *subject = X509_get_subject_name(certificate);
	int ok;

	ok = list != NULL && X509_set_version(certificate, X509_VERSION_3) &&
	    keygen_set_serial(certificate) &&
	    keygen_set_subject(subject, keygen->name) &&
	    X509_set_issuer_name(certificate, subject) &&
	    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) != NULL &&
	    ASN1_TIME_set_string_X509(X509_getm_notAfter(certificate),
		"99991231235959Z") &&
	    X509_set_pubkey(certificate, keygen->key);
	for (int i = 0; ok && i < sk_X509_EXTENSION_num(list); i++)
		ok = X509_add_ext(certificate, sk_X509_EXTENSION_value(list, i),
		    -1);
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
	return ok &&
	    X509_sign(certificate, keygen->key, keygen_digest(keygen)) > 0;
}

static int
keygen_make_certificate(const struct keygen *keygen)
{
	X509 *certificate = X509_new();
	BIO *pem = BIO_new(BIO_s_mem());
	int rc;

	if (certificate != NULL && pem != NULL &&
	    keygen_fill_certificate(keygen, certificate) &&
	    PEM_write_bio_X509(pem, certificate))
		rc = keygen_write(keygen, ".crt", pem, O_EXCL);
	else
		rc = keygen_crypto_failed(keygen);
	BIO_free(pem);
	X509_free(certificate);
	return rc;
}

static int
keygen_make_request(const struct keygen *keygen)
{
	STACK_OF(X509_EXTENSION) *list = keygen_extensions(keygen, false);
	X509_REQ *request = X509_REQ_new();
	BIO *pem = BIO_new(BIO_s_mem());
	int rc;

	if (list != NULL && request != NULL && pem != NULL &&
	    X509_REQ_set_version(request, X509_REQ_VERSION_1) &&
	    keygen_set_subject(X509_REQ_get_subject_name(request),
		keygen->name) &&
	    X509_REQ_set_pubkey(request, keygen->key) &&
	    X509_REQ_add_extensions(request, list) &&
	    X509_REQ_sign(request, keygen->key, keygen_digest(keygen)) > 0 &&
	    PEM_write_bio_X509_REQ(pem, request))
		rc = keygen_write(keygen, ".csr", pem, O_TRUNC);
	else
		rc = keygen_crypto_failed(keygen);
	sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
	X509_REQ_free(request);
	BIO_free(pem);
	return rc;
}

/* ---- keys ---- */

static int
keygen_read_key(struct keygen *keygen)
{
	struct key_files *files;
	char *error = NULL;

	files = key_files_open(keygen->directory, NULL, &error);
	if (files != NULL)
		keygen->key = key_files_read_key(files, keygen->name, &error);
	key_files_close(&files);
	if (keygen->key != NULL)
		return EX_OK;
	fprintf(stderr, "gripd keygen: %s\n", error);
	free(error);
	return EX_NOINPUT;
}

static int
keygen_make_key(struct keygen *keygen)
{
	BIO *pem = BIO_new(BIO_s_secmem());
	int rc;

	keygen->key = strcmp(keygen->type, "ed25519") == 0 ?
	    EVP_PKEY_Q_keygen(NULL, NULL, "ED25519") :
	    EVP_EC_gen("P-256");
	if (keygen->key != NULL && pem != NULL &&
	    PEM_write_bio_PKCS8PrivateKey(pem, keygen->key, NULL, NULL, 0, NULL,
		NULL))
		rc = keygen_write(keygen, ".key", pem, O_EXCL);
	else
		rc = keygen_crypto_failed(keygen);
	BIO_free(pem);
	return rc;
}

static bool
keygen_has_file(const struct keygen *keygen, const char *suffix)
{
	char *path = keygen_path(keygen, suffix);
	struct stat st;
	bool there = lstat(path, &st) == 0;

	free(path);
	return there;
}

/* A certificate of somebody else's making may stand there already, or an
 * old key: neither is touched, so find out before making anything. A key that
 * has none yet gets its own. */
static int
keygen_make(struct keygen *keygen)
{
	bool key = keygen_has_file(keygen, ".key");
	int rc;

	if (!keygen->request && keygen_has_file(keygen, ".crt")) {
		fprintf(stderr,
		    "gripd keygen: %s/%s.crt is already there; its record: "
		    "gripd keygen -p %s\n",
		    keygen->directory, keygen->name, keygen->name);
		return EX_CANTCREAT;
	}
	rc = key ? keygen_read_key(keygen) : keygen_make_key(keygen);
	if (rc != EX_OK)
		return rc;
	return keygen->request ? keygen_make_request(keygen) :
				 keygen_make_certificate(keygen);
}

/* ---- record ---- */

/* A mailbox's key is published for its domain: the host name without its
 * first label, which must be a domain of two labels itself. */
static int
keygen_print_record(const struct keygen *keygen)
{
	char text[GRIP_RECORD_TEXT_SIZE];
	const char *domain = keygen->name;
	struct grip_record record;

	if (grip_jwk_spki_sha256(keygen->key, record.spki_sha256) != 0)
		return keygen_crypto_failed(keygen);
	grip_record_format(&record, text);
	if (!keygen->is_host) {
		printf("%s. IN TXT \"%s\"\n", keygen->name, text);
		return EX_OK;
	}
	domain = strchr(keygen->name, '.') + 1;
	if (!grip_name_is_host(domain)) {
		fprintf(stderr,
		    "%s has no domain below which its key (%s) could be "
		    "published; a CA must vouch for it\n",
		    keygen->name, strstr(text, "p="));
		return EX_OK;
	}
	printf("_rm.%s. IN TXT \"%s\"\n", domain, text);
	return EX_OK;
}

int
keygen_main(int argc, char **argv)
{
	struct keygen keygen = { .directory = KEYGEN_DIRECTORY,
		.type = "p256" };
	int rc = keygen_options(&keygen, argc, argv);

	if (rc != EX_OK)
		return rc;
	if (geteuid() != 0) {
		fprintf(stderr,
		    "gripd keygen: only root may make or read "
		    "keys\n");
		return EX_NOPERM;
	}
	if (!keygen.record_only &&
	    keygen_make_directory(keygen.directory) != 0) {
		fprintf(stderr, "gripd keygen: %s: %s\n", keygen.directory,
		    strerror(errno));
		return EX_CANTCREAT;
	}
	rc = keygen.record_only ? keygen_read_key(&keygen) :
				  keygen_make(&keygen);
	if (rc == EX_OK && !keygen.web)
		rc = keygen_print_record(&keygen);
	EVP_PKEY_free(keygen.key);
	return rc;
}
