/* SPDX-License-Identifier: ISC
 *
 * Private keys (never read, only looked at) and certificates.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/x509v3.h>

#include "check.h"
#include "check_credentials.h"
#include "clock.h"
#include "grip_jwk.h"
#include "json_strict.h"
#include "memory.h"
#include "published_key.h"

#define DAY 86400
#define SOON (14 * DAY) /* certbot renews 30 days before */

/* True for the two that a TLS client judges by name and date. */
static bool
is_server(const cJSON *identity)
{
	const char *role = json_string(identity, "role");

	return role != NULL &&
	    (strcmp(role, "mailbox") == 0 || strcmp(role, "web") == 0);
}

static char *
file_of(const struct check *check, const cJSON *identity, const char *end)
{
	const char *file = json_string(identity, "file");

	return x_asprintf("%s/%s%s", check->config.grip.keys_directory,
	    file != NULL ? file : "", end);
}

static const char *
keygen_option(const cJSON *identity)
{
	const char *role = json_string(identity, "role");

	return !is_server(identity) ? "" : role[0] == 'w' ? "-w " : "-s ";
}

/* A certificate of the key that is lost is of no use, and in the way. */
static void
cure_key(struct check *check, const cJSON *identity)
{
	const char *file = json_string(identity, "file");
	char *certificate = file_of(check, identity, ".crt");

	if (is_server(identity))
		check_cure(check,
		    "gripd keygen %s%s; have a CA sign the request, publish "
		    "what cargomailctl dns prints, then: systemctl restart "
		    "cargomail-gripd-sign",
		    keygen_option(identity), file);
	else
		check_cure(check,
		    "rm -f %s; gripd keygen %s; systemctl restart "
		    "cargomail-gripd-sign; then publish what cargomailctl dns "
		    "prints",
		    certificate, file);
	free(certificate);
}

/* gripd follows a link; systemd, which hands it the keys, does not. */
static int
look_at_key(const struct check *check, const char *full, struct stat *st_r)
{
	char *systemd = check_path(check, "/run/systemd/system");
	bool booted = access(systemd, F_OK) == 0;
	int rc = lstat(full, st_r);

	if (rc == 0 && S_ISLNK(st_r->st_mode) && !booted)
		rc = stat(full, st_r);
	free(systemd);
	return rc;
}

static void
say_no_file(struct check *check, const char *path, const struct stat *st)
{
	bool is_link = S_ISLNK(st->st_mode);

	check_say(check, CHECK_FAIL, path, "%s",
	    is_link ? "is a symbolic link" : "is no regular file");
	check_why(check,
	    "systemd passes over it when it hands the keys to gripd "
	    "(LoadCredential), which then does not start");
	if (is_link)
		check_cure(check,
		    "put the key itself there: install -m 600 \"$(readlink -f "
		    "%s)\" %s; then: systemctl restart cargomail-gripd-sign",
		    path, path);
	else
		check_cure(check,
		    "move it out of the way, then: cargomailctl check keys");
}

static bool
check_key(struct check *check, const cJSON *identity)
{
	char *path = file_of(check, identity, ".key");
	char *full = check_path(check, path);
	uid_t signer = 0;
	struct stat st;
	bool good = false;
	int error = look_at_key(check, full, &st) != 0 ? errno : 0;

	check->world->user(check->world->arg, "cargomail-sign", &signer);
	if (error != 0) {
		check_say(check, CHECK_FAIL, path, "%s", strerror(error));
		check_why(check,
		    "gripd does not start without the key of "
		    "each identity in its policy");
		cure_key(check, identity);
	} else if (!S_ISREG(st.st_mode)) {
		say_no_file(check, path, &st);
	} else if ((st.st_mode & 0077) != 0) {
		check_say(check, CHECK_FAIL, path, "is open to others (%04o)",
		    (unsigned)(st.st_mode & 07777));
		check_why(check,
		    "who reads it can speak for this identity; "
		    "without systemd gripd refuses to start with it");
		check_cure(check,
		    "chmod 600 %s; if others may have read it: a new key and "
		    "a new record",
		    path);
	} else if (st.st_uid != 0 && st.st_uid != signer) {
		check_say(check, CHECK_FAIL, path, "belongs to uid %u",
		    (unsigned)st.st_uid);
		check_why(check,
		    "that user can read and replace it; gripd "
		    "refuses to start with it");
		check_cure(check, "chown root %s", path);
	} else {
		good = true;
	}
	free(path);
	free(full);
	return good;
}

