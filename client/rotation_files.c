/* SPDX-License-Identifier: ISC
 *
 * The files of a rotation. Private keys are made, and looked into, by gripd
 * keygen alone; here they are only renamed and removed.
 */
#include "rotation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <openssl/x509v3.h>

#include "clock.h"
#include "memory.h"

#define GRIPD PREFIX "/sbin/gripd"

static const char *const ends[] = { ".key", ".crt", ".csr" };

static bool
exists(const struct rotation *rotation, bool next, const char *end)
{
	char *path = rotation_path(rotation, next, end);
	struct stat st;
	bool there = lstat(path, &st) == 0;

	free(path);
	return there;
}

static int
sync_directory(const struct rotation *rotation, const char *below)
{
	char *path = x_asprintf("%s%s", rotation->keys, below);
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd != -1 ? fsync(fd) : -1;

	if (fd != -1)
		close(fd);
	free(path);
	return rc;
}

static int
sync_both(const struct rotation *rotation)
{
	if (sync_directory(rotation, "") == 0 &&
	    sync_directory(rotation, "/" ROTATION_DIRECTORY) == 0)
		return 0;
	return rotation_fail(rotation, EX_IOERR, "%s: %s", rotation->keys,
	    strerror(errno));
}

/* Gives up the next key. */
static int
discard(struct rotation *rotation)
{
	size_t removed = 0;

	for (size_t i = 0; i < 3; i++) {
		char *path = rotation_path(rotation, true, ends[i]);

		if (unlink(path) == 0)
			removed++;
		else if (errno != ENOENT)
			return rotation_fail(rotation, EX_IOERR, "%s: %s", path,
			    strerror(errno));
		free(path);
	}
	memset(&rotation->next, 0, sizeof(rotation->next));
	rotation->next_certified = false;
	return removed > 0 ? sync_both(rotation) : 0;
}

/* ---- gripd -------------------------------------------------------------- */

/* The first line of what a program said, without its end. */
static char *
first_line(char *said)
{
	said[strcspn(said, "\n")] = '\0';
	return said;
}

/* The hash of the private key itself, by gripd. 0, or an exit code. */
static int
read_private(const struct rotation *rotation, bool next,
    char hash_r[SHA256_HEX_SIZE])
{
	char *directory = x_asprintf("%s%s", rotation->keys,
	    next ? "/" ROTATION_DIRECTORY : "");
	const char *argv[] = { GRIPD, "keygen", "-p", "-d", directory,
		rotation->name, NULL };
	int status, code = 0;
	char *said = rotation->world->run(rotation->world->arg, argv, &status);
	const char *at = strstr(said, "p=");

	hash_r[0] = '\0';
	if (status == 0 && at != NULL)
		snprintf(hash_r, SHA256_HEX_SIZE, "%.64s", at + 2);
	if (!hex_is_sha256(hash_r))
		code = rotation_fail(rotation, EX_NOINPUT, "%s",
		    status == -1 ? GRIPD " does not run" : first_line(said));
	free(said);
	free(directory);
	return code;
}

int
rotation_check_signer(const struct rotation *rotation)
{
	const char *const argv[] = { GRIPD, "-n", "-r", "sign", "-c",
		SYSCONFDIR "/cargomail/gripd.conf", NULL };
	int status, code = 0;
	char *said = rotation->world->run(rotation->world->arg, argv, &status);

	if (status != 0)
		code = rotation_fail(rotation, EX_CONFIG,
		    "gripd -n finds fault with things as they are, so nothing "
		    "is "
		    "done (--force does it): %s",
		    status == -1 ? GRIPD " does not run" : first_line(said));
	free(said);
	return code;
}

static bool
has_role(const struct rotation *rotation, const char *role)
{
	for (size_t i = 0; i < rotation->place_count; i++)
		if (strcmp(rotation->places[i].role, role) == 0)
			return true;
	return false;
}

/* A key with its certificate, or, if a CA certifies it, its request; that
 * alone if there is a key. */
static int
run_keygen(const struct rotation *rotation)
{
	char *directory = x_asprintf("%s/" ROTATION_DIRECTORY, rotation->keys);
	const char *type =
	    rotation->present.type != NULL ? rotation->present.type : "p256";
	const char *argv[] = { GRIPD, "keygen", "-t", type, "-d", directory,
		rotation->name, NULL, NULL };
	int status, code = 0;
	char *said;

	if (rotation_is_certified(rotation)) {
		argv[6] = has_role(rotation, "web") ? "-w" : "-s";
		argv[7] = rotation->name;
	}
	said = rotation->world->run(rotation->world->arg, argv, &status);
	if (status != 0)
		code = rotation_fail(rotation, EX_CANTCREAT, "%s",
		    status == -1 ? GRIPD " does not run" : first_line(said));
	free(said);
	free(directory);
	return code;
}