void
check_keys(struct check *check)
{
	const cJSON *list = check_identities(check), *identity;
	size_t good = 0;

	if (!check->config.gripd)
		return;
	if (cJSON_GetArraySize(list) == 0) {
		check_say(check, CHECK_FAIL, check->config.grip.policy_file,
		    "names no identity");
		check_why(check, "gripd signs for nobody");
		check_cure(check,
		    "write it: cargomail-policy(5), or "
		    "cargomailctl setup");
		return;
	}
	cJSON_ArrayForEach(identity, list) good += check_key(check, identity);
	if (good > 0)
		check_say(check, CHECK_OK, "",
		    "%zu of %d private keys are the signer's alone", good,
		    cJSON_GetArraySize(list));
	check_credentials(check);
}

/* ---- certificates ------------------------------------------------------ */

/* Days from now, rounded down. */
static long long
days(struct check *check, int64_t then)
{
	return (long long)((then - check->world->now(check->world->arg)) / DAY);
}

static void
say_date(struct check *check, enum check_level level, const char *path,
    const char *what, int64_t date)
{
	char text[CLOCK_TEXT_SIZE];

	clock_format_internet(date, text);
	check_say(check, level, path, "%s %s (%lld days)", what, text,
	    days(check, date));
	check_why(check,
	    "clients and other mailboxes do not speak to a "
	    "server whose certificate is not valid");
	check_cure(check,
	    "renew it (certbot renew, or sign the .csr anew), put it at %s, "
	    "then: systemctl reload cargomail-gripd-sign cargomail-mailboxd",
	    path);
}

/* True if nothing is wrong. */
static bool
check_dates(struct check *check, const char *path, X509 *leaf,
    const cJSON *identity)
{
	int64_t now = check->world->now(check->world->arg), loaded;
	int64_t end = published_key_time(X509_get0_notAfter(leaf));

	if (published_key_time(X509_get0_notBefore(leaf)) > now) {
		say_date(check, CHECK_FAIL, path, "is valid only from",
		    published_key_time(X509_get0_notBefore(leaf)));
		return false;
	}
	if (end <= now || end - now < SOON) {
		say_date(check, end <= now ? CHECK_FAIL : CHECK_WARN, path,
		    end <= now ? "has expired:" : "expires soon:", end);
		return false;
	}
	if (json_integer(identity, "until", 1, INT64_MAX, &loaded) == 0 &&
	    loaded != end) {
		check_say(check, loaded <= now ? CHECK_FAIL : CHECK_WARN, path,
		    "the signer still has another one loaded");
		check_why(check, "what is served is the old certificate");
		check_cure(check,
		    "systemctl reload cargomail-gripd-sign "
		    "cargomail-mailboxd (certbot: as its deploy "
		    "hook)");
		return false;
	}
	return true;
}

static bool
fits_name(X509 *leaf, const cJSON *identity)
{
	const char *name = json_string(identity, "name");
	const char *file = json_string(identity, "file");
	char cn[256] = "";

	if (is_server(identity))
		return X509_check_host(leaf, name, 0,
			   X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
			       X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
			   NULL) == 1;
	X509_NAME_get_text_by_NID(X509_get_subject_name(leaf), NID_commonName,
	    cn, sizeof(cn));
	return strcmp(cn, name) == 0 || strcmp(cn, file) == 0;
}