int
rotation_make(struct rotation *rotation)
{
	int code = run_keygen(rotation);

	return code != 0 ? code : rotation_settle(rotation);
}

/* ---- what there is ------------------------------------------------------ */

bool
rotation_is_certified(const struct rotation *rotation)
{
	return (has_role(rotation, "mailbox") || has_role(rotation, "web")) &&
	    !rotation->present.self_signed;
}

static int
read_present(struct rotation *rotation)
{
	char *path = rotation_path(rotation, false, ".crt");
	int code = 0;

	memset(&rotation->present, 0, sizeof(rotation->present));
	if (published_key_read(path, &rotation->present) != 0 &&
	    errno != ENOENT)
		code = rotation_fail(rotation, EX_NOINPUT, "%s: %s", path,
		    errno == EINVAL ? "holds no certificate" : strerror(errno));
	free(path);
	return code;
}

/* By its request, if a CA is to sign that: what comes back may be wrong. */
static void
read_next(struct rotation *rotation)
{
	char *crt = rotation_path(rotation, true, ".crt");
	char *csr = rotation_path(rotation, true, ".csr");
	struct published_key *next = &rotation->next;

	memset(next, 0, sizeof(*next));
	rotation->next_certified = exists(rotation, true, ".crt");
	if (published_key_read_request(csr, next) != 0 &&
	    published_key_read(crt, next) != 0)
		memset(next, 0, sizeof(*next));
	free(crt);
	free(csr);
}

/* After the key its certificate and request. */
static int
finish(struct rotation *rotation)
{
	for (size_t i = 1; i < 3; i++) {
		char *from = rotation_path(rotation, true, ends[i]);
		char *to = rotation_path(rotation, false, ends[i]);
		int rc = rename(from, to), error = errno;

		free(from);
		free(to);
		if (rc != 0 && error != ENOENT)
			return rotation_fail(rotation, EX_IOERR, "%s: %s",
			    ends[i], strerror(error));
	}
	memset(&rotation->next, 0, sizeof(rotation->next));
	rotation->next_certified = false;
	return sync_both(rotation);
}

/* rotation/ has a certificate or request, and no key. */
static int
settle_without_key(struct rotation *rotation)
{
	char hash[SHA256_HEX_SIZE];
	int code;

	if (rotation->next.hash[0] == '\0')
		return discard(rotation);
	code = read_private(rotation, false, hash);
	if (code != 0)
		return code;
	if (strcmp(hash, rotation->next.hash) != 0)
		return discard(rotation);
	code = finish(rotation);
	return code != 0 ? code : read_present(rotation);
}

static int
settle_with_key(struct rotation *rotation)
{
	const struct rotation_old *old =
	    rotation_state_find(&rotation->state, rotation->next.hash);
	int code;

	/* Made before the present one was lost: no better than that. */
	if (old != NULL && old->bad)
		return discard(rotation);
	if (rotation->next.hash[0] != '\0')
		return 0;
	/* A key that was shown to nobody; else only its request is gone. */
	if (rotation->state.next[0] == '\0' || !rotation_is_certified(rotation))
		return discard(rotation);
	code = run_keygen(rotation);
	read_next(rotation);
	return code;
}

/* What the state says of present and next gives way to the files. */
static void
settle_state(struct rotation *rotation)
{
	struct rotation_state *state = &rotation->state;
	const char *present = rotation->present.hash;

	if (strcmp(state->next, rotation->next.hash) != 0) {
		memcpy(state->next, rotation->next.hash, SHA256_HEX_SIZE);
		state->made =
		    rotation->next.hash[0] != '\0' ? rotation->now : 0;
		state->seen = state->ready = 0;
	}
	for (size_t i = state->old_count; i-- > 0;) {
		if (strcmp(state->old[i].key, present) != 0)
			continue;
		/* Was to be replaced, and was not. */
		if (state->old[i].bad)
			memcpy(state->bad, present, SHA256_HEX_SIZE);
		rotation_state_remove(state, i);
	}
	if (strcmp(state->bad, present) != 0)
		state->bad[0] = '\0';
}

int
rotation_settle(struct rotation *rotation)
{
	int code = read_present(rotation);

	if (code != 0)
		return code;
	read_next(rotation);
	if (exists(rotation, true, ".key"))
		code = settle_with_key(rotation);
	else if (rotation->next_certified || exists(rotation, true, ".csr"))
		code = settle_without_key(rotation);
	if (code != 0)
		return code;
	settle_state(rotation);
	return rotation_save(rotation);
}

/* ---- taking the next ---------------------------------------------------- */

static int
say_uncertified(const struct rotation *rotation)
{
	fprintf(rotation->out,
	    "the certificate is not there yet: have your CA sign\n"
	    "    %s/" ROTATION_DIRECTORY "/%s.csr\n"
	    "put it, leaf first, at\n"
	    "    %s/" ROTATION_DIRECTORY "/%s.crt\n"
	    "then type this again\n",
	    rotation->keys, rotation->name, rotation->keys, rotation->name);
	return EX_TEMPFAIL;
}

static int
verify_names(const struct rotation *rotation, const char *path)
{
	const unsigned flags = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
	    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
	X509 *leaf = published_key_read_certificate(path);
	int code = 0;

	for (size_t i = 0; code == 0 && i < rotation->place_count; i++) {
		const struct rotation_place *place = &rotation->places[i];

		if (strcmp(place->role, "mailbox") != 0 &&
		    strcmp(place->role, "web") != 0)
			continue;
		if (X509_check_host(leaf, place->name, 0, flags, NULL) != 1)
			code = rotation_fail(rotation, EX_DATAERR,
			    "%s: has no subjectAltName DNS:%s", path,
			    place->name);
	}
	X509_free(leaf);
	return code;
}

static int
verify_certificate(const struct rotation *rotation, const char *path)
{
	struct published_key key;
	char date[CLOCK_TEXT_SIZE];

	if (published_key_read(path, &key) != 0)
		return rotation_fail(rotation, EX_DATAERR, "%s: %s", path,
		    errno == EINVAL ? "holds no certificate" : strerror(errno));
	if (strcmp(key.hash, rotation->next.hash) != 0)
		return rotation_fail(rotation, EX_DATAERR,
		    "%s: is not for the new key; have the .csr beside it "
		    "signed",
		    path);
	if (!rotation_is_certified(rotation))
		return 0;
	if (key.from > rotation->now || key.until <= rotation->now) {
		clock_format_internet(key.from > rotation->now ? key.from :
								 key.until,
		    date);
		return rotation_fail(rotation, EX_DATAERR, "%s: is valid %s %s",
		    path,
		    key.from > rotation->now ? "only from" : "no more:", date);
	}
	return verify_names(rotation, path);
}

int
rotation_verify(struct rotation *rotation)
{
	char hash[SHA256_HEX_SIZE], *path;
	int code;

	if (!rotation->next_certified)
		return say_uncertified(rotation);
	path = rotation_path(rotation, true, ".crt");
	code = verify_certificate(rotation, path);
	if (code == 0)
		code = read_private(rotation, true, hash);
	if (code == 0 && strcmp(hash, rotation->next.hash) != 0)
		code = rotation_fail(rotation, EX_DATAERR,
		    "%s: is not for the key beside it", path);
	free(path);
	return code;
}

/* The time of the file says since when it is the present one. */
static int
rename_key(const struct rotation *rotation)
{
	const struct timespec times[2] = { { rotation->now, 0 },
		{ rotation->now, 0 } };
	char *from = rotation_path(rotation, true, ".key");
	char *to = rotation_path(rotation, false, ".key");
	int rc = utimensat(AT_FDCWD, from, times, AT_SYMLINK_NOFOLLOW);

	if (rc == 0)
		rc = rename(from, to);
	if (rc != 0)
		rotation_fail(rotation, EX_IOERR, "%s: %s", to,
		    strerror(errno));
	free(from);
	free(to);
	return rc == 0 ? sync_both(rotation) : EX_IOERR;
}

int
rotation_commit(struct rotation *rotation)
{
	struct rotation_state *state = &rotation->state;
	const char *present = rotation->present.hash;
	struct rotation_old *old;
	int code;

	if (present[0] != '\0') {
		old = rotation_state_add(state, present);
		old->since = old->until = 0;
		old->bad = strcmp(state->bad, present) == 0;
		state->bad[0] = '\0';
	}
	code = rotation_save(rotation);
	if (code == 0)
		code = rename_key(rotation);
	if (code == 0)
		code = finish(rotation);
	return code != 0 ? code : rotation_settle(rotation);
}