static bool
fits_key(X509 *leaf, const cJSON *identity)
{
	const char *key = json_string(identity, "key");
	char hash[65] = "";

	return key == NULL ||
	    (grip_jwk_spki_hash(X509_get0_pubkey(leaf), hash) == 0 &&
		strcmp(hash, key) == 0);
}

/* A new one, for the key that is there. */
static void
cure_certificate(struct check *check, const char *path, const cJSON *identity)
{
	const char *file = json_string(identity, "file");

	if (is_server(identity))
		check_cure(check,
		    "gripd keygen %s%s makes the request %s/%s.csr, if certbot "
		    "does not; have a CA sign it, put the certificate at %s, "
		    "leaf first, then: systemctl reload cargomail-gripd-sign "
		    "cargomail-mailboxd",
		    keygen_option(identity), file,
		    check->config.grip.keys_directory, file, path);
	else
		check_cure(check,
		    "rm -f %s; gripd keygen %s; systemctl reload "
		    "cargomail-gripd-sign",
		    path, file);
}

/* It reads them at its start, and when it is told. */
static bool
check_taken_up(struct check *check, const char *path, const cJSON *identity)
{
	int64_t loaded;

	if (json_integer(identity, "until", 0, 0, &loaded) != 0)
		return true;
	check_say(check, CHECK_FAIL, path,
	    "is there, and the signer has not taken it up");
	check_why(check,
	    is_server(identity) ?
		"mailboxd still waits for it" :
		"its daemon can speak to no other host; mail waits");
	check_cure(check, "systemctl reload cargomail-gripd-sign");
	return false;
}

static bool
check_leaf(struct check *check, const char *path, X509 *leaf,
    const cJSON *identity)
{
	const char *name = json_string(identity, "name");

	if (!fits_name(leaf, identity)) {
		check_say(check, CHECK_FAIL, path, "is not for %s", name);
		check_why(check,
		    is_server(identity) ?
			"clients compare the name that they call" :
			"others compare its CN with the name in our tokens "
			"(\"subject\")");
		cure_certificate(check, path, identity);
		return false;
	}
	if (!fits_key(leaf, identity)) {
		check_say(check, CHECK_FAIL, path,
		    "is not for the key that the signer has loaded");
		check_why(check,
		    "the new certificate cannot be taken up; the old one is "
		    "shown until the signer ends");
		if (is_server(identity))
			check_cure(check,
			    "renew with the same key (certbot: --csr, or "
			    "--reuse-key), or publish the new key and restart "
			    "cargomail-gripd-sign");
		else
			cure_certificate(check, path, identity);
		return false;
	}
	return check_taken_up(check, path, identity) &&
	    (!is_server(identity) || check_dates(check, path, leaf, identity));
}

static bool
check_certificate(struct check *check, const cJSON *identity)
{
	char *path = file_of(check, identity, ".crt");
	char *full = check_path(check, path);
	X509 *leaf = published_key_read_certificate(full);
	bool good = false;

	if (leaf != NULL) {
		good = check_leaf(check, path, leaf, identity);
	} else {
		check_say(check, CHECK_FAIL, path, "%s",
		    errno == EINVAL ? "holds no certificate" : strerror(errno));
		check_why(check,
		    is_server(identity) ?
			"mailboxd waits for it, and whoever wants to connect "
			"with it" :
			"its daemon can speak to no other host; mail waits");
		cure_certificate(check, path, identity);
	}
	X509_free(leaf);
	free(path);
	free(full);
	return good;
}

void
check_certificates(struct check *check)
{
	const cJSON *list = check_identities(check), *identity;
	size_t good = 0;

	if (!check->config.gripd)
		return;
	cJSON_ArrayForEach(identity, list) good +=
	    check_certificate(check, identity);
	if (good > 0)
		check_say(check, CHECK_OK, "",
		    "%zu of %d fit their names, keys and this day", good,
		    cJSON_GetArraySize(list));
}
